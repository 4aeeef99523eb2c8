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

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/worker/host"
)

const (
	// lookEvery is how often a watched opportunity is looked at, and lookRarely how rarely while nobody answers.
	lookEvery  = time.Second
	lookRarely = 10 * time.Second
	// lookTimeout bounds one look, and lastLook the one at an opportunity that has ended: its end is known already.
	lookTimeout = 10 * time.Second
	lastLook    = 5 * time.Second
	// firstMoments is how much of the past is shown in the beginning.
	firstMoments = 10
)

// exitInterrupted is the exit code of a shell's command that Ctrl-C ended.
const exitInterrupted = 130

func (p *program) watch() *cobra.Command {
	every := length(lookEvery)
	command := &cobra.Command{
		Use:   "watch REF [flags]",
		Short: "Follow an opportunity until it ends",
		Long: `watch shows what happens to an opportunity as it happens: each new entry of its timeline, and its step, what waits and
what needs attention whenever they change, until its run ends. The exit code is 0 when it came to its end, 1 when it
failed, was cancelled or could not be followed. Ctrl-C ends the watching, not the opportunity, with exit code 130.
With --output json each line is one JSON object.`,
		Example:           "  oppflow watch lead-4711\n  oppflow watch lead-4711 --timeout 10m --output json",
		Args:              exactly("REF"),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.Var(&every, "every", "how often to look")
	form := outputFlag(command)
	connection := p.connection(fs, 0)
	limit := fs.Lookup("timeout")
	limit.Usage, limit.DefValue = "how long to watch at most (default: until it ends)", ""
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		err = connection.opportunities(command.Context(), func(ctx context.Context, client *lifecycle.Client) error {
			w := &watcher{client: client, reference: reference, every: time.Duration(every), out: p.stdout, json: *form == asJSON}
			err := w.follow(ctx)
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return explainedf("%s has not ended within %v (--timeout)", reference, connection.timeout)
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

// watcher follows one opportunity and tells what changes.
type watcher struct {
	client    *lifecycle.Client
	reference opportunity.Reference
	every     time.Duration
	out       io.Writer
	json      bool

	view *opportunity.View // as last seen
	mute string            // why nobody answers, "" when somebody does
}

// event is the JSON form of what is told: one of its members, by Event.
type event struct {
	// Event is moment, step, waiting, attention, unanswered, answered or ended.
	Event       string                  `json:"event"`
	At          time.Time               `json:"at"`
	Reference   opportunity.Reference   `json:"reference"`
	Opportunity opportunity.ID          `json:"opportunity,omitempty"`
	Text        string                  `json:"text,omitempty"`
	Step        *opportunity.Step       `json:"step,omitempty"`
	Waiting     *int                    `json:"waiting,omitempty"`
	Attention   []opportunity.Attention `json:"attention,omitzero"`
	Status      string                  `json:"status,omitempty"`
	Ended       *opportunity.Ended      `json:"ended,omitempty"`
	Error       *opportunity.Error      `json:"error,omitempty"`
}

// follow looks until the run ends. Its error is how it ended, or why it cannot be followed.
func (w *watcher) follow(ctx context.Context) error {
	running, ended := context.WithCancel(ctx)
	defer ended()
	var result opportunity.Ended
	var failed error
	go func() {
		defer ended()
		result, failed = w.await(running)
	}()
	for pause := w.every; running.Err() == nil; {
		answered, err := w.look(running, lookTimeout)
		switch {
		case err != nil:
			return err
		case answered:
			pause = w.every
		default:
			pause = w.longer(pause)
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
	_, _ = w.look(ctx, lastLook) // how it ended is known without
	return w.end(status, result, failed)
}

// await waits for the end, also when Temporal is away for a while.
func (w *watcher) await(ctx context.Context) (opportunity.Ended, error) {
	for pause := w.every; ; pause = w.longer(pause) {
		result, err := w.client.Wait(ctx, w.reference)
		if err == nil || endStatus(err) != "" || ctx.Err() != nil || !passing(err) {
			return result, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (w *watcher) longer(pause time.Duration) time.Duration {
	return min(2*pause, max(lookRarely, w.every))
}

// passing reports that an error of the connection may be over in a while.
func passing(err error) bool {
	var unavailable *serviceerror.Unavailable
	var deadline *serviceerror.DeadlineExceeded
	var exhausted *serviceerror.ResourceExhausted
	var cancelled *serviceerror.Canceled
	return errors.As(err, &unavailable) || errors.As(err, &deadline) || errors.As(err, &exhausted) || errors.As(err, &cancelled) ||
		errors.Is(err, context.DeadlineExceeded)
}

// endStatus says in what way a run ended; "" is for what says nothing about that.
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

// look asks for the picture and tells what is new in it. It reports whether somebody answered; its error is why nobody
// ever will.
func (w *watcher) look(ctx context.Context, limit time.Duration) (bool, error) {
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	view, err := w.client.View(asking, w.reference)
	var own *opportunity.Error
	var missing *serviceerror.NamespaceNotFound
	var denied *serviceerror.PermissionDenied
	switch {
	case ctx.Err() != nil:
		return false, nil
	case errors.As(err, &own): // how it ended, or that there is none: await says so
		return false, nil
	case errors.As(err, &missing), errors.As(err, &denied):
		return false, err
	case err != nil:
		w.unanswered(err)
		return false, nil
	}
	if w.mute != "" {
		w.mute = ""
		w.tell(event{Event: "answered"}, "", "a worker answers again")
	}
	w.compare(view)
	w.view = &view
	return true, nil
}

// unanswered tells once why nobody answers.
func (w *watcher) unanswered(err error) {
	why := "no worker answers"
	var unavailable *serviceerror.Unavailable
	if errors.As(err, &unavailable) {
		why = "Temporal does not answer"
	}
	if w.mute == why {
		return
	}
	w.mute = why
	w.tell(event{Event: "unanswered", Text: why + ": " + host.Reason(err)}, "", why+"; watching on")
}

// compare tells what has changed since the last view; of the first, what it shows.
func (w *watcher) compare(v opportunity.View) {
	last := w.view
	if last == nil {
		last = &opportunity.View{}
		if more := len(v.Timeline) - firstMoments; more > 0 {
			last.Timeline = v.Timeline[:more]
		}
	}
	for _, m := range newMoments(last.Timeline, v.Timeline) {
		w.tell(event{Event: "moment", At: m.At, Text: m.Text}, since(m.At), m.Text)
	}
	if v.Step != nil && (last.Step == nil || *last.Step != *v.Step) {
		w.tell(event{Event: "step", Step: v.Step}, "step", stepText(*v.Step))
	}
	if waiting := len(v.Queue); waiting != len(last.Queue) {
		text := "nothing"
		if waiting > 0 {
			text = fmt.Sprintf("%s, first: %s", counted(waiting, "request", "requests"), v.Queue[0].Summary)
		}
		w.tell(event{Event: "waiting", Waiting: &waiting}, "waiting", text)
	}
	if !slices.Equal(last.Attention, v.Attention) {
		w.tellAttention(v.Attention)
	}
}

// tellAttention tells all that needs attention, in a line each for humans.
func (w *watcher) tellAttention(all []opportunity.Attention) {
	const head = "attention"
	if w.json || len(all) == 0 {
		w.tell(event{Event: head, Attention: append([]opportunity.Attention{}, all...)}, head, "nothing needs any")
		return
	}
	for _, a := range all {
		w.tell(event{}, head, string(a.Word)+": "+a.Text)
	}
}

// newMoments are those of the timeline that are not in the former one, whose oldest may be gone meanwhile.
func newMoments(former, now []opportunity.Moment) []opportunity.Moment {
	for from := range former {
		known := former[from:]
		if len(known) <= len(now) && slices.EqualFunc(known, now[:len(known)], func(a, b opportunity.Moment) bool {
			return a.Text == b.Text && a.At.Equal(b.At)
		}) {
			return now[len(known):]
		}
	}
	return now
}

// end tells how it ended. What was not an end as it should be is an error, too.
func (w *watcher) end(status string, result opportunity.Ended, failed error) error {
	shown := event{Event: "ended", Status: status}
	if failed == nil {
		shown.Ended, shown.Opportunity = &result, result.Opportunity
		text := fmt.Sprintf("%s in step %s, %s, total %s", result.State, result.Step.Name,
			counted(result.Interests, "interest", "interests"), strings.TrimSpace(result.Total.String()+" "+result.Currency))
		if result.Failed > 0 {
			text += ", " + counted(result.Failed, "request failed", "requests failed")
		}
		if result.Closed != "" {
			text = "closed by an operator: " + result.Closed
		}
		shown.Text = text
		w.tell(shown, "ended", text)
		return nil
	}
	var own *opportunity.Error
	if !errors.As(failed, &own) {
		how := map[string]string{"terminated": "was terminated", "timed-out": "timed out", "failed": "failed: " + innermost(failed)}[status]
		failed = explainedf("opportunity %s %s", w.reference, how)
	}
	shown.Error, shown.Text = own, failed.Error()
	if w.json { // for humans, the error says it
		w.tell(shown, "ended", shown.Text)
	}
	return failed
}

// innermost is the cause without what Temporal wraps around it.
func innermost(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// tell writes one event: a line of JSON, or a line for humans.
func (w *watcher) tell(e event, head, text string) {
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
	_ = encoder.Encode(e) // plain data; a writer that fails has nobody to tell
}
