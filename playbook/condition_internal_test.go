package playbook

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/opportunity"
)

func amount(t interface{ Fatal(args ...any) }, text string) opportunity.Amount {
	a, err := opportunity.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConditionsDecideExactly(t *testing.T) {
	facts := Facts{
		Details: opportunity.Details{
			Region: opportunity.Ref{ID: "r1", Name: "UK"}, Account: opportunity.Ref{ID: "a1", Name: "Administrate"}, Currency: "GBP",
		},
		Step: opportunity.Step{ID: "s1", Name: "Proposed", Stage: opportunity.Stage{Name: "Early", State: opportunity.Open}},
		Interests: []Interest{
			{Item: "e1", Kind: opportunity.Event, Quantity: 3, UnitAmount: amount(t, "0.1"), Reserve: true, FreePlaces: new(2)},
			{Item: "t1", Kind: opportunity.Tokens, Quantity: 1, UnitAmount: amount(t, "999.70")},
		},
		Attributes: map[string]string{"seats": "12", "budget": "1000.00", "source": "web"},
	}
	for text, want := range map[string]bool{
		"value == 1000":                          true,
		"value == 1000.0":                        true,
		"1000 == value":                          true,
		"value >= 1000":                          true,
		"value > 1000":                           false,
		"value < 1000.0001 and value > 999.9999": true,
		"value != 1000":                          false,
		"value + 0.1 + 0.2 == 1000.3":            true,
		"value - 999.70 == 0.3":                  true,
		"value * 3 == 3000":                      true,
		"interests[0].unitAmount * interests[0].quantity == 0.30":            true,
		"value == money(attributes[\"budget\"])":                             true,
		"currency == \"GBP\" and region in [\"UK\", \"US\"]":                 true,
		"regionId == \"r1\" and accountId == \"a1\" and stepId == \"s1\"":    true,
		"step == \"Proposed\" and stage == \"Early\" and state == \"Open\"":  true,
		"account startsWith \"Admin\"":                                       true,
		"any(interests, .kind == \"tokens\")":                                true,
		"all(interests, .reserve)":                                           false,
		"count(interests, .kind == \"event\") == 1 and len(interests) == 2":  true,
		"sum(interests, .quantity) == 4":                                     true,
		"int(attributes[\"seats\"]) > 10":                                    true,
		"attributes[\"none\"] == \"\"":                                       true,
		"attributes.source matches \"^w\" and not (attributes.none != \"\")": true,
		"lower(region) == \"uk\"":                                            true,
		"interests[0].freePlaces > 1 and interests[0].freePlaces < 3":        true,
		"interests[0].freePlaces >= interests[0].quantity":                   false,
		"any(interests, .kind == \"event\" and .freePlaces > 1)":             true,
	} {
		found, wrong := Expression(text).compile()
		if wrong != nil {
			t.Errorf("%s: %s", text, wrong.text)
			continue
		}
		if got, err := found.holds(conditionEnvOf(facts)); err != nil || got != want {
			t.Errorf("%s is %v, want %v: %v", text, got, want, err)
		}
		again, wrong := Expression(found.canonical).compile()
		if wrong != nil {
			t.Errorf("%s has the canonical form %s, which does not compile: %s", text, found.canonical, wrong.text)
			continue
		}
		if got, err := again.holds(conditionEnvOf(facts)); err != nil || got != want || again.canonical != found.canonical {
			t.Errorf("%s has the canonical form %s, which is %v and has the canonical form %s: %v", text, found.canonical, got, again.canonical, err)
		}
	}
	for _, text := range []string{"int(attributes[\"source\"]) > 1", "interests[5].quantity > 1", "money(attributes[\"source\"]) > 1", "interests[1].freePlaces > 0", "interests[1].freePlaces + 1 > 0", "all(interests, .freePlaces < 9)"} {
		found, wrong := Expression(text).compile()
		if wrong != nil {
			t.Errorf("%s: %s", text, wrong.text)
			continue
		}
		if got, err := found.holds(conditionEnvOf(facts)); err == nil || got {
			t.Errorf("%s is decided as %v", text, got)
		}
	}
}

func TestAmountsAreComparedAsWritten(t *testing.T) {
	amounts := rapid.StringMatching(`[1-9][0-9]{0,14}\.[0-9]{1,4}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := amounts.Draw(t, "a"), amounts.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = a[:len(a)-1] + rapid.StringMatching(`[0-9]`).Draw(t, "last digit")
		}
		found, wrong := Expression("value >= " + b).compile()
		if wrong != nil {
			t.Fatal(wrong.text)
		}
		facts := Facts{Interests: []Interest{{Quantity: 1, UnitAmount: amount(t, a)}}}
		want := amount(t, a).Decimal().GreaterThanOrEqual(amount(t, b).Decimal())
		if got, err := found.holds(conditionEnvOf(facts)); err != nil || got != want {
			t.Fatalf("%s >= %s is %v: %v", a, b, got, err)
		}
		if want := amount(t, b).Decimal().String(); found.canonical != "value >= "+want {
			t.Fatalf("%s has the canonical form %s", b, found.canonical)
		}
	})
}

// TestConditionsKnowNoFloats checks that nothing in a condition can be a float or can have a method that returns a
// float.
func TestConditionsKnowNoFloats(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		if typ.NumMethod() > 0 || reflect.PointerTo(typ).NumMethod() > 0 {
			t.Errorf("%s has methods", typ)
		}
		switch typ.Kind() {
		case reflect.Float32, reflect.Float64:
			t.Errorf("%s is a float", typ)
		case reflect.Slice, reflect.Map, reflect.Pointer:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				if typ.Field(i).IsExported() {
					walk(typ.Field(i).Type)
				}
			}
		}
	}
	walk(reflect.TypeFor[conditionEnv]())
	for _, text := range []string{"1 / 2 > 0", "2 ** 3 > 1", "5 % 2 == 1", "value / 3 > 1", "float(\"1\") > 0", "now() != nil", "round(1.5) > 1"} {
		if _, wrong := Expression(text).compile(); wrong == nil {
			t.Errorf("%s compiles", text)
		}
	}
}
