package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// Options select what is measured. The zero value selects all measurements, with a Temporal server
// that stores its data in memory.
type Options struct {
	// If Quick is true, Measure measures only the counts and, with a shorter duration, the rates.
	Quick bool
	// Only lists the names of the figures to measure (see Figures); an empty Only selects all
	// figures.
	Only []string
	// InFlight lists numbers of lifecycles that run at the same time. Measure measures the rates
	// for each number. An empty InFlight selects 1, 8 and 32, or only 8 if Quick is true.
	InFlight []int
	// If Postgres is true, the Temporal server stores its data in a PostgreSQL server that Measure
	// starts.
	Postgres bool
	// CPUProfile and MemoryProfile are the files for the profiles that Oppflow's worker writes
	// during the measurement of rates.
	CPUProfile, MemoryProfile string
	// Measure calls Progress (if not nil) with the description of the current step, the number of
	// completed steps and the number of all steps.
	Progress func(step, of int, what string)
	// Output receives the output of the Temporal server, the sandbox and the workers; nil discards
	// the output.
	Output io.Writer
}

const (
	figureCounts    = "counts"
	figureRates     = "rates"
	figureLatencies = "latencies"
	figureBurst     = "burst"
	figureIdle      = "idle"
	figureLimited   = "limited"
	figurePlaybook  = "playbook"
	figureEffects   = "effects"
)

// Figures returns the names of all figures that Measure can measure, in the order of the report.
func Figures() []string {
	return []string{figureCounts, figureRates, figureLatencies, figureBurst, figureIdle, figureLimited, figurePlaybook, figureEffects}
}

// QuickFigures returns the names of the figures that Measure measures if Quick is true.
func QuickFigures() []string { return []string{figureCounts, figureRates} }

type step struct {
	figure, what string
	do           func(ctx context.Context, g *Environment, tell func(string), r *Report) error
}

type environmentPlan struct {
	environment EnvironmentOptions
	steps       []step
}

func fullPlan() RatePlan  { return RatePlan{Rounds: 3, Warm: 2 * time.Second, Window: 8 * time.Second} }
func quickPlan() RatePlan { return RatePlan{Rounds: 1, Warm: time.Second, Window: 4 * time.Second} }

// With 20 API requests per second a lifecycle takes long, so Window must be long. Warm is long,
// because the initial burst must be over before Window begins.
func limitedPlan() RatePlan {
	return RatePlan{Rounds: 1, Warm: 20 * time.Second, Window: 60 * time.Second, InFlight: 32}
}

const (
	updates           = 1000 // the number of updates whose latencies are reported
	idleOpportunities = 10_000
	burstSignals      = 1000
	defaultPlaybook   = "default"
	inMemoryServer    = "SQLite in memory"
)

// Measure runs the selected measurements. If a measurement fails, Measure returns the error
// together with the figures measured before.
func Measure(ctx context.Context, o Options) (Report, error) {
	report := Report{Server: inMemoryServer, Processors: runtime.NumCPU()}
	if o.Postgres {
		report.Server = "PostgreSQL"
	}
	parts := o.parts()
	of := 0
	for i := range parts {
		parts[i].steps = slices.DeleteFunc(parts[i].steps, func(s step) bool { return len(o.Only) > 0 && !slices.Contains(o.Only, s.figure) })
		of += len(parts[i].steps)
	}
	n := 0
	for _, p := range parts {
		if len(p.steps) == 0 {
			continue
		}
		err := o.runPart(ctx, p, &report, func(what string) {
			if o.Progress != nil {
				o.Progress(n, of, what)
			}
		}, func() { n++ })
		if err != nil {
			return report, err
		}
	}
	if o.Progress != nil {
		o.Progress(of, of, "done")
	}
	return report, nil
}

func (o Options) runPart(ctx context.Context, p environmentPlan, report *Report, tell func(string), done func()) (err error) {
	tell("starting the Temporal server, the sandbox and the workers")
	p.environment.Output, p.environment.Progress, p.environment.Postgres = o.Output, tell, o.Postgres
	g, err := Prepare(ctx, p.environment)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close(context.WithoutCancel(ctx))) }()
	for _, s := range p.steps {
		tell(s.what)
		if err := s.do(ctx, g, tell, report); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		done()
	}
	return nil
}

func (o Options) parts() []environmentPlan {
	profiled := EnvironmentOptions{CPUProfile: o.CPUProfile, MemoryProfile: o.MemoryProfile}
	count := step{figureCounts, "measurement of the counts", func(ctx context.Context, g *Environment, _ func(string), r *Report) (err error) {
		r.Counts, err = g.Count(ctx, g.Subjects())
		return err
	}}
	rate := func(inFlight int, plan RatePlan) step {
		plan.InFlight = inFlight
		return step{figureRates, fmt.Sprintf("measurement of the rates with %d lifecycles at the same time", inFlight), func(ctx context.Context, g *Environment, tell func(string), r *Report) error {
			plan.Progress = tell
			rated, err := g.Rates(ctx, g.Subjects(), Base, plan)
			r.Rates = append(r.Rates, rated...)
			return err
		}}
	}
	plan, inFlight := fullPlan(), []int{1, 8, 32}
	if o.Quick {
		plan, inFlight = quickPlan(), []int{8}
	}
	if len(o.InFlight) > 0 {
		inFlight = o.InFlight
	}
	rates := []step{count}
	for _, n := range inFlight {
		rates = append(rates, rate(n, plan))
	}
	if o.Quick {
		return []environmentPlan{{profiled, rates}}
	}
	return []environmentPlan{
		{profiled, append(rates, []step{
			{figureLatencies, "measurement of the latencies", func(ctx context.Context, g *Environment, tell func(string), r *Report) (err error) {
				r.Latencies, err = g.Latencies(ctx, updates, tell)
				return err
			}},
			{figureBurst, "measurement of a burst of signals", func(ctx context.Context, g *Environment, _ func(string), r *Report) error {
				burst, err := g.Burst(ctx, burstSignals)
				r.Burst = &burst
				return err
			}},
		}...)},
		{EnvironmentOptions{}, []step{{figureIdle, "measurement of idle opportunities", func(ctx context.Context, g *Environment, tell func(string), r *Report) error {
			idle, err := g.Idle(ctx, idleOpportunities, tell)
			r.Idle = &idle
			return err
		}}}},
		{EnvironmentOptions{Limit: true}, []step{{figureLimited, "measurement of the rates that the rate limit of the API allows", func(ctx context.Context, g *Environment, tell func(string), r *Report) (err error) {
			plan := limitedPlan()
			plan.Progress = tell
			r.Limited, err = g.Rates(ctx, g.Subjects(), LimitedBase, plan)
			return err
		}}}},
		{EnvironmentOptions{Playbook: defaultPlaybook}, []step{{figurePlaybook, "measurement of the counts with the default playbook", func(ctx context.Context, g *Environment, _ func(string), r *Report) (err error) {
			r.Playbook, err = g.Count(ctx, g.PlaybookSubjects())
			return err
		}}}},
		{EnvironmentOptions{NewAccounts: true}, []step{{figurePlaybook, "measurement of the counts with new accounts", func(ctx context.Context, g *Environment, _ func(string), r *Report) error {
			counts, err := g.Count(ctx, g.NewAccountSubjects())
			r.Playbook = append(r.Playbook, counts...)
			return err
		}}}},
		{EnvironmentOptions{Limit: true, Playbook: defaultPlaybook}, []step{{figureEffects, "measurement of the rates with the default playbook that the rate limit of the API allows", func(ctx context.Context, g *Environment, tell func(string), r *Report) (err error) {
			plan := limitedPlan()
			plan.Progress = tell
			r.Effects, err = g.Rates(ctx, g.EffectSubjects(), EffectsBase, plan)
			return err
		}}}},
	}
}
