package playbook

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
)

// Every kind of effect declares how it is undone and is explained. The page describes it correctly.
func TestEveryEffectSaysHowItIsUndone(t *testing.T) {
	page, err := os.ReadFile("../docs/playbook.md")
	if err != nil {
		t.Fatal(err)
	}
	length := Length{7, Days}
	tests := []struct {
		effect EffectRule
		undo   opportunity.Undo
	}{
		{EffectRule{Account: &AccountRule{}}, opportunity.UndoTrace},
		{EffectRule{Contacts: &ContactsRule{}}, opportunity.UndoTrace},
		{EffectRule{Attributes: &AttributesRule{Set: map[string]Text{"a": "b"}}}, opportunity.UndoExact},
		{EffectRule{Reserve: &ReserveRule{For: length, NoneHeld: true}}, opportunity.UndoTrace},
		{EffectRule{Reserve: &ReserveRule{For: length}}, opportunity.UndoNone},
		{EffectRule{Extend: &ExtendRule{For: length}}, opportunity.UndoExact},
		{EffectRule{Release: &ReleaseRule{}}, opportunity.UndoNone},
		{EffectRule{Register: &RegisterRule{}}, opportunity.UndoTrace},
		{EffectRule{CancelRegistrations: &CancelRegistrationsRule{}}, opportunity.UndoTrace},
		{EffectRule{Invoice: &InvoiceRule{}}, opportunity.UndoExact},
		{EffectRule{Invoice: &InvoiceRule{FinaliseBeforeStart: &length}}, opportunity.UndoNone},
		{EffectRule{Tokens: &TokensRule{}}, opportunity.UndoExact},
		{EffectRule{Email: &EmailRule{To: "owner", Use: "a"}}, opportunity.UndoNone},
		{EffectRule{Log: &LogRule{Message: "m"}}, opportunity.UndoNone},
		{EffectRule{Call: &CallRule{Service: "s", Path: "/p", Undo: "/u"}}, opportunity.UndoTrace},
		{EffectRule{Call: &CallRule{Service: "s", Path: "/p"}}, opportunity.UndoNone},
	}
	seen := make(map[opportunity.EffectKind]bool)
	for _, test := range tests {
		kind := test.effect.kind()
		seen[kind] = true
		undo, how := test.effect.undo()
		if undo != test.undo || how == "" {
			t.Errorf("%s is undone: %s (%s), want %s", kind, undo, how, test.undo)
		}
		if words := test.effect.words(); !strings.HasPrefix(words, string(kind)+": ") {
			t.Errorf("%s is explained as %q", kind, words)
		}
		row := regexp.MustCompile(`(?m)^\| .` + string(kind) + `. \|.*$`).FindString(string(page))
		if !strings.Contains(row, string(undo)) {
			t.Errorf("the page does not tell that %s is undone %s: %s", kind, undo, row)
		}
	}
	for name := range reflect.TypeFor[EffectRule]().NumField() {
		if kind, _, _ := strings.Cut(reflect.TypeFor[EffectRule]().Field(name).Tag.Get("json"), ","); kind != "when" && !seen[opportunity.EffectKind(kind)] {
			t.Errorf("nothing is said of %s", kind)
		}
	}
	if kind := (EffectRule{}).kind(); kind != "" {
		t.Errorf("an effect of no kind is of kind %s", kind)
	}
}
