package sandbox_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/settings/testrun"
)

// mutants returns the deliberate mistakes that the test can switch on in the sandbox. Each mistake
// has a random seed with which the test finds the mistake after few checks. With any other seed,
// the test finds the mistake within 500 checks.
func mutants() map[string]int {
	return map[string]int{
		"a cancelled learner still takes a place": 6, "a transition ignores a failed trigger": 35, "an interest is added twice": 1,
		"extending makes an expired reservation valid": 28, "a reservation is still valid at its expiry time": 34, "a transition ignores missing attributes": 30, "extending to the current time releases no places": 1,
		"a registration keeps the reservation": 52, "reserving makes an expired reservation valid": 29, "an invoice has the currency of the region": 60,
	}
}

// The short form of the test uses the seed of each mistake; the long form uses a random seed.
func TestModelFindsMutants(t *testing.T) {
	t.Parallel()
	var inSources []string
	sources, err := filepath.Glob("store/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`isMutant\("([^"]+)"\)`).FindAllStringSubmatch(string(text), -1) {
			inSources = append(inSources, found[1])
		}
	}
	slices.Sort(inSources)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(mutants())), inSources); diff != "" {
		t.Errorf("the list of mistakes differs from the mistakes in the sources (-list +sources):\n%s", diff)
	}
	const variable = "SANDBOX_MISTAKE"
	// The test program has no race detector, so the program can make many checks.
	program := filepath.Join(t.TempDir(), "mistaken.test")
	link := "-s -w -X github.com/oppflow/oppflow/sandbox/store.mutantVariable=" + variable
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags", link, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(mistake string, arguments ...string) (found bool, out []byte, err error) {
		command := exec.CommandContext(t.Context(), program, append(arguments, "-test.run", "^TestSandboxMatchesModel$", "-rapid.shrinktime=1ms", "-rapid.nofailfile")...)
		command.Env = append(os.Environ(), variable+"="+mistake)
		out, err = command.CombinedOutput()
		return err != nil && strings.Contains(string(out), "[rapid] failed after"), out, err
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		if _, out, err := run("", fmt.Sprintf("-rapid.checks=%d", testrun.Pick(t, 5, 99))); err != nil {
			t.Errorf("without a mistake: %v\n%s", err, out)
		}
	})
	for mistake, seed := range mutants() {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			arguments := []string{"-rapid.checks=500"}
			if !testrun.Long(t) {
				arguments = append(arguments, fmt.Sprintf("-rapid.seed=%d", seed))
			}
			if found, out, err := run(mistake, arguments...); !found {
				t.Errorf("the mistake is not found: %v\n%s", err, out)
			}
		})
	}
}
