package playbook

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestEveryEffectSaysHowItIsUndone(t *testing.T) {
	page, err := os.ReadFile("../docs/playbook.md")
	if err != nil {
		t.Fatal(err)
	}
	length := Period{7, Days}
	tests := []struct {
		effect EffectRule
		undo   exchange.UndoLevel
	}{
		{EffectRule{Account: &AccountRule{}}, exchange.UndoPartial},
		{EffectRule{Contacts: &ContactsRule{}}, exchange.UndoPartial},
		{EffectRule{Attributes: &AttributesRule{Set: map[string]Text{"a": "b"}}}, exchange.UndoExact},
		{EffectRule{Reserve: &ReserveRule{For: length, NoneReserved: true}}, exchange.UndoPartial},
		{EffectRule{Reserve: &ReserveRule{For: length}}, exchange.UndoNone},
		{EffectRule{Extend: &ExtendRule{For: length}}, exchange.UndoExact},
		{EffectRule{Release: &ReleaseRule{}}, exchange.UndoNone},
		{EffectRule{Register: &RegisterRule{}}, exchange.UndoPartial},
		{EffectRule{CancelRegistrations: &CancelRegistrationsRule{}}, exchange.UndoPartial},
		{EffectRule{Invoice: &InvoiceRule{}}, exchange.UndoExact},
		{EffectRule{Invoice: &InvoiceRule{FinaliseBeforeStart: &length}}, exchange.UndoNone},
		{EffectRule{Tokens: &TokensRule{}}, exchange.UndoExact},
		{EffectRule{Email: &EmailRule{To: "owner", Use: "a"}}, exchange.UndoNone},
		{EffectRule{Log: &LogRule{Message: "m"}}, exchange.UndoNone},
		{EffectRule{Call: &CallRule{Service: "s", Path: "/p", Undo: "/u"}}, exchange.UndoPartial},
		{EffectRule{Call: &CallRule{Service: "s", Path: "/p"}}, exchange.UndoNone},
	}
	seen := make(map[opportunity.EffectKind]bool)
	for _, test := range tests {
		kind := test.effect.kind()
		seen[kind] = true
		undo, how := test.effect.undo()
		if undo != test.undo || how == "" {
			t.Errorf("%s is undone: %s (%s), want %s", kind, undo, how, test.undo)
		}
		if words := test.effect.describe(); !strings.HasPrefix(words, string(kind)+": ") {
			t.Errorf("%s is explained as %q", kind, words)
		}
		row := regexp.MustCompile(`(?m)^\| .` + string(kind) + `. \|.*$`).FindString(string(page))
		if !strings.Contains(row, string(undo)) {
			t.Errorf("the page does not say that the undo of %s is %s: %s", kind, undo, row)
		}
	}
	for name := range reflect.TypeFor[EffectRule]().NumField() {
		if kind, _, _ := strings.Cut(reflect.TypeFor[EffectRule]().Field(name).Tag.Get("json"), ","); kind != "when" && !seen[opportunity.EffectKind(kind)] {
			t.Errorf("nothing is said of %s", kind)
		}
	}
	if kind := (EffectRule{}).kind(); kind != "" {
		t.Errorf("an effect without a kind has the kind %s", kind)
	}
}
