package e2e_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// Items and records of the sandbox's catalogue.
const (
	courseItem = "Q291cnNlVGVtcGxhdGU6MTE="
	eventItem  = "Q291cnNlOjE="
	pathItem   = "TGVhcm5pbmdQYXRoOjE="
	tokenItem  = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2"
	seeded     = "T3Bwb3J0dW5pdHk6MQ==" // the record that a new sandbox holds
)

// The contract with callers, as a service in any language meets it: names, JSON
// and Temporal's own protocol, on real parts.
func TestContract(t *testing.T) {
	g := newGate(t)
	p, output := bringContract(t, stack.Options{
		WorkerArgs: []string{"--settle-time", "3s", "--api-rate", "5000", "--log-level", "debug"},
		WorkerEnv:  []string{"ADMINISTRATE_URL=" + g.URL + "/graphql"},
	})
	g.to(t, p.APIURL())
	for _, by := range bothWays() {
		for name, test := range map[string]func(*parts, manner, string){
			"commands":     (*parts).contractCommands,
			"instructions": (*parts).contractInstructions,
			"close":        (*parts).contractClose,
		} {
			t.Run(name+" by "+by.name, func(t *testing.T) {
				t.Parallel()
				test(p.in(t), by, name+" by "+by.name)
			})
		}
		for _, answer := range []string{"retry", "skip"} {
			t.Run(answer+" by "+by.name, func(t *testing.T) {
				t.Parallel()
				p.in(t).contractQuestion(g, by, answer, answer+" by "+by.name)
			})
		}
	}
	for name, test := range map[string]func(*parts, string){
		"starts":                     (*parts).contractStarts,
		"adoptions":                  (*parts).contractAdoptions,
		"refusals":                   (*parts).contractRefusals,
		"one id space":               (*parts).contractIDs,
		"a state of a newer version": (*parts).contractNewerState,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(p.in(t), name)
		})
	}
	t.Run("unreadable signals", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractUnreadable(output)
	})
	t.Run("closed in doubt", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractDoubt(g, "closed in doubt")
	})
	t.Run("adoptions at once", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractAdoptionRace(g, "adoptions at once")
	})
	t.Run("lost updates", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractLost(t)
	})
	t.Run("pending", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractPending(g)
	})
	t.Run("continuing", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractContinuing(g)
	})
}

// bringContract is bring for tests that look into what the parts write.
func bringContract(t *testing.T, o stack.Options) (*parts, *lockedBuffer) {
	t.Helper()
	output := new(lockedBuffer)
	o.Race, o.NoUI, o.Setup, o.Output = race, true, host.SetupAt, output
	o.Progress = func(text string) { fmt.Fprintln(os.Stderr, text) }
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the server is built the first time
	defer cancel()
	s, err := stack.Up(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the parts wrote:\n%s", output.tail(5_000))
		}
		if output.contains("WARNING: DATA RACE") {
			t.Errorf("a part has a data race:\n%s", output.tail(50_000))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	p := &parts{Stack: s, t: t}
	p.connect()
	return p, output
}

// begin starts an opportunity in the step Proposed.
func (p *parts) begin(reference string) opportunity.ID {
	p.t.Helper()
	opened, err := p.client.Start(p.t.Context(), opportunity.Reference(reference), opportunity.Start{Name: "First Aid course", Region: "UK"})
	if err != nil {
		p.t.Fatal(err)
	}
	return opened.Opportunity
}

func (p *parts) look(reference string) opportunity.View {
	p.t.Helper()
	view, err := p.client.View(p.t.Context(), opportunity.Reference(reference))
	if err != nil {
		p.t.Fatal(err)
	}
	return view
}

// courses asks for so many places in a course.
func courses(quantity int) string {
	return fmt.Sprintf(`"interests":[{"item":%q,"quantity":%d,"unitAmount":"10.00"}]`, courseItem, quantity)
}
