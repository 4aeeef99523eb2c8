//go:build unix

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// The test runs the commands on the page of the contract exactly as written.
func TestContractPageFromTheShell(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("temporal"); err != nil {
		t.Skip("skipped, because this machine lacks the temporal command line: nobody runs the commands in docs/contract.md")
	}
	text, err := os.ReadFile("../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	var block string
	for _, found := range regexp.MustCompile("(?s)\n```sh\n(.*?\n)```\n").FindAllStringSubmatch(string(text), -1) {
		block += found[1]
	}
	address := regexp.MustCompile(`(?m)^export TEMPORAL_ADDRESS=.*$`)
	if !address.MatchString(block) {
		t.Fatalf("the page's commands do not set the address:\n%s", block)
	}
	p := startParts(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	environment := append(os.Environ(), "TEMPORAL_ADDRESS="+p.TemporalAddress(), "TEMPORAL_NAMESPACE="+p.Namespace())
	out := (&shell{t: t, env: environment}).run(ctx, address.ReplaceAllString(block, ""))
	t.Logf("%s", out)
	for _, want := range []string{"name:Proposed", `"reservedUntil"`, `"requestId":"move-1"`, `"valid":true`, "COMPLETED"} {
		if !strings.Contains(strings.ReplaceAll(out, `": "`, `":"`), want) {
			t.Errorf("%q is missing in what the commands wrote", want)
		}
	}
	ended, err := p.client.Wait(ctx, "order-2001")
	if err != nil {
		t.Fatal(err)
	}
	if ended.State != opportunity.Won || ended.Interests != 1 || ended.FailedRequests != 0 || ended.Total.String() != "199.90" {
		t.Errorf("unexpected result of the run: %+v", ended)
	}
}
