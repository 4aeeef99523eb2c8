package playbook

import (
	"testing"

	"github.com/oppflow/oppflow/opportunity"
)

// FuzzCondition checks that compile accepts each text as a condition, or reports a mistake with a
// position inside the text. FuzzCondition also checks that a condition and its canonical form have
// the same value.
func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		"value >= 1000", "value == 0.1 + 0.20", `any(interests, .kind == "event" and .unitAmount * .quantity > 2500)`,
		`attributes["po"] != "" ? region == "UK" : not (state in ["Open"])`, `account startsWith "A" || step matches "^P"`,
		"let v = value; v > 1", "filter(interests, {.reserve})[0].quantity > 1", "value /* so much */ > 1 // or more", "1 < 2 < 3", "!(1..3 == [1])",
		"len(interests) ?? 0 > 1", "interests?.[0]?.item == nil", "{a: 1}.a == 1", "value > -1", "\"\\u00e4\" == `ä`", "sum(interests, .quantity) | int() > 1",
	} {
		f.Add(text)
	}
	facts := Facts{
		Details:    opportunity.Details{Region: opportunity.Ref{Name: "UK"}, Currency: "GBP"},
		Interests:  []Interest{{Item: "e", Kind: opportunity.Event, Quantity: 2, UnitAmount: amount(f, "199.90")}},
		Attributes: map[string]string{"po": "x"},
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, wrong := Expression(text).compile()
		if wrong != nil {
			if wrong.offset < 0 || wrong.offset > len(text) || wrong.text == "" {
				t.Fatalf("compile reports a mistake in %q at offset %d: %q", text, wrong.offset, wrong.text)
			}
			return
		}
		holds, err := found.holds(conditionEnvOf(facts))
		if len(found.canonical) > MaxExpressionBytes {
			return
		}
		again, wrong := Expression(found.canonical).compile()
		if wrong != nil {
			t.Fatalf("%q has the canonical form %q, which does not compile: %s", text, found.canonical, wrong.text)
		}
		if same, other := again.holds(conditionEnvOf(facts)); same != holds || (err == nil) != (other == nil) {
			t.Fatalf("%q is %v (%v), but its canonical form %q is %v (%v)", text, holds, err, found.canonical, same, other)
		}
	})
}
