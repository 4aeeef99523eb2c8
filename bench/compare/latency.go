package compare

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Latency contains the measured durations of one operation without other load.
type Latency struct {
	What string `json:"what"`
	// P50, P95 and P99 are the percentiles of N measured durations.
	P50 time.Duration `json:"p50Ns"`
	P95 time.Duration `json:"p95Ns"`
	P99 time.Duration `json:"p99Ns"`
	N   int           `json:"n"`
	// OfBare is the ratio of P50 to the P50 of the bare workflow for the same call.
	OfBare float64 `json:"ofBare,omitempty"`
}

func percentiles(what string, all []time.Duration) Latency {
	l := Latency{What: what, N: len(all)}
	if len(all) == 0 {
		return l
	}
	slices.Sort(all)
	at := func(percent int) time.Duration { return all[min(len(all)-1, len(all)*percent/100)] }
	l.P50, l.P95, l.P99 = at(50), at(95), at(99)
	return l
}

// Latencies measures the durations of n updates of the bare workflow and of n updates of Oppflow,
// alternately. Latencies also measures the time from the start of a workflow until the record
// exists.
func (g *Environment) Latencies(ctx context.Context, n int, tell func(string)) ([]Latency, error) {
	plain, driven := bare(g.bare, true), oppflow(g.oppflow, oppflowMode{byUpdate: true})
	// A run of Oppflow with a long history continues as new, and a run of the bare workflow never
	// continues as new. So Latencies starts new opportunities before the histories of the runs are
	// long.
	const each = 50
	lines := CallGroups()
	unseen := lines[4] // one interest, which changes no search attribute
	var starts, bareStarts, bareCalls, quiet, shown []time.Duration
	timed := func(into *[]time.Duration, do func() error) error {
		began := time.Now()
		err := do()
		*into = append(*into, time.Since(began))
		return err
	}
	for done := 0; done < n; done += each {
		if tell != nil {
			tell(fmt.Sprintf("measuring the latency of updates: %d of %d repetitions are done", done, n))
		}
		var b, d driver
		err := timed(&bareStarts, func() (err error) { b, err = plain.begin(ctx, g.nextReference()); return err })
		if err == nil {
			err = timed(&starts, func() (err error) { d, err = driven.begin(ctx, g.nextReference()); return err })
		}
		if err != nil {
			return nil, err
		}
		for turn := range min(each, n-done) {
			// Successive updates alternate between two accounts, so each update changes a search
			// attribute.
			change := CallGroup{Calls: []Call{{Details: &opportunity.UpdateDetails{Account: []string{account, otherAccount}[turn%2]}}}}
			for _, one := range []struct {
				by   driver
				line CallGroup
				into *[]time.Duration
			}{{b, unseen, &bareCalls}, {d, unseen, &quiet}, {b, change, &bareCalls}, {d, change, &shown}} {
				if err := timed(one.into, func() error { return one.by.send(ctx, one.line, ignoreSent) }); err != nil {
					return nil, err
				}
			}
		}
	}
	all := []Latency{
		percentiles("bare workflow: an update with one activity", bareCalls),
		percentiles("Oppflow: an update that changes no search attribute", quiet),
		percentiles("Oppflow: an update that changes a search attribute", shown),
		percentiles("bare workflow: from the start until the record exists", bareStarts),
		percentiles("Oppflow: from the start until the record exists", starts),
	}
	for n, base := range map[int]int{1: 0, 2: 0, 4: 3} {
		all[n].OfBare = float64(all[n].P50) / float64(all[base].P50)
	}
	return all, nil
}
