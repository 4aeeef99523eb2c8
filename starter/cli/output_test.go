package cli

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func viewText(v opportunity.View) string {
	var b bytes.Buffer
	form := table
	_ = form.show(&b, nil, func(w io.Writer) { showView(w, v) })
	return b.String()
}

func TestViewShowsWhatAnOperatorHasToKnow(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	unit, err := opportunity.ParseAmount("199.90")
	if err != nil {
		t.Fatal(err)
	}
	text := viewText(opportunity.View{
		Reference: "lead-1", Opportunity: "T3Bwb3J0dW5pdHk6Mg==",
		Details:     opportunity.Details{Name: "First Aid course", Region: opportunity.Ref{ID: "UmVnaW9uOlVL", Name: "UK"}, Currency: "USD"},
		Step:        &opportunity.Step{Name: "Proposed", Stage: opportunity.Stage{Name: "Early", State: opportunity.Open}},
		Interests:   []opportunity.RecordedInterest{{ID: "I1", Item: "E1", Kind: opportunity.Event, Quantity: 3, UnitAmount: unit, Reserve: true}},
		Total:       unit.Times(3),
		Reservation: &opportunity.Reservation{Valid: true, Until: at},
		Queue:       []opportunity.QueuedMessage{{Request: "r-2", Summary: "progress to Won", Accepted: at, InDoubt: true}},
		Parked:      []opportunity.QueuedMessage{{Request: "r-9", Summary: "add 2 interests", Accepted: at}},
		Question:    &opportunity.Question{Request: "r-2", MessageName: opportunity.MessageProgress, Text: "did it happen?", Since: at},
		Attention:   []opportunity.Attention{{Kind: opportunity.AttentionUndecided, Reason: "somebody must look", Since: at}},
		Paused:      &opportunity.PauseInfo{Reason: "being merged", Since: at},
		Closing:     &opportunity.CloseInfo{Reason: "by phone", Since: at},
		FollowUps: []opportunity.PlannedFollowUp{
			{Key: "remind/x/2", Name: "remind", Due: at, SnoozedUntil: at.Add(time.Hour), Reason: "on holiday", Number: 2, Of: 4, Action: opportunity.ActionEmail},
			{Key: "late/x/1", Name: "late", Due: at, Number: 1, Of: 1, Action: opportunity.ActionAttention},
		},
		RunningEffects:   []opportunity.RunningEffect{{Key: "1/win/after/2/register", Kind: opportunity.EffectRegister, Stage: opportunity.EffectStageAfter, Problem: "sold out"}},
		EffectResults:    []opportunity.EffectResult{{Key: "1/win/after/1/account", Kind: opportunity.EffectAccount, At: at, Outcome: opportunity.EffectUnchanged}},
		SkippedFollowUps: []opportunity.SkippedFollowUp{{Key: "remind/x/then", Reason: opportunity.SkippedByCap}},
		Failures:         2,
		Timeline:         []opportunity.TimelineEntry{{At: at, Text: "start accepted"}, {At: at, Text: "created"}},
	})
	for _, want := range []string{
		"remind/x/then (cap)\n", "lead-1", "T3Bwb3J0dW5pdHk6Mg==", "First Aid course", "UK (UmVnaW9uOlVL)", "Proposed (stage Early, Open)", "599.70 USD",
		"reserved until 2026-03-01T12:00:00+01:00", "3 × 199.90", "progress to Won", "in doubt", "did it happen?",
		"add 2 interests", "oppflow retry lead-1 r-9", "oppflow skip lead-1 r-9 --reason",
		"oppflow retry lead-1 r-2", "oppflow skip lead-1 r-2 --reason", "undecided", "somebody must look", "Failures", "start accepted",
		"since 2026-03-01T11:00:00Z: being merged", "oppflow resume lead-1", "Closing", "by phone",
		"2026-03-01T11:00:00Z", "Follow-ups", "remind, 2 of 4", "remind/x/2", "snoozed until 2026-03-01T12:00:00Z: on holiday", "late, 1 of 1",
		"register", "sold out", "oppflow retry lead-1 1/win/after/2/register", "1/win/after/1/account", "unchanged",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown:\n%s", want, text)
		}
	}
}

// A value that comes from the request, because the TMS does not return the value, is marked with
// "as requested".
func TestRequestedValuesAreMarked(t *testing.T) {
	for marked, want := range map[bool]string{true: " as requested", false: ""} {
		text := viewText(opportunity.View{
			Reference: "lead-1", Interests: []opportunity.RecordedInterest{{ID: "I1", Item: "E1", Quantity: 3, AsRequested: marked}}, Details: opportunity.Details{Currency: "USD"},
		})
		for _, value := range []string{"0.00 USD" + want + "\n", "3 × 0.00" + want + "\n"} {
			if !strings.Contains(text, value) {
				t.Errorf("%q is not shown:\n%s", value, text)
			}
		}
	}
}

// A question about people has other answer commands than a question about a change.
func TestAnswersAboutPeopleAreShown(t *testing.T) {
	text := viewText(opportunity.View{Reference: "lead-1", RunningEffects: []opportunity.RunningEffect{{
		Key: "1/win/after/2/contacts", Kind: opportunity.EffectContacts, Problem: "attendee 2 has the address of a contact", AsksPeople: true,
	}}})
	for _, want := range []string{
		"oppflow confirm lead-1 1/win/after/2/contacts (the same person", "oppflow retry lead-1 1/win/after/2/contacts (another person",
		"oppflow skip lead-1 1/win/after/2/contacts --reason … (leave the person out)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown:\n%s", want, text)
		}
	}
	if strings.Contains(text, "it did happen") {
		t.Errorf("the answer commands belong to another kind of question:\n%s", text)
	}
}

// A name from the TMS cannot end a line of the output, move the cursor or imitate another field.
func TestForeignTextStaysOnItsLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text") + rapid.SampledFrom([]string{"\n", "\r", "\t", "\x1b[2J", "\u2028", "\u202e", "\v", "\f"}).Draw(t, "control")
		plain, odd := opportunity.View{}, opportunity.View{}
		odd.Details.Name = text
		odd.Timeline = []opportunity.TimelineEntry{{Text: text}}
		plain.Timeline = []opportunity.TimelineEntry{{Text: "x"}}
		got := viewText(odd)
		if strings.Count(got, "\n") != strings.Count(viewText(plain), "\n") || strings.ContainsAny(got, "\r\t\x1b\u2028\u202e\v\f") {
			t.Fatalf("%q is shown as %q", text, got)
		}
	})
}

func TestUnreservedInterestIsShown(t *testing.T) {
	var b bytes.Buffer
	showOutcome(&b, "lead-1", opportunity.Outcome{RequestID: "r", State: opportunity.Done, Results: []opportunity.InterestResult{{
		Interest: "I1", Item: "E1", Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Sold Out", Message: "no places"},
	}}})
	for _, want := range []string{"done: lead-1, request r", "I1", "added, Rejected: Sold Out: no places"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not shown: %s", want, b.String())
		}
	}
}

func TestLastPortsAreReusedWhenFree(t *testing.T) {
	data := t.TempDir()
	if got, err := lastPorts(t.Context(), data); err != nil || got != (stackPorts{}) {
		t.Errorf("without stored ports: %+v, %v", got, err)
	}
	var config net.ListenConfig
	port := func() (net.Listener, int) {
		listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return listener, listener.Addr().(*net.TCPAddr).Port
	}
	taken, takenPort := port()
	defer func() { _ = taken.Close() }()
	freed, freePort := port()
	if err := freed.Close(); err != nil {
		t.Fatal(err)
	}
	content := []byte(`{"temporal":` + itoa(freePort) + `,"ui":` + itoa(takenPort) + `,"api":70000}`)
	if err := os.WriteFile(filepath.Join(data, portsFile), content, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := lastPorts(t.Context(), data)
	if want := (stackPorts{Temporal: freePort}); err != nil || got != want {
		t.Errorf("%+v, want %+v: %v", got, want, err)
	}
	if got, err := lastPorts(t.Context(), ""); err != nil || got != (stackPorts{}) {
		t.Errorf("in memory: %+v, %v", got, err)
	}
}

func itoa(n int) string {
	q := quantityFlag(n)
	return q.String()
}

func TestHistoryURLEscapesTheReference(t *testing.T) {
	got := historyURL("http://127.0.0.1:8233", "default", "opportunity/a b?c", "r")
	if want := "http://127.0.0.1:8233/namespaces/default/workflows/opportunity%2Fa%20b%3Fc/r/history"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A run that has ended accepts no messages, so the output does not advise the user to send a
// message.
func TestAnEndedRunGivesNoAdvice(t *testing.T) {
	v := opportunity.View{
		Reference: "A-1", Paused: &opportunity.PauseInfo{}, Question: &opportunity.Question{Request: "q"},
		Parked:    []opportunity.QueuedMessage{{Request: "r"}},
		Attention: []opportunity.Attention{{Kind: opportunity.AttentionPaused, Reason: "signals wait until an operator sends resume"}},
	}
	var b strings.Builder
	shownView{View: v, Ended: &lifecycle.RunEnd{Status: "terminated"}}.show(&b)
	if got := b.String(); !strings.Contains(got, "terminated") || strings.Contains(got, "oppflow ") || strings.Contains(got, "resume") {
		t.Errorf("got\n%s", got)
	}
	b.Reset()
	shownView{View: v}.show(&b)
	if got := b.String(); !strings.Contains(got, "oppflow resume A-1") || !strings.Contains(got, "oppflow retry A-1 q") {
		t.Errorf("for a run that has not ended:\n%s", got)
	}
}
