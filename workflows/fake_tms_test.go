package workflows_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// fakeTMS imitates the TMS in these tests: one opportunity that activities change, with a log of
// every change that took effect. Unlike the workflow, fakeTMS never forgets a change, so the log
// shows a change that was made twice.
type fakeTMS struct {
	mu            sync.Mutex
	exists        bool
	taggedRecords int // how many records have the reference tag
	step          opportunity.Step
	details       opportunity.Details
	items         []exchange.InterestRef
	reservation   opportunity.Reservation
	log           []string
	calls         []string // names of the activities called
	batches       [][]exchange.Change

	// create and apply, when set, run before the fake handles the call. The call returns the value of
	// instead as its result when the value is not nil. commit says whether the call still takes
	// effect.
	create func(n int) (commit bool, instead *activities.CreateResult, err error)
	apply  func(n int, in activities.ApplyInput) (commit bool, instead *activities.ApplyResult, err error)
	// batchLimit is how many changes of the next batch take effect, if the fake does not make all
	// changes of the batch.
	batchLimit int
	// answersAllInterests says that the response to an added interest lists every interest on the
	// record.
	answersAllInterests bool

	// run is the run id by which the server knows the run, or "" when the run was not reset.
	run string
	// down, when set, is the error of plans, inspections and probes. While down is set, requests of
	// effects are not sent.
	down error

	// find, when set, is the error of the search for the record.
	find error
	// conflict, when set, is why a record that was found must not be adopted.
	conflict *opportunity.Error
	// settling is how long the API may still commit requests of an earlier run.
	settling time.Duration

	// changed, when set, is the time of the record's last change, which reads for an adoption
	// return. Tagging is a change.
	changed time.Time
	// owner is the reference whose tag the record has. ownerUnknown says that reads do not return
	// the owner.
	owner        opportunity.Reference
	ownerUnknown bool
	// read and tag, when set, run before the fake handles the call. read returns why the read
	// fails. tag returns whether the tag takes effect, and the result.
	read func(n int) error
	tag  func(n int) (commit bool, instead *activities.CallResult, err error)

	// playbook is the fake of the worker's playbook; nil means that the worker has no playbook.
	playbook *fakePlaybook

	creates, applies                     int
	reads, tagRequests                   int
	skippedEarlierRunCheck, noEarlierRun bool                    // from the last create
	resolvedNames                        []exchange.ResolvedName // from the last create
	names                                map[exchange.UnresolvedName]opportunity.ID
	// resolve, when set, makes the look-up of names fail.
	resolve func(ctx context.Context, in activities.ResolveInput) error
}

func id(typ string, key any) opportunity.ID {
	return opportunity.ID(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", typ, key)))
}

func step(key int, name string, state opportunity.StageState) opportunity.Step {
	return opportunity.Step{ID: id("OpportunityStep", key), Name: name, Stage: opportunity.Stage{ID: id("OpportunityStage", key), Name: name, State: state}}
}

var steps = []opportunity.Step{
	step(3, "Proposed", opportunity.Open), step(4, "Opportunity", opportunity.Open), step(5, "Won", opportunity.Won),
	step(6, "Lost", opportunity.Lost), step(7, "Reopened", opportunity.Open), step(8, "Archived", opportunity.Archived),
}

func newFakeTMS() *fakeTMS {
	names := map[exchange.UnresolvedName]opportunity.ID{}
	for _, s := range steps {
		names[exchange.UnresolvedName{Type: opportunity.TypeStep, Text: s.Name}] = s.ID
	}
	return &fakeTMS{batchLimit: -1, names: names}
}

func (r *fakeTMS) snapshot() exchange.Snapshot {
	return exchange.Snapshot{
		ID: id("Opportunity", 2), Details: r.details, Step: r.step,
		Interests: append([]exchange.InterestRef(nil), r.items...), Reservation: r.reservation,
	}
}

func (r *fakeTMS) register(env *testsuite.TestWorkflowEnvironment) {
	for name, f := range map[string]any{
		activities.CreateOpportunity: r.createOpportunity,
		activities.ApplyCommands:     r.applyCommands,
		activities.ReadOpportunity:   r.readOpportunity,
		activities.FindOpportunity:   r.findOpportunity,
		activities.ResolveNames:      r.resolveNames,
		activities.TagOpportunity:    r.tagOpportunity,
		activities.ProbeAPI:          r.probeAPI,
		activities.PlanOpportunity:   r.planOpportunity,
		activities.InspectEffect:     r.inspectEffect,
		activities.ExecuteEffect:     r.executeEffect,
	} {
		env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}

func (r *fakeTMS) createOpportunity(_ context.Context, in activities.CreateInput) (activities.CreateResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.CreateOpportunity)
	if in.RunID != r.run {
		return activities.CreateResult{CallResult: r.resetResult()}, nil
	}
	r.creates++
	r.skippedEarlierRunCheck, r.noEarlierRun, r.resolvedNames = in.SkipEarlierRunCheck, in.NoEarlierRun, in.ResolvedNames
	commit, instead, err := true, (*activities.CreateResult)(nil), error(nil)
	if r.create != nil {
		commit, instead, err = r.create(r.creates)
	}
	if commit {
		r.exists = true
		r.taggedRecords++
		r.step = steps[0]
		r.details = opportunity.Details{Name: in.Start.Name, Currency: in.Start.Currency}
		r.log = append(r.log, "create")
	}
	if instead != nil || err != nil {
		if instead == nil {
			instead = &activities.CreateResult{}
		}
		return *instead, err
	}
	return activities.CreateResult{
		CallResult: activities.CallResult{Status: exchange.StatusDone, PlaybookFeatures: r.playbook.playbookFeatures()}, Record: r.snapshot(),
		Region: opportunity.Ref{ID: id("Region", "UK"), Name: in.Start.Region},
	}, nil
}

func (r *fakeTMS) applyCommands(_ context.Context, in activities.ApplyInput) (activities.ApplyResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.ApplyCommands)
	if in.RunID != r.run {
		return activities.ApplyResult{CallResult: r.resetResult()}, nil
	}
	if rules := r.playbook.playbookFeatures(); in.TransitionUnplanned && rules != nil && rules.Transitions {
		return activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonTransitionUnplanned, PlaybookFeatures: rules}}, nil
	}
	r.applies++
	r.batches = append(r.batches, in.Changes)
	commit, instead, err := true, (*activities.ApplyResult)(nil), error(nil)
	if r.apply != nil {
		commit, instead, err = r.apply(r.applies, in)
	}
	result := activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusDone, PlaybookFeatures: r.playbook.playbookFeatures()}}
	result.TaggedByOther = r.owner != "" && r.owner != in.Reference && !r.ownerUnknown &&
		slices.ContainsFunc(in.Changes, func(m exchange.Change) bool { return m.Update != nil || m.Progress != nil })
	if commit {
		for i, m := range in.Changes {
			if r.batchLimit == i {
				break
			}
			result.Results = append(result.Results, r.applyChange(m))
		}
		r.batchLimit = -1
		last := in.Changes[len(in.Changes)-1]
		if rules := r.playbook.playbookFeatures(); rules != nil && rules.Transitions && last.Interest == nil {
			record := r.snapshot()
			result.Record = &record
			result.TaggedByOther = r.owner != "" && r.owner != in.Reference && !r.ownerUnknown
		}
	}
	if instead != nil || err != nil {
		if instead == nil {
			instead = &activities.ApplyResult{}
		}
		return *instead, err
	}
	return result, nil
}

func (r *fakeTMS) applyChange(m exchange.Change) exchange.ChangeResult {
	switch {
	case m.Interest != nil:
		added := exchange.InterestRef{ID: id("OpportunityInterest", len(r.items)+1), Item: opportunity.ID(m.Interest.Item)}
		if m.Interest.Quantity == 13 {
			return exchange.ChangeResult{Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Sold Out", Message: "no places left"}}
		}
		r.items = append(r.items, added)
		r.log = append(r.log, fmt.Sprintf("interest %d", m.Interest.Quantity))
		answered := []exchange.InterestRef{added}
		if r.answersAllInterests {
			answered = append([]exchange.InterestRef(nil), r.items...)
		}
		return exchange.ChangeResult{Status: exchange.StatusDone, Interests: answered}
	case m.Update != nil:
		if m.Update.Name != "" {
			r.details.Name = m.Update.Name
		}
		if m.Update.Currency != "" {
			r.details.Currency = m.Update.Currency
		}
		r.log = append(r.log, "update "+m.Update.Name+m.Update.Currency)
		details := r.details
		return exchange.ChangeResult{Status: exchange.StatusDone, Details: &details}
	case m.Progress != nil:
		for i, s := range steps {
			if (s.Name == m.Progress.To || string(s.ID) == m.Progress.To) && i > 0 && steps[i-1].ID == r.step.ID {
				r.step = s
				r.log = append(r.log, "progress "+s.Name)
				return exchange.ChangeResult{Status: exchange.StatusDone, Step: &s}
			}
		}
		return exchange.ChangeResult{Status: exchange.StatusRejected, Error: &opportunity.Error{
			Type: opportunity.TransitionNotFound, Label: "Transition Not Found", Message: "Transition from step " + string(r.step.ID) + " not found",
		}}
	case m.ReservationChange.Release:
		r.reservation = opportunity.Reservation{}
		r.log = append(r.log, "release")
	case !m.ReservationChange.Until.IsZero():
		r.reservation = opportunity.Reservation{Valid: r.reservation.Valid, Until: m.ReservationChange.Until}
		r.log = append(r.log, "extend until "+m.ReservationChange.Until.Format(time.DateOnly))
	default:
		r.reservation = opportunity.Reservation{Valid: true, Until: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
		r.log = append(r.log, "extend")
	}
	held := r.reservation
	return exchange.ChangeResult{Status: exchange.StatusDone, Reservation: &held}
}

func (r *fakeTMS) readOpportunity(_ context.Context, in activities.ReadInput) (activities.ReadResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.ReadOpportunity)
	r.reads++
	if r.read != nil {
		if err := r.read(r.reads); err != nil {
			return activities.ReadResult{}, err
		}
	}
	if !r.exists {
		return activities.ReadResult{}, temporal.NewNonRetryableApplicationError("no such record", string(opportunity.NotFound), nil)
	}
	// Interests come in pages of two, so that a test fails when code reads only the first page.
	snapshot := r.snapshot()
	from := 0
	if in.After != "" {
		_, _ = fmt.Sscan(in.After, &from)
	}
	to := min(from+2, len(snapshot.Interests))
	if in.ForAdoption {
		snapshot.Changed = r.changed
	}
	out := activities.ReadResult{Record: snapshot, RunID: r.run, PlaybookFeatures: r.playbook.playbookFeatures()}
	switch {
	case in.After != "":
		out.RunID = ""
	case r.ownerUnknown:
		out.TagOwner = activities.TagOwnerUnknown
	case r.owner == "":
		out.TagOwner = activities.TagOwnerNone
	case r.owner == in.Reference:
		out.TagOwner = activities.TagOwnerThis
	default:
		out.TagOwner, out.TaggedByOther = activities.TagOwnerOther, true
	}
	out.Record.Interests = snapshot.Interests[from:to]
	if to < len(snapshot.Interests) {
		out.Next = fmt.Sprint(to)
	}
	return out, nil
}

func (r *fakeTMS) resetResult() activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonReset, RunID: r.run}
}

func (r *fakeTMS) probeAPI(context.Context) (activities.ProbeResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.ProbeAPI)
	return activities.ProbeResult{Answered: r.down == nil}, r.down
}

func (r *fakeTMS) tagOpportunity(ctx context.Context, in activities.TagInput) (activities.CallResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.TagOpportunity)
	r.tagRequests++
	commit, instead, err := true, &activities.CallResult{Status: exchange.StatusDone}, error(nil)
	if r.tag != nil {
		var answer *activities.CallResult
		if commit, answer, err = r.tag(r.tagRequests); answer != nil {
			instead = answer
		}
	}
	if commit {
		if !r.changed.IsZero() {
			r.changed = activity.GetInfo(ctx).ScheduledTime
		}
		r.owner = in.Reference
		r.log = append(r.log, fmt.Sprintf("mark %s of %s", in.Name, in.Reference))
	}
	return *instead, err
}

func (r *fakeTMS) findOpportunity(_ context.Context, in activities.FindInput) (activities.FindResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.FindOpportunity)
	if r.find != nil {
		return activities.FindResult{}, r.find
	}
	out := activities.FindResult{Reference: in.Reference, Region: opportunity.Ref{ID: id("Region", "UK"), Name: "UK"}}
	if in.StartDigest != "" {
		out.Conflict, out.SettleTime = r.conflict, r.settling
	}
	for n := range r.taggedRecords {
		out.Found = append(out.Found, id("Opportunity", 2+n))
	}
	return out, nil
}

func (r *fakeTMS) resolveNames(ctx context.Context, in activities.ResolveInput) (activities.ResolveResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, activities.ResolveNames)
	if r.resolve != nil {
		if err := r.resolve(ctx, in); err != nil {
			return activities.ResolveResult{}, err
		}
	}
	var out activities.ResolveResult
	for _, name := range in.Names {
		one := exchange.ResolvedName{UnresolvedName: name, ID: r.names[name]}
		if one.ID == "" {
			one.Error = opportunity.Failf(opportunity.NotFound, "nothing is called %q", name.Text)
		}
		out.ResolvedNames = append(out.ResolvedNames, one)
	}
	return out, nil
}
