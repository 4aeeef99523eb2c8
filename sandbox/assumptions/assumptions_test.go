package assumptions_test

import (
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox/assumptions"
)

func TestNamesAndOptionsAreUnique(t *testing.T) {
	seen := map[assumptions.Name]bool{}
	for _, row := range assumptions.All() {
		if row.Name == "" || seen[row.Name] || len(row.Options) < 2 {
			t.Errorf("%+v", row)
		}
		seen[row.Name] = true
		words := map[string]bool{}
		for _, v := range row.Options {
			if v.Value == "" || v.Description == "" || words[v.Value] {
				t.Errorf("%s: %+v", row.Name, v)
			}
			words[v.Value] = true
			chosen, err := assumptions.ParseChoices(map[string]string{string(row.Name): v.Value})
			if err != nil || !chosen.Is(row.Name, v.Value) {
				t.Errorf("%s: %+v: %v", row.Name, v, err)
			}
		}
	}
}

func TestFirstOptionIsTheDefault(t *testing.T) {
	chosen, err := assumptions.ParseChoices(map[string]string{string(assumptions.QueryRegions): "areas"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range assumptions.All() {
		want := row.Options[0].Value
		if (assumptions.Choices{}).Of(row.Name) != want {
			t.Errorf("%s is %q without a choice", row.Name, (assumptions.Choices{}).Of(row.Name))
		}
		if row.Name == assumptions.QueryRegions {
			want = "areas"
		}
		if chosen.Of(row.Name) != want {
			t.Errorf("%s is %q", row.Name, chosen.Of(row.Name))
		}
		if _, err := assumptions.ParseChoices(map[string]string{string(row.Name): "anyOther"}); (err == nil) != row.AnyName {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
}

func TestInvalidChoicesListTheOptions(t *testing.T) {
	row := assumptions.All()[0]
	for word, value := range map[string]string{"no.such.row": "x", string(row.Name): "no such value"} {
		_, err := assumptions.ParseChoices(map[string]string{word: value})
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s=%s: %v", word, value, err)
		}
	}
}
