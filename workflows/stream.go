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
	"github.com/oppflow/oppflow/opportunity"
)

// applyNext sends the next request and handles its result.
func (r *run) applyNext(ctx workflow.Context) {
	if now := workflow.Now(ctx); r.state.WillLapse(now) && !r.readmits(ctx) {
		r.state.Lapse(now)
	}
	if batch := r.state.NextBatch(); len(batch) > 0 && !r.suspects(ctx, batch) {
		r.send(ctx, batch)
	}
	r.show(ctx)
}

// suspects reports whether a change of the batch may have been made before Temporal's database was
// restored; such a change becomes a question.
func (r *run) suspects(ctx workflow.Context, batch []opportunity.Mutation) bool {
	if len(r.state.Unclaimed) == 0 || r.learnNames(ctx, batch) != nil {
		return false
	}
	return r.state.Suspect(batch, r.itemIDs(), workflow.Now(ctx))
}

// send sends a batch to the API, once, and updates the state with the result. Changes that are
// proven not sent stay in the queue.
func (r *run) send(ctx workflow.Context, batch []opportunity.Mutation) {
	result := r.apply(ctx, batch)
	switch result.Fate {
	case opportunity.FateDone:
		r.recovered()
		r.state.Ruled(result.Rules, workflow.Now(ctx))
		answers, reason := proven(ctx, batch, result.Answers)
		r.settleBatch(ctx, batch, r.state.Review(batch, answers), reason)
		r.heedErrors(ctx, batch, result.Sending)
	case opportunity.FateRejected:
		r.recovered()
		r.state.Refused(batch, result.Error, workflow.Now(ctx))
	case opportunity.FateUnknown:
		r.settleBatch(ctx, batch, r.state.Review(batch, nil), result.Reason)
		r.heedErrors(ctx, batch, result.Sending)
	case opportunity.FateNotSent:
		switch result.Reason {
		case activities.ReasonNames:
			r.resolveBatch(ctx, batch, result.Missing)
		case activities.ReasonReset:
			r.told = result.Run
			r.accountForReset(ctx, r.state.Step.ID)
		case activities.ReasonUnplanned:
			r.unplanned(ctx, batch, result.Sending)
		default:
			// A cancellation ends the wait; the caller looks at the context itself.
			_ = r.backOff(ctx, result.Sending)
		}
	}
}

// unplanned handles a batch that was not sent because the playbook in force has effects of moves.
// The effects of the move in the batch are planned before the batch is sent again.
func (r *run) unplanned(ctx workflow.Context, batch []opportunity.Mutation, sending activities.Sending) {
	if r.state.Ruled(sending.Rules, workflow.Now(ctx)); r.state.Rules.Moves && r.state.IsUnplanned(batch) {
		return
	}
	// A cancellation ends the wait; the caller looks at the context itself.
	_ = r.backOff(ctx, activities.Sending{Reason: activities.ReasonPlaybook})
}

// apply sends one request for the changes.
func (r *run) apply(ctx workflow.Context, batch []opportunity.Mutation) activities.ApplyResult {
	// The request is completed even when the workflow is cancelled in the meantime.
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	var names []opportunity.Name
	for _, m := range batch {
		names = append(names, m.Names()...)
	}
	input := activities.ApplyInput{Reference: r.state.Reference, Opportunity: r.state.ID, Mutations: batch, Resolved: r.known(names), Run: r.own}
	input.Unplanned = r.state.IsUnplanned(batch)
	ctx = workflow.WithActivityOptions(ctx, r.toChange(summary(batch)))
	return change(ctx, r, activities.ApplyCommands, input, func(result activities.ApplyResult) bool { return result.Proves(input) },
		func(s activities.Sending) activities.ApplyResult { return activities.ApplyResult{Sending: s} })
}

// settleBatch updates the state with the answers, after the record has decided as many of the
// unknown ones as it can. reason is why the answers are unknown.
func (r *run) settleBatch(ctx workflow.Context, batch []opportunity.Mutation, answers []opportunity.Answer, reason activities.Reason) {
	if slices.ContainsFunc(answers, unknown) {
		answers = r.recall(ctx, batch, answers, reason)
	}
	r.state.Settle(batch, answers, workflow.Now(ctx))
	if r.wasReset() {
		r.accountForReset(ctx, r.state.Step.ID)
	}
}

func unknown(a opportunity.Answer) bool { return a.Fate == opportunity.FateUnknown }

// recall reads the record back when no request of the batch can be under way any more; the record
// then decides the unknown changes of the batch.
func (r *run) recall(ctx workflow.Context, batch []opportunity.Mutation, answers []opportunity.Answer, reason activities.Reason) []opportunity.Answer {
	// The fate must be known even when the workflow is cancelled.
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	if err := r.settle(ctx, reason); err != nil {
		return answers
	}
	if err := r.learnNames(ctx, batch); err != nil {
		return answers
	}
	record, err := r.read(ctx, r.state.ID, activities.ToReadBack("read back what became of: "+summary(batch)))
	if err != nil {
		return answers // the record cannot be read at all: a question
	}
	if r.wasReset() {
		return forgotten(answers)
	}
	decided := r.state.Recall(batch, answers, record, r.itemIDs())
	if slices.ContainsFunc(decided, unknown) {
		r.state.Disown(record)
	}
	return decided
}

// read reads the record with all its interests, until the API answers.
func (r *run) read(ctx workflow.Context, id opportunity.ID, options workflow.ActivityOptions) (opportunity.Snapshot, error) {
	return r.readPages(ctx, id, func(input activities.ReadInput) (activities.ReadResult, error) {
		l := look{activity: activities.ReadOpportunity, input: input, options: options}
		return lookFor(ctx, r, l, func(page activities.ReadResult) bool { return page.Proves(input) })
	})
}

// readOnce is read with one round for each page.
func (r *run) readOnce(ctx workflow.Context, id opportunity.ID, options workflow.ActivityOptions, round int) (opportunity.Snapshot, error) {
	return r.readPages(ctx, id, func(input activities.ReadInput) (activities.ReadResult, error) {
		l := look{activity: activities.ReadOpportunity, input: input, options: options, about: "refresh"}
		return lookOnce(ctx, r, l, func(page activities.ReadResult) bool { return page.Proves(input) }, round)
	})
}

func (r *run) readPages(ctx workflow.Context, id opportunity.ID, read func(activities.ReadInput) (activities.ReadResult, error)) (opportunity.Snapshot, error) {
	return r.readPagesOf(ctx, activities.ReadInput{Reference: r.state.Reference, Opportunity: id}, read)
}

func (r *run) readPagesOf(ctx workflow.Context, input activities.ReadInput, read func(activities.ReadInput) (activities.ReadResult, error)) (opportunity.Snapshot, error) {
	page, err := read(input)
	if err != nil {
		return opportunity.Snapshot{}, err
	}
	r.told, r.owner = page.Run, page.Owner
	if input.Opportunity == r.state.ID && r.foreign(ctx, page.Foreign) {
		return opportunity.Snapshot{}, errForeign
	}
	r.state.Ruled(page.Rules, workflow.Now(ctx))
	record := page.Record
	for page.Next != "" {
		input.After = page.Next
		if page, err = read(input); err != nil {
			return opportunity.Snapshot{}, err
		}
		record.Interests = append(record.Interests, page.Record.Interests...)
	}
	return record, nil
}

// errForeign is the error of a read whose record carries the mark of another reference.
var errForeign = temporal.NewNonRetryableApplicationError("the record carries the mark of another reference", string(opportunity.Conflict), nil)

// foreign pauses the opportunity when its record carries the mark of another reference, and reports
// whether it did.
func (r *run) foreign(ctx workflow.Context, found bool) bool {
	if !found || !since(ctx, changeForeign) {
		return false
	}
	workflow.GetLogger(ctx).Warn("the record carries the mark of another reference: nothing is sent until an operator resumes", "opportunity", r.state.ID)
	r.state.PauseForeign(workflow.Now(ctx))
	r.show(ctx)
	return true
}

// settle waits until a request without an answer can no longer commit. reason is why the answer did
// not come.
func (r *run) settle(ctx workflow.Context, reason activities.Reason) error {
	d := r.options.Times.Settle()
	if reason == activities.ReasonAttempt {
		d = r.options.Times.SettleStarted()
	}
	if since(ctx, changeOutages) {
		until := workflow.Now(ctx).Add(d)
		r.waitFor(ctx, outage{word: opportunity.AttentionAPI, text: "the answer to a request was lost; what became of it is read back"}, "", until)
		r.show(ctx)
	}
	return wait(ctx, d, "let the API settle before reading back")
}

// resolveBatch looks up the names in a batch. Requests with a name that means nothing, or two
// things, fail. When the API meets the look-up with errors of its own, the requests of the batch go
// one by one from then on. In the end, the request that fails is parked, so that a name which
// cannot be looked up holds up its own request alone.
func (r *run) resolveBatch(ctx workflow.Context, batch []opportunity.Mutation, missing []opportunity.Name) {
	for round := 0; ; round++ {
		failed, err := r.resolveOnce(ctx, missing, round)
		switch {
		case err == nil:
			r.state.FailNames(batch, failed, workflow.Now(ctx))
			return
		case !unanswered(err) || r.mustEnd(ctx): // cancelled
			return
		case outageOf(err).reason == activities.ReasonErrors && since(ctx, changeNames):
			r.heedErrors(ctx, batch, activities.Sending{Failing: true})
			return
		}
	}
}

// learnNames looks up the names of a batch. A worker that remembered the names did not return their
// ids, and reading back compares ids.
func (r *run) learnNames(ctx workflow.Context, batch []opportunity.Mutation) error {
	_, err := r.learn(ctx, batch)
	return err
}

// learn is learnNames, and also returns the names that mean nothing, or several things.
func (r *run) learn(ctx workflow.Context, batch []opportunity.Mutation) (map[opportunity.Name]*opportunity.Error, error) {
	var missing []opportunity.Name
	for _, m := range batch {
		for _, name := range m.Names() {
			if _, known := r.names[name]; !known && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return r.resolve(ctx, missing)
}

// resolve looks names up until the API answers, and remembers the meanings for this run.
func (r *run) resolve(ctx workflow.Context, names []opportunity.Name) (map[opportunity.Name]*opportunity.Error, error) {
	for round := 0; ; round++ {
		failed, err := r.resolveOnce(ctx, names, round)
		if err == nil || !unanswered(err) || r.mustEnd(ctx) {
			return failed, err
		}
	}
}

// resolveOnce is resolve for one round, and returns the names that mean nothing, or several things.
func (r *run) resolveOnce(ctx workflow.Context, names []opportunity.Name, round int) (map[opportunity.Name]*opportunity.Error, error) {
	input := activities.ResolveInput{Names: names}
	l := look{activity: activities.ResolveNames, input: input, options: activities.ToRead("look names up")}
	result, err := lookOnce(ctx, r, l, func(result activities.ResolveResult) bool { return result.Proves(input) }, round)
	if err != nil {
		return nil, err
	}
	failed := make(map[opportunity.Name]*opportunity.Error)
	for _, one := range result.Resolved {
		if one.Error != nil {
			failed[one.Name] = one.Error
			continue
		}
		r.names[one.Name] = one
	}
	return failed, nil
}

// known returns the meanings of those names that this run has looked up.
func (r *run) known(names []opportunity.Name) []opportunity.Resolved {
	var known []opportunity.Resolved
	for _, name := range names {
		if one, ok := r.names[name]; ok && !slices.Contains(known, one) {
			known = append(known, one)
		}
	}
	return known
}

func (r *run) itemIDs() map[opportunity.Name]opportunity.ID {
	ids := make(map[opportunity.Name]opportunity.ID, len(r.names))
	//workflowcheck:ignore a map is made of a map; the order does not show
	for name, one := range r.names {
		ids[name] = one.ID
	}
	return ids
}

// The pauses between requests that could not be sent. An operator sees attention after tellAfter
// such requests in a row, or after tellWithin. After probeAfter such requests in a row, one
// activity waits for the API.
const (
	firstPause  = time.Second
	longestWait = time.Minute
	tellAfter   = 5
	tellWithin  = 20 * time.Second
	probeAfter  = 6
)

// backOff waits before a request that was not sent is sent again. An operator's
// refresh or close cuts the wait short.
func (r *run) backOff(ctx workflow.Context, sending activities.Sending) error {
	r.setbacks++
	if !since(ctx, changeOutages) {
		if r.setbacks >= tellAfter {
			r.state.Attend(opportunity.AttentionAPI, "", setbackText(sending.Reason), workflow.Now(ctx))
			r.show(ctx)
		}
		return r.pause(ctx, sending)
	}
	out := outageFor(sending.Reason)
	r.waitFor(ctx, out, "", time.Time{})
	if since := r.state.Waits.Since; r.setbacks >= tellAfter || workflow.Now(ctx).Sub(since) >= tellWithin {
		r.attend(ctx, out, "")
		r.show(ctx)
	}
	switch {
	case sending.Reason == activities.ReasonQueue: // the request has waited for long enough
		r.queued++
		return ctx.Err()
	case r.setbacks > probeAfter && (sending.Reason == activities.ReasonUnreachable || sending.Reason == activities.ReasonAuthentication):
		begun := workflow.Now(ctx)
		if err := r.awaitAPI(ctx); err != nil || r.cutsPause() || workflow.Now(ctx).Sub(begun) >= longestWait {
			return err
		}
		// The API answers, and yet nothing could be sent.
	}
	return r.pause(ctx, sending)
}

// pause waits for a time that grows with the setbacks.
func (r *run) pause(ctx workflow.Context, sending activities.Sending) error {
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      pauseBefore(r.setbacks, sending, r.state.Reference),
		TimerOptions: workflow.TimerOptions{Summary: "wait before sending again: " + string(sending.Reason)},
	}, r.cutsPause)
	return err
}

// cutsPause reports whether a wait before sending is cut short.
func (r *run) cutsPause() bool { return !r.ending && (r.state.Closing != nil || r.state.RefreshDue) }

// awaitAPI waits in one activity, which the server repeats, until the API answers
// anything at all.
func (r *run) awaitAPI(ctx workflow.Context) error {
	asking, stop := workflow.WithCancel(ctx)
	defer stop()
	answered := false
	workflow.GoNamed(asking, "await the API", func(ctx workflow.Context) {
		// A refusal is an answer, too.
		_, _ = lookFor(ctx, r, look{activity: activities.ProbeAPI, options: activities.ToRead("wait until the API answers"), probes: true},
			func(result activities.ProbeResult) bool { return result.Answered })
		answered = true
	})
	return workflow.Await(ctx, func() bool { return answered || r.cutsPause() })
}

// setbackText says to an operator what everything waits for.
func setbackText(reason activities.Reason) string {
	switch reason {
	case activities.ReasonErrors:
		return "the API answers with errors of its own; what waits is sent again and again"
	case activities.ReasonNamespace:
		return "Temporal is asked too much to answer whether there was an opportunity of this reference before; everything waits"
	}
	return fmt.Sprintf("the API cannot be reached (%s); everything waits", reason)
}

// pauseBefore returns how long to wait after that many setbacks in a row. The pause lies between a
// half and the whole of a time that doubles, and is never shorter than the API asks for. So
// opportunities that wait for the same API do not come back all at once.
func pauseBefore(setbacks int, sending activities.Sending, reference opportunity.Reference) time.Duration {
	pause := min(firstPause<<min(setbacks-1, 10), longestWait)
	spread := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s %d", reference, setbacks))
	half := pause / 2
	return sending.RetryAfter + half + half*time.Duration(spread>>16)/(1<<16)
}

// recovered notes that the API answered a request that waited to be sent.
func (r *run) recovered() {
	r.setbacks, r.queued = 0, 0
	r.state.Calm(opportunity.AttentionAPI)
	r.state.Answered("")
}

// summary describes a batch in a few words, without personal data.
func summary(batch []opportunity.Mutation) string {
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
		case m.Extend != nil && m.Extend.Release:
			parts = append(parts, "release the places")
		case m.Extend != nil:
			parts = append(parts, "hold the places")
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
