package e2e_test

import (
	"fmt"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
)

const (
	courseItem = "Q291cnNlVGVtcGxhdGU6MTE="
	eventItem  = "Q291cnNlOjE="
	pathItem   = "TGVhcm5pbmdQYXRoOjE="
	tokenItem  = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2"
	seeded     = "T3Bwb3J0dW5pdHk6MQ==" // the record that a new sandbox contains
)

// TestContract tests the contract on real parts, as a service in any language uses the contract.
func TestContract(t *testing.T) {
	t.Parallel()
	p, g := startBehindProxy(t)
	for _, by := range sendModes() {
		for name, test := range map[string]func(*parts, sendMode, string){
			"commands":     (*parts).contractCommands,
			"instructions": (*parts).contractOperatorCommands,
			"close":        (*parts).contractClose,
		} {
			t.Run(name+" by "+by.name, func(t *testing.T) {
				t.Parallel()
				test(p.in(t), by, name+" by "+by.name)
			})
		}
		for _, answer := range []string{"retry", "confirm", "skip"} {
			t.Run(answer+" by "+by.name, func(t *testing.T) {
				t.Parallel()
				p.in(t).contractQuestion(g, by, answer, answer+" by "+by.name)
			})
		}
	}
	for name, test := range map[string]func(*parts, string){
		"starts":                          (*parts).contractStarts,
		"adoptions":                       (*parts).contractAdoptions,
		"refusals":                        (*parts).contractRefusals,
		"one id space":                    (*parts).contractIDs,
		"a state of a newer version":      (*parts).contractNewerState,
		"input outside the contract":      (*parts).contractInput,
		"starts with options of Temporal": (*parts).contractInvalidStarts,
		"any script":                      (*parts).contractScripts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(p.in(t), name)
		})
	}
	t.Run("unreadable signals", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractUnreadable(p.Output)
	})
	t.Run("closed in doubt", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractInDoubt(g, "closed in doubt")
	})
	t.Run("adoptions at once", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractAdoptionRace(g, "adoptions at once")
	})
	t.Run("lost updates", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractClosingRace(t)
	})
	t.Run("continuing", func(t *testing.T) {
		t.Parallel()
		p.in(t).contractContinuing(g)
	})
}

func (p *parts) startProposed(reference string) opportunity.ID {
	p.t.Helper()
	opened, err := p.client.Start(p.t.Context(), opportunity.Reference(reference), opportunity.Start{Name: "First Aid course", Region: "UK"})
	if err != nil {
		p.t.Fatal(err)
	}
	return opened.Opportunity
}

func (p *parts) viewOf(reference string) opportunity.View {
	p.t.Helper()
	view, err := p.client.View(p.t.Context(), opportunity.Reference(reference))
	if err != nil {
		p.t.Fatal(err)
	}
	return view
}

func courses(quantity int) string {
	return fmt.Sprintf(`"interests":[{"item":%q,"quantity":%d,"unitAmount":"10.00"}]`, courseItem, quantity)
}
