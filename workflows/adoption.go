package workflows

import (
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// adoptionType is the registered name of the child workflow that marks a record.
const adoptionType = "Adoption"

// adoptionInput names the record to mark, and the reference that adopts the record.
type adoptionInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Round counts the adoptions in a row without an answer of the API.
	Round int `json:"round,omitempty"`
	// Changed is when the record was last changed before it carried the mark; zero where that
	// is not known.
	Changed time.Time `json:"changed,omitzero"`
}

// adopted is the result of an adoption.
type adopted struct {
	// Changed is when the record was last changed before the adoption marked it, which is a
	// change, too. It is zero where that is not known.
	Changed time.Time `json:"changed,omitzero"`
	// Settling is how long requests of an earlier run of the reference may still be committed
	// to the record.
	Settling time.Duration `json:"settling,omitempty"`
}

// An adoption waits for another adoption of the same record, longer each time.
const (
	firstMeanwhile = 5 * time.Second
	lastMeanwhile  = 5 * time.Minute
	rivalsToTell   = 4 // after this many waits, attention says so
)

// adopt takes over the record that the start names, or returns why this is not possible. When
// another reference is adopting the same record, adopt waits and returns nil. The caller then calls
// adopt again, and adopt reads whose mark the record carries.
func (r *run) adopt(ctx workflow.Context) error {
	err := r.claim(ctx)
	switch own, known := lifecycle.FromFault(err); {
	case r.state.Closing != nil:
		return nil // the caller looks at Closing itself
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return r.awaitRival(ctx)
	case isAway(err):
		return r.backOff(ctx, activities.Sending{Reason: awayReason(err)})
	case known:
		return own
	case err != nil && ctx.Err() == nil && childEnded(err) && since(ctx, changeProof):
		return wait(ctx, firstMeanwhile, "somebody ended the adoption: begin it again")
	case err != nil:
		return err
	}
	record, err := r.readAdopted(ctx, r.state.Start.Adopt)
	if err != nil {
		return unreadable(err)
	}
	if !r.changed.IsZero() {
		record.Changed = r.changed
	}
	if r.wasReset() {
		r.state.Known(record, record.Details.Region, workflow.Now(ctx))
		r.accountForReset(ctx, "")
		return nil
	}
	if r.state.Start.Name == "" {
		r.state.TakenOver(record, record.Details.Region, workflow.Now(ctx))
		return nil
	}
	// An operator confirmed that the record was created.
	if err := r.learnNames(ctx, r.state.Start.Mutations()); err != nil {
		return unreadable(err)
	}
	r.state.Adopted(record, record.Details.Region, r.itemIDs(), workflow.Now(ctx))
	return nil
}

// awaitRival waits for another reference that is about to adopt the same record.
func (r *run) awaitRival(ctx workflow.Context) error {
	const why = "another reference is about to adopt the record"
	r.rivals++
	if r.rivals >= rivalsToTell && since(ctx, changeOutages) {
		out := outage{word: opportunity.AttentionAPI, text: why + ", and does not come to an end"}
		r.waitFor(ctx, out, "", time.Time{})
		r.attend(ctx, out, "")
		r.show(ctx)
	}
	return wait(ctx, min(firstMeanwhile<<min(r.rivals-1, 10), lastMeanwhile), why)
}

// awayType is the type of the error of an adoption that had no answer of the API; its details hold
// the reason.
const awayType = "Away"

// away ends an adoption that had no answer; the workflow that needs the adoption waits, and shows
// the reason. The next adoption gets what this one knows of the last change.
func away(reason activities.Reason, known adopted) error {
	details := []any{reason}
	if known != (adopted{}) {
		details = append(details, known)
	}
	return temporal.NewApplicationErrorWithOptions("the API did not answer: "+string(reason), awayType,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: details})
}

func isAway(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.Type() == awayType
}

// awayReason returns the reason in the error of an adoption.
func awayReason(err error) activities.Reason {
	var application *temporal.ApplicationError
	reason := activities.ReasonUnreachable
	if errors.As(err, &application) {
		_ = application.Details(&reason) // without details, reason keeps its value
	}
	return reason
}

// awayKnown returns what the adoption with the error knows of the last change.
func awayKnown(err error) adopted {
	var application *temporal.ApplicationError
	var reason activities.Reason
	var known adopted
	if !errors.As(err, &application) || application.Details(&reason, &known) != nil {
		return adopted{}
	}
	return known
}

// childEnded reports whether the adoption was ended from outside, so that it is unknown whether the
// record was marked.
func childEnded(err error) bool {
	var terminated *temporal.TerminatedError
	var timeout *temporal.TimeoutError
	return errors.As(err, &terminated) || errors.As(err, &timeout) || temporal.IsCanceledError(err)
}

// claim runs the adoption as a child workflow. The child's workflow id is made of the record's id,
// and only one workflow of an id runs at a time. So two references never both find the record
// without a mark. claim keeps when the record was last changed before it was marked.
func (r *run) claim(ctx workflow.Context) error {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	id := r.state.Start.Adopt
	future := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            "adoption/" + string(id),
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation:   true,
		StaticSummary:         "mark the record as that of one reference",
	}), adoptionType, adoptionInput{Reference: r.state.Reference, Opportunity: id, Round: r.setbacks, Changed: r.changed})
	if err := workflow.Await(ctx, func() bool { return future.IsReady() || r.state.Closing != nil }); err != nil {
		return err
	}
	if r.state.Closing != nil {
		stop()
	}
	var known adopted
	err := future.Get(ctx, &known)
	if isAway(err) {
		known = awayKnown(err)
	}
	if !known.Changed.IsZero() {
		r.changed = known.Changed
	}
	if err != nil {
		return err
	}
	return r.settleEarlier(ctx, known.Settling)
}

// readAdopted reads the record that is taken over, with the time of its last change where the worker
// counts follow-ups from that time.
func (r *run) readAdopted(ctx workflow.Context, id opportunity.ID) (opportunity.Snapshot, error) {
	first := activities.ReadInput{Reference: r.state.Reference, Opportunity: id, Adopts: true}
	return r.readPagesOf(ctx, first, func(input activities.ReadInput) (activities.ReadResult, error) {
		l := look{activity: activities.ReadOpportunity, input: input, options: activities.ToRead("read the record that is taken over")}
		return lookFor(ctx, r, l, func(page activities.ReadResult) bool { return page.Proves(input) })
	})
}

// unreadable returns the reason why the record cannot be taken over: the record cannot be read.
func unreadable(err error) error {
	var application *temporal.ApplicationError
	if !errors.As(err, &application) {
		return err // cancelled
	}
	typ := opportunity.Rejected
	if application.Type() == string(opportunity.NotFound) {
		typ = opportunity.NotFound
	}
	return opportunity.Failf(typ, "adopt: %s", application.Message())
}

// adoption makes sure that the record carries the reference's mark. It returns a Conflict when the
// record carries the mark of another reference.
func (o Options) adoption(ctx workflow.Context, in adoptionInput) (adopted, error) {
	r := &run{options: o, root: ctx, state: &opportunity.State{Reference: in.Reference}}
	r.state.ID = in.Opportunity
	tried := false // the mark may be under way, which changes the record
	for marked, setbacks := 0, 0; ; {
		options := activities.ToRead("read whose mark the record carries")
		asked := activities.ReadInput{Reference: in.Reference, Opportunity: in.Opportunity, Adopts: true}
		if parent := workflow.GetInfo(ctx).ParentWorkflowExecution; parent != nil && !tried && in.Round == 0 {
			asked.Workflow, asked.Run = parent.ID, parent.RunID
		}
		page, err := ask(ctx, r, look{activity: activities.ReadOpportunity, input: asked, options: options},
			func(page activities.ReadResult) bool { return page.Proves(asked) }, in.Round)
		switch {
		case unanswered(err):
			return adopted{}, away(outageOf(err).reason, adopted{Changed: in.Changed})
		case err != nil:
			return adopted{}, lifecycle.Fault(unreadable(err))
		case page.Owner == activities.OwnerOther:
			return adopted{}, lifecycle.Fault(opportunity.Failf(opportunity.Conflict,
				"adopt: the record carries the mark of another reference; send messages to that one, or remove the mark in the TMS"))
		case page.Owner != activities.OwnerNobody:
			return adopted{Changed: in.Changed, Settling: page.Settling}, nil
		case marked > 2:
			return adopted{}, lifecycle.Fault(opportunity.Failf(opportunity.Rejected, "adopt: the API took the reference's mark, but the record does not carry it"))
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return adopted{}, workflow.NewContinueAsNewError(ctx, adoptionType, in)
		}
		if changed := page.Record.Changed; !tried && !changed.IsZero() {
			in.Changed = changed
		}
		sending := r.mark(ctx, page.Record.Details.Name)
		tried = tried || sending.Fate != opportunity.FateNotSent
		switch sending.Fate {
		case opportunity.FateDone:
			marked++
		case opportunity.FateRejected:
			return adopted{}, lifecycle.Fault(sending.Error)
		case opportunity.FateUnknown:
			err = r.settle(ctx, sending.Reason)
		case opportunity.FateNotSent:
			setbacks++
			if setbacks >= tellAfter && since(ctx, changeOutages) {
				return adopted{}, away(sending.Reason, adopted{Changed: in.Changed})
			}
			err = wait(ctx, pauseBefore(setbacks, sending, in.Reference), "wait before sending again: "+string(sending.Reason))
		}
		if err != nil {
			return adopted{}, err
		}
	}
}

// mark sends one request that puts the mark on the record.
func (r *run) mark(ctx workflow.Context, name string) activities.Sending {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	ctx = workflow.WithActivityOptions(ctx, r.toChange("mark the record as that of this reference"))
	input := activities.MarkInput{Reference: r.state.Reference, Opportunity: r.state.ID, Name: name}
	if parent := workflow.GetInfo(ctx).ParentWorkflowExecution; parent != nil {
		input.Workflow, input.Run = parent.ID, parent.RunID
	}
	return change(ctx, r, activities.MarkOpportunity, input, func(sending activities.Sending) bool { return sending.Proves(input) },
		func(s activities.Sending) activities.Sending { return s })
}
