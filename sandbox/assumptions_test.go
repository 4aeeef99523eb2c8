package sandbox_test

import (
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

func TestAssumptionsCanBeToldApart(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range sandbox.Assumptions() {
		if a.Name == "" || a.Assumed == "" || a.Assumed == a.Otherwise || seen[a.Name] {
			t.Errorf("%+v", a)
		}
		seen[a.Name] = true
	}
}
