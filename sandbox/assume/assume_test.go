package assume_test

import (
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox/assume"
)

func TestRowsCanBeToldApart(t *testing.T) {
	seen := map[assume.Name]bool{}
	for _, row := range assume.Table() {
		if row.Name == "" || seen[row.Name] || len(row.Values) < 2 {
			t.Errorf("%+v", row)
		}
		seen[row.Name] = true
		words := map[string]bool{}
		for _, v := range row.Values {
			if v.Value == "" || v.Means == "" || words[v.Value] {
				t.Errorf("%s: %+v", row.Name, v)
			}
			words[v.Value] = true
			chosen, err := assume.Choose(map[string]string{string(row.Name): v.Value})
			if err != nil || !chosen.Is(row.Name, v.Value) {
				t.Errorf("%s: %+v: %v", row.Name, v, err)
			}
		}
	}
}

func TestAChoiceIsTheFirstValueUnlessAnotherIsChosen(t *testing.T) {
	chosen, err := assume.Choose(map[string]string{string(assume.QueryRegions): "areas"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range assume.Table() {
		want := row.Values[0].Value
		if (assume.Choices{}).Of(row.Name) != want {
			t.Errorf("%s is %q without a choice", row.Name, (assume.Choices{}).Of(row.Name))
		}
		if row.Name == assume.QueryRegions {
			want = "areas"
		}
		if chosen.Of(row.Name) != want {
			t.Errorf("%s is %q", row.Name, chosen.Of(row.Name))
		}
		if _, err := assume.Choose(map[string]string{string(row.Name): "anyOther"}); (err == nil) != row.Free {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
}

func TestWrongChoicesNameTheRowAndWhatThereIs(t *testing.T) {
	row := assume.Table()[0]
	for word, value := range map[string]string{"no.such.row": "x", string(row.Name): "no such value"} {
		_, err := assume.Choose(map[string]string{word: value})
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s=%s: %v", word, value, err)
		}
	}
}
