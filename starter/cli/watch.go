package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
)

const (
	// pollInterval is the time between two polls of an opportunity that responds. maxPollInterval is
	// the longest time between two polls while the opportunity does not respond.
	pollInterval    = time.Second
	maxPollInterval = 10 * time.Second
	// pollTimeout limits the time of one poll. lastPollTimeout limits the time of the last poll, after
	// the run has ended.
	pollTimeout     = 10 * time.Second
	lastPollTimeout = 5 * time.Second
	// initialTimelineEntries is how many past timeline entries the command watch shows at its start.
	initialTimelineEntries = 10
)

// exitInterrupted is the exit code that a shell reports for a command ended by Ctrl-C.
const exitInterrupted = 130

func (p *program) watch() *cobra.Command {
	every := durationFlag(pollInterval)
	command := &cobra.Command{
		Use:   "watch REF [flags]",
		Short: "Watch an opportunity until it ends",
		Long: `watch shows each change of an opportunity until it ends: new entries of its timeline, its step, the requests that wait and what
needs attention. The exit code is 0 if the opportunity ended, 1 if the run failed, was cancelled or could not be watched. An
opportunity that has ended may still take messages. Ctrl-C ends watch with exit code 130, and the opportunity goes on. With
--output json each line is one JSON object.`,
		Example:           "  oppflow watch lead-4711\n  oppflow watch lead-4711 --timeout 10m --output json",
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.Var(&every, "every", "time between two reads of the opportunity")
	form := outputFlag(command)
	connection := p.connection(fs, 0)
	limit := fs.Lookup("timeout")
	limit.Usage, limit.DefValue = "maximum time to watch (default: until the opportunity ends)", ""
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		err = connection.opportunities(command.Context(), func(ctx context.Context, client *lifecycle.Client) error {
			w := &watcher{client: client, reference: reference, interval: time.Duration(every), out: p.stdout, json: *form == asJSON}
			err := w.follow(ctx)
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return explainedf("the run of %s did not end within %v (--timeout)", reference, connection.timeout)
			}
			return err
		})
		if command.Context().Err() != nil {
			return &exitError{code: exitInterrupted}
		}
		return err
	}
	return command
}

type watcher struct {
	client    *lifecycle.Client
	reference opportunity.Reference
	interval  time.Duration
	out       io.Writer
	json      bool

	view         *opportunity.View // the last view; nil before the first view
	unresponsive string            // why the opportunity does not respond; "" when the opportunity responds
}

// event is one report of the command watch in JSON. The member Event says which other members are
// set.
type event struct {
	// Event is "entry", "step", "waiting", "attention", "unresponsive", "responsive" or "ended".
	Event       string                  `json:"event"`
	At          time.Time               `json:"at"`
	Reference   opportunity.Reference   `json:"reference"`
	Opportunity opportunity.ID          `json:"opportunity,omitempty"`
	Text        string                  `json:"text,omitempty"`
	Step        *opportunity.Step       `json:"step,omitempty"`
	Waiting     *int                    `json:"waiting,omitempty"`
	Attention   []opportunity.Attention `json:"attention,omitzero"`
	Status      string                  `json:"status,omitempty"`
	Ended       *opportunity.RunResult  `json:"ended,omitempty"`
	OpenUntil   time.Time               `json:"openUntil,omitzero"`
	Error       *opportunity.Error      `json:"error,omitempty"`
}

// If the run does not complete or cannot be watched, follow returns an error with the reason.
func (w *watcher) follow(ctx context.Context) error {
	running, ended := context.WithCancel(ctx)
	defer ended()
	var result opportunity.RunResult
	var failed error
	go func() {
		defer ended()
		result, failed = w.awaitEnd(running)
	}()
	for pause := w.interval; running.Err() == nil; {
		answered, err := w.poll(running, pollTimeout)
		switch {
		case err != nil:
			return err
		case answered:
			pause = w.interval
		default:
			pause = w.nextInterval(pause)
		}
		select {
		case <-running.Done():
		case <-time.After(pause):
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	status := endStatus(failed)
	if status == "" {
		return failed
	}
	_, _ = w.poll(ctx, lastPollTimeout) // if this poll fails, the end is reported without the last changes
	return w.reportEnd(status, result, failed)
}

// awaitEnd waits until the run has ended, even when Temporal cannot be reached for some time.
func (w *watcher) awaitEnd(ctx context.Context) (opportunity.RunResult, error) {
	pauses := &backoff.ExponentialBackOff{InitialInterval: w.interval, Multiplier: 2, MaxInterval: max(maxPollInterval, w.interval)}
	return backoff.Retry(ctx, func() (opportunity.RunResult, error) {
		result, err := w.client.Wait(ctx, w.reference)
		if endStatus(err) != "" || !isTransient(err) {
			err = backoff.Permanent(err)
		}
		return result, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0))
}

func (w *watcher) nextInterval(pause time.Duration) time.Duration {
	return min(2*pause, max(maxPollInterval, w.interval))
}

// isTransient reports whether the request that failed with err may succeed later.
func isTransient(err error) bool {
	var unavailable *serviceerror.Unavailable
	var deadline *serviceerror.DeadlineExceeded
	var exhausted *serviceerror.ResourceExhausted
	var cancelled *serviceerror.Canceled
	return errors.As(err, &unavailable) || errors.As(err, &deadline) || errors.As(err, &exhausted) || errors.As(err, &cancelled) ||
		errors.Is(err, context.DeadlineExceeded)
}

// endStatus returns how a run ended, or "" if err does not say how the run ended.
func endStatus(err error) string {
	var own *opportunity.Error
	var run *temporal.WorkflowExecutionError
	var terminated *temporal.TerminatedError
	var timeout *temporal.TimeoutError
	switch {
	case err == nil:
		return "completed"
	case errors.As(err, &terminated):
		return "terminated"
	case errors.As(err, &own) && own.Type == opportunity.NotFound:
		return ""
	case errors.As(err, &own) && own.Type == opportunity.Closed:
		return "cancelled"
	case errors.As(err, &own):
		return "failed"
	case errors.As(err, &run) && errors.As(err, &timeout):
		return "timed-out"
	case errors.As(err, &run):
		return "failed"
	}
	return ""
}

// poll queries the view, reports what has changed, and returns whether the opportunity responded.
// If poll returns an error, the opportunity will never respond.
func (w *watcher) poll(ctx context.Context, limit time.Duration) (bool, error) {
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	view, err := w.client.View(asking, w.reference)
	var own *opportunity.Error
	var missing *serviceerror.NamespaceNotFound
	var denied *serviceerror.PermissionDenied
	switch {
	case ctx.Err() != nil:
		return false, nil
	case errors.As(err, &own): // the run has ended or does not exist, which awaitEnd reports
		return false, nil
	case errors.As(err, &missing), errors.As(err, &denied):
		return false, err
	case err != nil:
		w.reportUnresponsive(err)
		return false, nil
	}
	if w.unresponsive != "" {
		w.unresponsive = ""
		w.emit(event{Event: "responsive"}, "", "a worker responds again")
	}
	w.reportChanges(view)
	w.view = &view
	return true, nil
}

func (w *watcher) reportUnresponsive(err error) {
	why := "no worker responds"
	var unavailable *serviceerror.Unavailable
	if errors.As(err, &unavailable) {
		why = "Temporal does not respond"
	}
	if w.unresponsive == why {
		return
	}
	w.unresponsive = why
	w.emit(event{Event: "unresponsive", Text: why + ": " + host.Reason(err)}, "", why+"; watch goes on")
}

func (w *watcher) reportChanges(v opportunity.View) {
	last := w.view
	if last == nil {
		last = &opportunity.View{}
		if more := len(v.Timeline) - initialTimelineEntries; more > 0 {
			last.Timeline = v.Timeline[:more]
		}
	}
	for _, m := range newTimelineEntries(last.Timeline, v.Timeline) {
		w.emit(event{Event: "entry", At: m.At, Text: m.Text}, timeText(m.At), m.Text)
	}
	if v.Step != nil && (last.Step == nil || *last.Step != *v.Step) {
		w.emit(event{Event: "step", Step: v.Step}, "step", stepText(*v.Step))
	}
	if waiting := len(v.Queue); waiting != len(last.Queue) {
		text := "nothing"
		if waiting > 0 {
			text = fmt.Sprintf("%s, first: %s", countText(waiting, "request", "requests"), v.Queue[0].Summary)
		}
		w.emit(event{Event: "waiting", Waiting: &waiting}, "waiting", text)
	}
	if !slices.Equal(last.Attention, v.Attention) {
		w.reportAttention(v.Attention)
	}
}

func (w *watcher) reportAttention(all []opportunity.Attention) {
	const head = "attention"
	if w.json || len(all) == 0 {
		w.emit(event{Event: head, Attention: append([]opportunity.Attention{}, all...)}, head, "none")
		return
	}
	for _, a := range all {
		w.emit(event{}, head, string(a.Kind)+": "+a.Reason)
	}
}

// The workflow may have dropped the oldest entries of former, so now may not contain these entries.
func newTimelineEntries(former, now []opportunity.TimelineEntry) []opportunity.TimelineEntry {
	for from := range former {
		known := former[from:]
		if len(known) <= len(now) && slices.EqualFunc(known, now[:len(known)], func(a, b opportunity.TimelineEntry) bool {
			return a.Text == b.Text && a.At.Equal(b.At)
		}) {
			return now[len(known):]
		}
	}
	return now
}

// If the run did not complete, reportEnd also returns an error.
func (w *watcher) reportEnd(status string, result opportunity.RunResult, failed error) error {
	shown := event{Event: "ended", Status: status}
	if failed == nil {
		shown.Ended, shown.Opportunity = &result, result.Opportunity
		text := fmt.Sprintf("%s in step %s, %s, total %s", result.State, result.Step.Name,
			countText(result.Interests, "interest", "interests"), strings.TrimSpace(result.Total.String()+" "+result.Currency))
		if result.FailedRequests > 0 {
			text += ", " + countText(result.FailedRequests, "request failed", "requests failed")
		}
		if w.view != nil && w.view.OpenUntil.After(time.Now()) {
			shown.OpenUntil = w.view.OpenUntil
			text += ", takes messages until " + timeText(shown.OpenUntil)
		}
		if result.CloseReason != "" {
			text = "closed by an operator: " + result.CloseReason
		}
		shown.Text = text
		w.emit(shown, "ended", text)
		return nil
	}
	var own *opportunity.Error
	if !errors.As(failed, &own) {
		how := map[string]string{"terminated": "was terminated", "timed-out": "timed out", "failed": "failed: " + innermost(failed)}[status]
		failed = explainedf("opportunity %s %s", w.reference, how)
	}
	shown.Error, shown.Text = own, failed.Error()
	if w.json { // for humans, the error already contains this text
		w.emit(shown, "ended", shown.Text)
	}
	return failed
}

func innermost(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

func (w *watcher) emit(e event, head, text string) {
	if !w.json {
		line(w.out, strings.TrimSpace(fmt.Sprintf("%-20s  %s", printable(head), text)))
		return
	}
	if e.At.IsZero() {
		e.At = time.Now().UTC().Truncate(time.Second)
	}
	e.Reference = w.reference
	encoder := json.NewEncoder(w.out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(e) // encoding cannot fail; an error of the writer cannot be reported
}
