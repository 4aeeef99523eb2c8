package cli

import (
	"os"
	"reflect"
	"testing"

	"github.com/oppflow/oppflow/sandbox/catalogue"
)

func TestDemoCatalogue(t *testing.T) {
	path, err := demoCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Remove(path) }()
	got, err := catalogue.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := catalogue.Default()
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i := range got.Transitions {
		if len(got.Transitions[i].Triggers) > 0 {
			changed++
			got.Transitions[i].Triggers = nil
		}
	}
	if changed != 1 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d transitions have triggers; the rest of the catalogue is\n%+v, want\n%+v", changed, got, want)
	}
}
