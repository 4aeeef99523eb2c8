package workflows

import (
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// adoptionType is the registered name of the child workflow that puts the reference tag on a
// record.
const adoptionType = "Adoption"

type adoptionInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Round counts the consecutive adoptions in which the API did not respond.
	Round int `json:"round,omitempty"`
	// LastChange is when the record was last changed before the adoption tagged the record, or zero
	// when this time is unknown.
	LastChange time.Time `json:"changed,omitzero"`
}

type adoptionResult struct {
	LastChange time.Time `json:"changed,omitzero"`
	// SettleTime is how long the API may still commit requests of an earlier run of the same
	// reference.
	SettleTime time.Duration `json:"settling,omitempty"`
}

// The run waits while a run of a different reference adopts the same record.
const (
	firstAdoptionWait            = 5 * time.Second
	longestAdoptionWait          = 5 * time.Minute
	adoptionWaitsBeforeAttention = 4 // after this many waits, the run raises attention
)

// adopt takes over the record that the start names, or returns why the adoption is not possible.
// When a run of a different reference is adopting the same record, adopt waits and returns nil.
func (r *run) adopt(ctx workflow.Context) error {
	err := r.runAdoption(ctx)
	switch own, known := lifecycle.FromTemporalError(err); {
	case r.state.Closing != nil:
		return nil // the caller checks Closing
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		return r.awaitOtherAdoption(ctx)
	case isNoAnswer(err):
		return r.backOff(ctx, activities.CallResult{Reason: noAnswerReason(err)})
	case known:
		return own
	case err != nil && ctx.Err() == nil && isEndedFromOutside(err) && hasChange(ctx, changeProof):
		return wait(ctx, firstAdoptionWait, "wait before the next attempt to adopt the record, because somebody ended the workflow that adopted the record")
	case err != nil:
		return err
	}
	record, err := r.readAdoptedRecord(ctx, r.state.Start.Adopt)
	if err != nil {
		return adoptReadError(err)
	}
	if !r.adoptedLastChange.IsZero() {
		record.Changed = r.adoptedLastChange
	}
	if r.hasUnhandledReset() {
		r.state.AdoptAfterReset(record, record.Details.Region, workflow.Now(ctx))
		r.readBackAfterReset(ctx, "")
		return nil
	}
	if r.state.Start.Name == "" {
		r.state.Adopt(record, record.Details.Region, workflow.Now(ctx))
		return nil
	}
	// The start contains a name, so an operator confirmed that an earlier request created the
	// record.
	if err := r.ensureNamesResolved(ctx, exchange.StartChanges(*r.state.Start)); err != nil {
		return adoptReadError(err)
	}
	r.state.AdoptFound(record, record.Details.Region, r.resolvedIDs(), workflow.Now(ctx))
	return nil
}

func (r *run) awaitOtherAdoption(ctx workflow.Context) error {
	const why = "another reference is adopting the record"
	r.adoptionWaits++
	if r.adoptionWaits >= adoptionWaitsBeforeAttention && hasChange(ctx, changeOutages) {
		out := outage{kind: opportunity.AttentionAPI, text: why + ", and the adoption by the other reference does not end"}
		r.setWait(ctx, out, "", time.Time{})
		r.raiseAttention(ctx, out, "")
		r.publish(ctx)
	}
	return wait(ctx, min(firstAdoptionWait<<min(r.adoptionWaits-1, 10), longestAdoptionWait), why)
}

// noAnswerType is the error type of an adoption that ended because the API did not respond.
const noAnswerType = "Away"

// noAnswerError returns the error that ends an adoption in which the API did not respond. The
// parameter known contains the time of the record's last change, for the next adoption.
func noAnswerError(reason activities.Reason, known adoptionResult) error {
	details := []any{reason}
	if known != (adoptionResult{}) {
		details = append(details, known)
	}
	return temporal.NewApplicationErrorWithOptions("the API did not respond: "+string(reason), noAnswerType,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: details})
}

func isNoAnswer(err error) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.Type() == noAnswerType
}

func noAnswerReason(err error) activities.Reason {
	var application *temporal.ApplicationError
	reason := activities.ReasonUnreachable
	if errors.As(err, &application) {
		_ = application.Details(&reason) // without details, reason keeps its value
	}
	return reason
}

func noAnswerResult(err error) adoptionResult {
	var application *temporal.ApplicationError
	var reason activities.Reason
	var known adoptionResult
	if !errors.As(err, &application) || application.Details(&reason, &known) != nil {
		return adoptionResult{}
	}
	return known
}

// isEndedFromOutside reports whether the child workflow of the adoption was cancelled or
// terminated, or reached a time-out. In each of these cases it is unknown whether the record was
// tagged.
func isEndedFromOutside(err error) bool {
	var terminated *temporal.TerminatedError
	var timeout *temporal.TimeoutError
	return errors.As(err, &terminated) || errors.As(err, &timeout) || temporal.IsCanceledError(err)
}

// runAdoption runs the adoption as a child workflow. The child's workflow id contains the record's
// id, and Temporal runs only one workflow with an id at a time. Therefore at most one of two
// references finds the record without a reference tag.
func (r *run) runAdoption(ctx workflow.Context) error {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	id := r.state.Start.Adopt
	future := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            "adoption/" + string(id),
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation:   true,
		StaticSummary:         "write the reference tag to the record",
	}), adoptionType, adoptionInput{Reference: r.state.Reference, Opportunity: id, Round: r.failures, LastChange: r.adoptedLastChange})
	if err := workflow.Await(ctx, func() bool { return future.IsReady() || r.state.Closing != nil }); err != nil {
		return err
	}
	if r.state.Closing != nil {
		stop()
	}
	var known adoptionResult
	err := future.Get(ctx, &known)
	if isNoAnswer(err) {
		known = noAnswerResult(err)
	}
	if !known.LastChange.IsZero() {
		r.adoptedLastChange = known.LastChange
	}
	if err != nil {
		return err
	}
	return r.waitForEarlierRuns(ctx, known.SettleTime)
}

// readAdoptedRecord reads the adopted record.
func (r *run) readAdoptedRecord(ctx workflow.Context, id opportunity.ID) (exchange.Snapshot, error) {
	first := activities.ReadInput{Reference: r.state.Reference, Opportunity: id, ForAdoption: true}
	return r.readPagesFrom(ctx, first, func(input activities.ReadInput) (activities.ReadResult, error) {
		l := apiRead{activity: activities.ReadOpportunity, input: input, options: activities.ReadOptions("read the record before its adoption")}
		return readUntilAnswered(ctx, r, l, func(page activities.ReadResult) bool { return page.Proves(input) })
	})
}

func adoptReadError(err error) error {
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

// adoptionWorkflow makes sure that the record has the reference tag. adoptionWorkflow returns a
// Conflict when the record has the reference tag of another reference.
func (o Options) adoptionWorkflow(ctx workflow.Context, in adoptionInput) (adoptionResult, error) {
	r := &run{options: o, rootContext: ctx, state: &entity.State{Reference: in.Reference}}
	r.state.ID = in.Opportunity
	tried := false // whether a request for the tag may have been sent; the request changes the record
	for marked, setbacks := 0, 0; ; {
		options := activities.ReadOptions("read which reference tag the record has")
		asked := activities.ReadInput{Reference: in.Reference, Opportunity: in.Opportunity, ForAdoption: true}
		if parent := workflow.GetInfo(ctx).ParentWorkflowExecution; parent != nil && !tried && in.Round == 0 {
			asked.WorkflowID, asked.RunID = parent.ID, parent.RunID
		}
		page, err := readProven(ctx, r, apiRead{activity: activities.ReadOpportunity, input: asked, options: options},
			func(page activities.ReadResult) bool { return page.Proves(asked) }, in.Round)
		switch {
		case isUnanswered(err):
			return adoptionResult{}, noAnswerError(outageFromError(err).reason, adoptionResult{LastChange: in.LastChange})
		case err != nil:
			return adoptionResult{}, lifecycle.ToTemporalError(adoptReadError(err))
		case page.TagOwner == activities.TagOwnerOther:
			return adoptionResult{}, lifecycle.ToTemporalError(opportunity.Failf(opportunity.Conflict,
				"adopt: the record has the reference tag of another reference; send the messages to that reference, or remove the tag in the TMS"))
		case page.TagOwner != activities.TagOwnerNone:
			return adoptionResult{LastChange: in.LastChange, SettleTime: page.SettleTime}, nil
		case marked > 2:
			return adoptionResult{}, lifecycle.ToTemporalError(opportunity.Failf(opportunity.Rejected, "adopt: the API accepted the reference tag, but the record does not have the reference tag"))
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return adoptionResult{}, workflow.NewContinueAsNewError(ctx, adoptionType, in)
		}
		if changed := page.Record.Changed; !tried && !changed.IsZero() {
			in.LastChange = changed
		}
		sending := r.tagRecord(ctx, page.Record.Details.Name)
		tried = tried || sending.Status != exchange.StatusNotSent
		switch sending.Status {
		case exchange.StatusDone:
			marked++
		case exchange.StatusRejected:
			return adoptionResult{}, lifecycle.ToTemporalError(sending.Error)
		case exchange.StatusUnknown:
			err = r.waitSettleTime(ctx, sending.Reason)
		case exchange.StatusNotSent:
			setbacks++
			if setbacks >= attentionAfter && hasChange(ctx, changeOutages) {
				return adoptionResult{}, noAnswerError(sending.Reason, adoptionResult{LastChange: in.LastChange})
			}
			err = wait(ctx, backOffBefore(setbacks, sending, in.Reference), "wait before sending again: "+outageForReason(sending.Reason).text)
		}
		if err != nil {
			return adoptionResult{}, err
		}
	}
}

func (r *run) tagRecord(ctx workflow.Context, name string) activities.CallResult {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	ctx = workflow.WithActivityOptions(ctx, r.changeOptions("write the reference tag to the record"))
	input := activities.TagInput{Reference: r.state.Reference, Opportunity: r.state.ID, Name: name}
	if parent := workflow.GetInfo(ctx).ParentWorkflowExecution; parent != nil {
		input.WorkflowID, input.RunID = parent.ID, parent.RunID
	}
	return executeChange(ctx, r, activities.TagOpportunity, input, func(sending activities.CallResult) bool { return sending.Proves(input) },
		func(s activities.CallResult) activities.CallResult { return s })
}
