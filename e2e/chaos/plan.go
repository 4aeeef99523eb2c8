package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Action is what a step of a script does.
type Action string

const (
	// Send sends a message.
	Send Action = "send"
	// Terminate waits until no message waits, terminates the run in Temporal, and starts the
	// opportunity again. The new run finds the record by the reference tag.
	Terminate Action = "terminate"
	// Reset resets the run in Temporal to its first or last completed workflow task.
	Reset Action = "reset"
	// Close closes the run with an operator command.
	Close Action = "close"
)

// Step is one action of a sender.
type Step struct {
	Action Action
	// Command is the command that is sent, with its request id.
	Command   opportunity.Command
	Transport audit.Transport
	// Repeats is how often the command is sent again under the same request id.
	Repeats int
	// NoRetry is set when the sender does not send the message again after an unknown result.
	NoRetry bool
	// ResetToFirst resets the run to the first completed workflow task instead of the last
	// completed workflow task.
	ResetToFirst bool
	Pause        time.Duration
}

// Script is the start of one opportunity and all its steps, in order.
type Script struct {
	Reference opportunity.Reference
	Start     opportunity.Start
	Steps     []Step
	// SignalsOnly makes all messages signals, so that the run may be reset.
	SignalsOnly bool
}

// Plan is the scripts of the senders, and the disruptions while the senders send.
type Plan struct {
	Seed        uint64
	Scripts     []Script
	Disruptions []Disruption
}

// NewPlan makes the plan of an experiment; equal options make equal plans.
func NewPlan(o Options) Plan {
	p := planner{options: o, random: rand.New(rand.NewPCG(o.Seed, 1))} //nolint:gosec // it decides no secret
	plan := Plan{Seed: o.Seed}
	for n := range o.Opportunities {
		plan.Scripts = append(plan.Scripts, p.script(n))
	}
	plan.Scripts = interleave(plan.Scripts, sales(o))
	plan.Disruptions = newDisruptions(o)
	return plan
}

type planner struct {
	options Options
	random  *rand.Rand
}

// These constants are shares: for example, one of every longEvery opportunities is long. Three of
// every resetEvery opportunities get only signals, except opportunities whose run is terminated.
const (
	longEvery       = 20
	terminatedEvery = 9
	resetEvery      = 7
	closedEvery     = 8
	endedEvery      = 4
)

func (p *planner) script(n int) Script {
	s := Script{Reference: opportunity.Reference(fmt.Sprintf("chaos-%d-%d", p.options.Seed, n))}
	s.Start = opportunity.Start{Name: "First Aid for everybody", Region: "UK", Account: accountID(1), EntryStep: "Proposed"}
	if n%3 > 0 { // every third opportunity has the same name, region and account
		s.Start.Name, s.Start.Region, s.Start.Account = fmt.Sprintf("Training %d", n), p.oneOf("UK", "Dominican Republic", "Ireland"), accountID(1+p.random.Int64N(3))
	}
	terminated := n%terminatedEvery == 4
	if !terminated && n%5 == 2 {
		s.Start.Interests = opportunity.Interests{p.interest(false), p.interest(false)}
	}
	messages := p.options.Messages/2 + p.random.IntN(p.options.Messages+1)
	if n%longEvery == 3 {
		messages = p.options.LongMessages
	}
	if closed := n%closedEvery == 5; closed { // a closed opportunity must have places to release
		s.Steps = append(s.Steps, p.send(opportunity.AddInterests{Interests: opportunity.Interests{p.eventInterest(true)}}))
	}
	moved := false
	for len(s.Steps) < messages {
		s.Steps = append(s.Steps, p.send(p.command(&moved)))
		if p.random.IntN(12) == 0 { // the message is sent twice under different request ids
			again := s.Steps[len(s.Steps)-1]
			again.Command, again.Pause = again.Command.WithRequestID(p.requestID()), 0
			s.Steps = append(s.Steps, again)
		}
	}
	middle := len(s.Steps) / 2
	if terminated {
		s.Steps = append(s.Steps[:middle:middle], append([]Step{{Action: Terminate}}, s.Steps[middle:]...)...)
	}
	s.SignalsOnly = !terminated && n%resetEvery < 3
	if s.SignalsOnly && n%resetEvery == 1 {
		s.Steps = append(s.Steps[:middle:middle], append([]Step{{Action: Reset, ResetToFirst: p.random.IntN(2) == 0}}, s.Steps[middle:]...)...)
	}
	switch {
	case n%closedEvery == 5:
		s.Steps = append(s.Steps, Step{Action: Close})
	case n%endedEvery == 1:
		if !moved {
			s.Steps = append(s.Steps, p.send(opportunity.Progress{To: "Opportunity"}))
		}
		s.Steps = append(s.Steps, p.send(opportunity.Progress{To: p.oneOf("Won", "Won", "Lost", "Archived")}))
	}
	if s.SignalsOnly {
		useOneTransport(s.Steps)
	}
	p.spread(s.Steps)
	return s
}

// useOneTransport sends all messages as signals, because after a reset Temporal delivers signals
// before updates.
func useOneTransport(steps []Step) {
	for i := range steps {
		steps[i].Transport = audit.BySignal
	}
}

// spread spreads the steps over 70 % of DisruptionTime. In the long form of the experiment, spread
// uses all of DisruptionTime, so that the last disruptions affect messages.
func (p *planner) spread(steps []Step) {
	length := p.options.DisruptionTime
	if !p.options.Long {
		length = length * 7 / 10
	}
	average := length / time.Duration(len(steps)+1)
	if p.options.Rounds > 1 {
		average /= time.Duration(p.options.Rounds)
	}
	for i := range steps {
		if steps[i].Pause == 0 && i > 0 {
			steps[i].Pause = time.Duration(p.random.Int64N(int64(2*average) + 1))
		}
	}
}

func (p *planner) send(command opportunity.Command) Step {
	step := Step{Action: Send, Command: command.WithRequestID(p.requestID()), Transport: audit.BySignal}
	if p.random.IntN(3) == 0 {
		step.Transport = audit.ByUpdate
	}
	if p.random.IntN(8) == 0 {
		step.Repeats = 1 + p.random.IntN(2)
	}
	step.NoRetry = p.random.IntN(10) == 0
	return step
}

// command makes a message. A third of the messages are the same for all opportunities.
func (p *planner) command(moved *bool) opportunity.Command {
	alike := p.random.IntN(3) == 0
	switch n := p.random.IntN(20); {
	case n < 10 && alike:
		return opportunity.AddInterests{Interests: opportunity.Interests{commonInterest()}}
	case n < 10:
		list := make(opportunity.Interests, 1+p.random.IntN(5))
		for i := range list {
			list[i] = p.interest(p.random.IntN(12) == 0)
			if p.random.IntN(5) == 0 {
				list[i] = commonInterest()
			}
		}
		return opportunity.AddInterests{Interests: list}
	case n < 13:
		return p.progress(moved)
	case n < 18 && alike:
		return opportunity.UpdateDetails{Name: "First Aid for everybody"}
	case n < 18:
		return opportunity.UpdateDetails{
			Name: fmt.Sprintf("Name %d", p.random.IntN(1_000_000)), Currency: p.oneOf("", "", "GBP", "EUR", "USD"), Account: p.oneOf("", accountID(1), accountID(2)),
		}
	case alike:
		return opportunity.ExtendReservations{Until: time.Date(2035, 1, 1, 12, 0, 0, 0, time.UTC)}
	default:
		return opportunity.ExtendReservations{Until: time.Date(2035, 1, 1, p.random.IntN(24*300), 0, 0, 0, time.UTC)}
	}
}

// progress returns the transition to the step Opportunity at most once. Every other transition that
// progress returns is not configured for the record's step.
func (p *planner) progress(moved *bool) opportunity.Command {
	switch n := p.random.IntN(4); {
	case n == 0:
		return opportunity.Progress{To: "Nowhere"}
	case n == 1 && !*moved:
		return opportunity.Progress{To: "Won"}
	case *moved:
		return opportunity.Progress{To: "Proposed"}
	}
	*moved = true
	return opportunity.Progress{To: "Opportunity"}
}

func (p *planner) interest(draft bool) opportunity.Interest {
	quantity, unit := 1+p.random.IntN(50), decimal(fmt.Sprintf("%d.%02d", p.random.IntN(900), p.random.IntN(100)))
	if draft { // the API accepts no interest in a draft
		return opportunity.Interest{Item: globalid.EncodeInt(globalid.CourseTemplate, 13), Quantity: quantity, UnitAmount: unit}
	}
	switch p.random.IntN(5) {
	case 0:
		return opportunity.Interest{Item: globalid.EncodeInt(globalid.LearningPath, 1), Quantity: quantity, UnitAmount: unit}
	case 1:
		return opportunity.Interest{
			Item: globalid.EncodeInt(globalid.CourseTemplate, 12), Quantity: quantity, UnitAmount: unit,
			Learners: []opportunity.Learner{{FirstName: "Ada", LastName: fmt.Sprintf("Chaos %d", p.random.IntN(1000)), Email: "ada@storm.example"}},
		}
	case 2, 3:
		return p.eventInterest(p.random.IntN(2) == 0)
	}
	return opportunity.Interest{Item: globalid.EncodeInt(globalid.CourseTemplate, 11), Quantity: quantity, UnitAmount: unit}
}

func (p *planner) eventInterest(reserve bool) opportunity.Interest {
	return opportunity.Interest{
		Item: globalid.EncodeInt(globalid.Event, 1+p.random.Int64N(2)), Quantity: 1 + p.random.IntN(3),
		UnitAmount: decimal(fmt.Sprintf("%d.00", 1+p.random.IntN(900))), Reserve: reserve,
	}
}

// commonInterest is an interest that many opportunities add, so the requests of different
// opportunities are alike.
func commonInterest() opportunity.Interest {
	return opportunity.Interest{Item: globalid.EncodeInt(globalid.Event, 2), Quantity: 1, UnitAmount: decimal("199.90"), Reserve: true}
}

func (p *planner) requestID() string {
	var raw uuid.UUID
	for i := range raw {
		raw[i] = byte(p.random.UintN(256))
	}
	return raw.String()
}

func (p *planner) oneOf(texts ...string) string { return texts[p.random.IntN(len(texts))] }

func accountID(key int64) string { return globalid.EncodeInt(globalid.Account, key) }

func decimal(text string) opportunity.Amount {
	amount, _ := opportunity.ParseAmount(text)
	return amount
}
