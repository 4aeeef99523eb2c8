package workflows

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *run) applyNext(ctx workflow.Context) {
	if now := workflow.Now(ctx); r.state.HasExpiredCommands(now) && !r.mayBeRedelivered(ctx) {
		r.state.FailExpiredCommands(now)
	}
	if batch := r.state.NextBatch(); len(batch) > 0 && !r.isPossiblyApplied(ctx, batch) {
		r.sendBatch(ctx, batch)
	}
	r.state.ApplyFinalState(workflow.Now(ctx)) // so that one history event contains all search attributes
	r.publish(ctx)
}

// isPossiblyApplied reports whether a change of the batch may have been made before Temporal's
// database was restored. If a change may have been made, isPossiblyApplied raises a question for an
// operator.
func (r *run) isPossiblyApplied(ctx workflow.Context, batch []exchange.Change) bool {
	if len(r.state.InterestsAfterBackup) == 0 || r.ensureNamesResolved(ctx, batch) != nil {
		return false
	}
	return r.state.FlagPossibleRepeats(batch, r.resolvedIDs(), workflow.Now(ctx))
}

// sendBatch sends a batch to the API once, and updates the state with the result. Changes with the
// change status "not sent" stay in the queue.
func (r *run) sendBatch(ctx workflow.Context, batch []exchange.Change) {
	result := r.sendChanges(ctx, batch)
	switch result.Status {
	case exchange.StatusDone:
		r.resetBackOff()
		r.state.SetPlaybook(result.PlaybookFeatures, workflow.Now(ctx))
		answers, reason := provenResults(ctx, batch, result.Results)
		answers = r.state.VerifyResults(batch, answers)
		r.recordResults(ctx, batch, answers, reason)
		r.state.ConfirmRecord(result.Record, answers, workflow.Now(ctx))
		r.askIfTaggedByOther(ctx, result.TaggedByOther)
		r.handleServerErrors(ctx, batch, result.CallResult)
	case exchange.StatusRejected:
		r.resetBackOff()
		r.state.ApplyRejectedRequest(batch, result.Error, workflow.Now(ctx))
	case exchange.StatusUnknown:
		answers := r.state.VerifyResults(batch, nil)
		r.recordResults(ctx, batch, answers, result.Reason)
		r.state.ConfirmRecord(nil, answers, workflow.Now(ctx))
		r.handleServerErrors(ctx, batch, result.CallResult)
	case exchange.StatusNotSent:
		switch result.Reason {
		case activities.ReasonUnresolvedNames:
			r.resolveBatchNames(ctx, batch, result.MissingNames)
		case activities.ReasonReset:
			r.actualRunID = result.RunID
			r.readBackAfterReset(ctx, r.state.Step.ID)
		case activities.ReasonTransitionUnplanned:
			r.handleUnplanned(ctx, batch, result.CallResult)
		default:
			_ = r.backOff(ctx, result.CallResult)
		}
	}
}

// handleUnplanned handles a batch that the worker did not send because the batch contains a
// transition whose effects the run has not planned.
func (r *run) handleUnplanned(ctx workflow.Context, batch []exchange.Change, sending activities.CallResult) {
	if r.state.SetPlaybook(sending.PlaybookFeatures, workflow.Now(ctx)); r.state.Playbook.Transitions && r.state.HasUnplannedTransition(batch) {
		return
	}
	_ = r.backOff(ctx, activities.CallResult{Reason: activities.ReasonPlaybookUnavailable})
}

func (r *run) sendChanges(ctx workflow.Context, batch []exchange.Change) activities.ApplyResult {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	var names []exchange.UnresolvedName
	for _, m := range batch {
		names = append(names, m.Names()...)
	}
	input := activities.ApplyInput{Reference: r.state.Reference, Opportunity: r.state.ID, Changes: batch, ResolvedNames: r.cachedNames(names), RunID: r.believedRunID}
	input.TransitionUnplanned, input.HasReservation = r.state.HasUnplannedTransition(batch), r.state.HasReservation()
	ctx = workflow.WithActivityOptions(ctx, r.changeOptions(batchSummary(batch)))
	return executeChange(ctx, r, activities.ApplyCommands, input, func(result activities.ApplyResult) bool { return result.Proves(input) },
		func(s activities.CallResult) activities.ApplyResult { return activities.ApplyResult{CallResult: s} })
}

// recordResults reads back the changes whose results are unknown, and then updates the state with
// all results.
func (r *run) recordResults(ctx workflow.Context, batch []exchange.Change, answers []exchange.ChangeResult, reason activities.Reason) {
	if slices.ContainsFunc(answers, isUnknown) {
		answers = r.readBack(ctx, batch, answers, reason)
	}
	r.state.ApplyResults(batch, answers, func() bool { return hasChange(ctx, changePlacesPerEvent) }, workflow.Now(ctx))
	if r.hasUnhandledReset() {
		r.readBackAfterReset(ctx, r.state.Step.ID)
	}
}

func isUnknown(a exchange.ChangeResult) bool { return a.Status == exchange.StatusUnknown }

// readBack waits until the API can no longer commit a request of the batch, and then reads the
// record. From the record, readBack decides which unknown changes of the batch were made.
func (r *run) readBack(ctx workflow.Context, batch []exchange.Change, answers []exchange.ChangeResult, reason activities.Reason) []exchange.ChangeResult {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	if err := r.waitSettleTime(ctx, reason); err != nil {
		return answers
	}
	if err := r.ensureNamesResolved(ctx, batch); err != nil {
		return answers
	}
	record, err := r.readRecord(ctx, r.state.ID, activities.ReadBackOptions("read back: "+batchSummary(batch)))
	if err != nil {
		return answers // the record cannot be read, so the unknown changes become questions
	}
	if r.hasUnhandledReset() {
		return requeueUnknown(answers)
	}
	decided := r.state.ReadBack(batch, answers, record, r.resolvedIDs(), func() bool { return hasChange(ctx, changeReadBackRejected) })
	if slices.ContainsFunc(decided, isUnknown) {
		r.state.MarkUnattributed(record)
	}
	return decided
}

// readRecord reads the record with all its interests, and repeats the read until the API responds.
func (r *run) readRecord(ctx workflow.Context, id opportunity.ID, options workflow.ActivityOptions) (exchange.Snapshot, error) {
	return r.readPages(ctx, id, func(input activities.ReadInput) (activities.ReadResult, error) {
		l := apiRead{activity: activities.ReadOpportunity, input: input, options: options}
		return readUntilAnswered(ctx, r, l, func(page activities.ReadResult) bool { return page.Proves(input) })
	})
}

// readRecordOnce reads the record like readRecord, but makes only one round for each page of
// interests.
func (r *run) readRecordOnce(ctx workflow.Context, id opportunity.ID, options workflow.ActivityOptions, round int) (exchange.Snapshot, error) {
	return r.readPages(ctx, id, func(input activities.ReadInput) (activities.ReadResult, error) {
		l := apiRead{activity: activities.ReadOpportunity, input: input, options: options, attentionKey: "refresh"}
		return readOneRound(ctx, r, l, func(page activities.ReadResult) bool { return page.Proves(input) }, round)
	})
}

func (r *run) readPages(ctx workflow.Context, id opportunity.ID, read func(activities.ReadInput) (activities.ReadResult, error)) (exchange.Snapshot, error) {
	return r.readPagesFrom(ctx, activities.ReadInput{Reference: r.state.Reference, Opportunity: id}, read)
}

func (r *run) readPagesFrom(ctx workflow.Context, input activities.ReadInput, read func(activities.ReadInput) (activities.ReadResult, error)) (exchange.Snapshot, error) {
	page, err := read(input)
	if err != nil {
		return exchange.Snapshot{}, err
	}
	r.actualRunID, r.tagOwner = page.RunID, page.TagOwner
	if input.Opportunity == r.state.ID && r.askIfTaggedByOther(ctx, page.TaggedByOther) {
		return exchange.Snapshot{}, errTaggedByOther
	}
	if page.TagOwner == activities.TagOwnerThis || page.TagOwner == activities.TagOwnerNone {
		r.state.EndRecordQuestion(workflow.Now(ctx))
	}
	r.state.SetPlaybook(page.PlaybookFeatures, workflow.Now(ctx))
	record := page.Record
	for page.Next != "" {
		input.After = page.Next
		if page, err = read(input); err != nil {
			return exchange.Snapshot{}, err
		}
		record.Interests = append(record.Interests, page.Record.Interests...)
	}
	return record, nil
}

var errTaggedByOther = temporal.NewNonRetryableApplicationError("the record has the reference tag of another reference", string(opportunity.Conflict), nil)

// askIfTaggedByOther raises a question for an operator when a response of the API shows the
// reference tag of another reference on the record. askIfTaggedByOther reports whether the run must
// discard the response.
func (r *run) askIfTaggedByOther(ctx workflow.Context, found bool) bool {
	if !found {
		return false
	}
	switch workflow.GetVersion(ctx, changeTaggedByOther, workflow.DefaultVersion, 2) {
	case workflow.DefaultVersion:
		return false
	case 1:
		r.state.PauseForOtherReference(workflow.Now(ctx))
	default:
		if !r.state.AskAboutRecord(workflow.Now(ctx)) {
			return false
		}
	}
	workflow.GetLogger(ctx).Warn("the record has the reference tag of another reference: Oppflow sends nothing until an operator answers", "opportunity", r.state.ID)
	r.publish(ctx)
	return true
}

// waitSettleTime waits until the API can no longer commit a request whose response is missing.
func (r *run) waitSettleTime(ctx workflow.Context, reason activities.Reason) error {
	d := r.options.Times.Settle()
	if reason == activities.ReasonAttemptNotEnded {
		d = r.options.Times.SettleAfterStart()
	}
	if hasChange(ctx, changeOutages) {
		until := workflow.Now(ctx).Add(d)
		r.setWait(ctx, outage{kind: opportunity.AttentionAPI, text: "the response to a request was lost; Oppflow reads the record to see whether the API made the change"}, "", until)
		r.publish(ctx)
	}
	return wait(ctx, d, "wait for the settle time before reading the record back")
}

// If a name of a request matches no object or several objects, this request fails. After a server
// error during the look-up, the run sends the requests of the batch one by one. The run parks the
// request whose look-up keeps failing, so only this request is delayed.
func (r *run) resolveBatchNames(ctx workflow.Context, batch []exchange.Change, missing []exchange.UnresolvedName) {
	for round := 0; ; round++ {
		failed, err := r.resolveNamesOnce(ctx, missing, round)
		switch {
		case err == nil:
			r.state.FailNames(batch, failed, workflow.Now(ctx))
			return
		case !isUnanswered(err) || r.isPastGiveUp(ctx): // cancelled
			return
		case outageFromError(err).reason == activities.ReasonServerErrors && hasChange(ctx, changeSkipFailingNames):
			r.handleServerErrors(ctx, batch, activities.CallResult{ServerError: true})
			return
		}
	}
}

// ensureNamesResolved looks up the names of a batch that this run has not looked up. Reading back
// compares ids. This run may not know an id, because a worker that has the name in its cache sends
// the change without returning the id.
func (r *run) ensureNamesResolved(ctx workflow.Context, batch []exchange.Change) error {
	_, err := r.resolveMissing(ctx, batch)
	return err
}

// resolveMissing looks up the names of a batch that this run has not looked up. resolveMissing
// returns the names that match no object or several objects.
func (r *run) resolveMissing(ctx workflow.Context, batch []exchange.Change) (map[exchange.UnresolvedName]*opportunity.Error, error) {
	var missing []exchange.UnresolvedName
	for _, m := range batch {
		for _, name := range m.Names() {
			if _, known := r.resolvedNames[name]; !known && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return r.resolveNames(ctx, missing)
}

// resolveNames repeats the look-up of the names until the API responds, and caches the results for
// this run.
func (r *run) resolveNames(ctx workflow.Context, names []exchange.UnresolvedName) (map[exchange.UnresolvedName]*opportunity.Error, error) {
	for round := 0; ; round++ {
		failed, err := r.resolveNamesOnce(ctx, names, round)
		if err == nil || !isUnanswered(err) || r.isPastGiveUp(ctx) {
			return failed, err
		}
	}
}

// resolveNamesOnce looks up the names in one round, without a repetition.
func (r *run) resolveNamesOnce(ctx workflow.Context, names []exchange.UnresolvedName, round int) (map[exchange.UnresolvedName]*opportunity.Error, error) {
	input := activities.ResolveInput{Names: names}
	l := apiRead{activity: activities.ResolveNames, input: input, options: activities.ReadOptions("resolve names to ids")}
	result, err := readOneRound(ctx, r, l, func(result activities.ResolveResult) bool { return result.Proves(input) }, round)
	if err != nil {
		return nil, err
	}
	failed := make(map[exchange.UnresolvedName]*opportunity.Error)
	for _, one := range result.ResolvedNames {
		if one.Error != nil {
			failed[one.UnresolvedName] = one.Error
			continue
		}
		r.resolvedNames[one.UnresolvedName] = one
	}
	return failed, nil
}

func (r *run) cachedNames(names []exchange.UnresolvedName) []exchange.ResolvedName {
	var known []exchange.ResolvedName
	for _, name := range names {
		if one, ok := r.resolvedNames[name]; ok && !slices.Contains(known, one) {
			known = append(known, one)
		}
	}
	return known
}

func (r *run) resolvedIDs() map[exchange.UnresolvedName]opportunity.ID {
	ids := make(map[exchange.UnresolvedName]opportunity.ID, len(r.resolvedNames))
	//workflowcheck:ignore the code copies a map into a map, so the order has no effect
	for name, one := range r.resolvedNames {
		ids[name] = one.ID
	}
	return ids
}

// The run raises attention after attentionAfter consecutive unsent requests, or when no request
// could be sent for attentionWithin. After probeAfter consecutive unsent requests, the run starts
// one activity that waits until the API responds.
const (
	firstPause      = time.Second
	longestPause    = time.Minute
	attentionAfter  = 5
	attentionWithin = 20 * time.Second
	probeAfter      = 6
)

// The operator commands refresh and close end the back-off early. backOff returns an error only
// after a cancellation, for which the callers check the context.
func (r *run) backOff(ctx workflow.Context, sending activities.CallResult) error {
	r.failures++
	if !hasChange(ctx, changeOutages) {
		if r.failures >= attentionAfter {
			r.state.RaiseAttention(opportunity.AttentionAPI, "", outageForReason(sending.Reason).text, workflow.Now(ctx))
			r.publish(ctx)
		}
		return r.waitBackOff(ctx, sending)
	}
	out := outageForReason(sending.Reason)
	r.setWait(ctx, out, "", time.Time{})
	if since := r.state.Wait.Since; r.failures >= attentionAfter || workflow.Now(ctx).Sub(since) >= attentionWithin {
		r.raiseAttention(ctx, out, "")
		r.publish(ctx)
	}
	switch {
	case sending.Reason == activities.ReasonNoWorker: // the request has waited for long enough
		r.withoutWorker++
		return ctx.Err()
	case r.failures > probeAfter && (sending.Reason == activities.ReasonUnreachable || sending.Reason == activities.ReasonAuthentication):
		begun := workflow.Now(ctx)
		if err := r.awaitAPI(ctx); err != nil || r.isBackOffCut() || workflow.Now(ctx).Sub(begun) >= longestPause {
			return err
		}
		// The API responds now, but the run's last request was not sent, so the run still waits
		// until the back-off ends.
	}
	return r.waitBackOff(ctx, sending)
}

func (r *run) waitBackOff(ctx workflow.Context, sending activities.CallResult) error {
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      backOffBefore(r.failures, sending, r.state.Reference),
		TimerOptions: workflow.TimerOptions{Summary: "wait before sending again: " + outageForReason(sending.Reason).text},
	}, r.isBackOffCut)
	return err
}

func (r *run) isBackOffCut() bool {
	return !r.stopping && (r.state.Closing != nil || r.state.RefreshDue)
}

// awaitAPI waits in one activity, which the server repeats, until the API returns any response.
func (r *run) awaitAPI(ctx workflow.Context) error {
	asking, stop := workflow.WithCancel(ctx)
	defer stop()
	answered := false
	workflow.GoNamed(asking, "await the API", func(ctx workflow.Context) {
		// The result is ignored, because a rejection is also a response of the API.
		_, _ = readUntilAnswered(ctx, r, apiRead{activity: activities.ProbeAPI, options: activities.ReadOptions("wait until the API responds"), isProbe: true},
			func(result activities.ProbeResult) bool { return result.Answered })
		answered = true
	})
	return workflow.Await(ctx, func() bool { return answered || r.isBackOffCut() })
}

// backOffBefore returns how long the run waits after the given number of consecutive failures. The
// back-off is between half of a maximum and the whole maximum, and the maximum doubles with each
// failure. The back-off differs between opportunities, so that not all opportunities send at the
// same time. The back-off is never shorter than the time for which the API asks the client to wait.
func backOffBefore(setbacks int, sending activities.CallResult, reference opportunity.Reference) time.Duration {
	pause := min(firstPause<<min(setbacks-1, 10), longestPause)
	spread := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s %d", reference, setbacks))
	half := pause / 2
	return sending.RetryAfter + half + half*time.Duration(spread>>16)/(1<<16)
}

func (r *run) resetBackOff() {
	r.failures, r.withoutWorker = 0, 0
	r.state.ClearAttention(opportunity.AttentionAPI)
	r.state.EndWait("")
}

// batchSummary describes a batch in a few words, without personal data.
func batchSummary(batch []exchange.Change) string {
	interests := 0
	var parts []string
	for _, m := range batch {
		switch {
		case m.Interest != nil:
			interests++
		case m.Update != nil:
			parts = append(parts, opportunity.Summary(*m.Update))
		case m.Progress != nil:
			parts = append(parts, opportunity.Summary(*m.Progress))
		case m.ReservationChange != nil && m.ReservationChange.Release:
			parts = append(parts, "release the places")
		case m.ReservationChange != nil:
			parts = append(parts, "reserve the places")
		}
	}
	switch {
	case interests == 1:
		parts = slices.Insert(parts, 0, "add 1 interest")
	case interests > 1:
		parts = slices.Insert(parts, 0, fmt.Sprintf("add %d interests", interests))
	}
	if len(parts) > 4 {
		parts = append(parts[:3], fmt.Sprintf("%d more", len(parts)-3))
	}
	return strings.Join(parts, ", ")
}
