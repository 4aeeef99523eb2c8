package main

import (
	"strings"
	"testing"

	"github.com/oppflow/oppflow/e2e/chaos"
	"github.com/oppflow/oppflow/e2e/chaos/audit"
)

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"--output xml", exitUsage, "xml"},
		{"--nothing", exitUsage, "nothing"},
		{"--in-flight 8,0", exitUsage, "--in-flight 0"},
		{"--quick --only idle", exitUsage, "--only idle takes too long"},
		{"--only counts,speed", exitUsage, `"speed"`},
		{"storm", exitUsage, `"storm"`},
		{"chaos now", exitUsage, `"now"`},
		{"chaos --minutes 0", exitUsage, "--minutes 0"},
		{"chaos --short --minutes 3", exitUsage, "exclude each other"},
		{"chaos --data .", exitUsage, "contains files already"},
		{"chaos --output xml", exitUsage, "xml"},
		{"chaos --only tempest", exitUsage, "tempest"},
		{"chaos --playbook poor", exitUsage, "poor"},
		{"chaos --nothing", exitUsage, "nothing"},
		{"chaos --help", 0, "--seed"},
		{"--help", 0, "chaos"},
		{"--help", 0, "--quick"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var stdout, stderr strings.Builder
			status := benchMain(t.Context(), strings.Fields(c.args), &stdout, &stderr)
			if text := stdout.String() + stderr.String(); status != c.status || !strings.Contains(text, c.says) {
				t.Errorf("exit code %d, want %d; the output is %q, want %q in the output", status, c.status, text, c.says)
			}
		})
	}
}

// verdict returns an error if the chaos test found a violation or a problem.
func TestVerdict(t *testing.T) {
	visited := chaos.Report{}
	for _, place := range chaos.KillPoints() {
		visited.Kills = append(visited.Kills, chaos.Kill{Point: place})
	}
	violated, troubled := visited, visited
	violated.Violations = []audit.Violation{{Kind: audit.Lost}}
	troubled.Problems = []string{"trouble"}
	unmet := visited
	unmet.Long, unmet.Coverage = true, []chaos.Coverage{{Kind: chaos.BlockAPI, Messages: 9, Share: 0.009}}
	met := visited
	met.Long, met.Coverage = true, []chaos.Coverage{{Kind: chaos.BlockAPI, Messages: 10, Share: 0.01}}
	for name, c := range map[string]struct {
		report chaos.Report
		short  bool
		fails  bool
	}{
		"all well":           {visited, false, false},
		"a violation":        {violated, false, true},
		"a problem":          {troubled, false, true},
		"unvisited":          {chaos.Report{}, false, true},
		"unvisited in short": {chaos.Report{}, true, false},
		"too few met":        {unmet, false, true},
		"a hundredth met":    {met, false, false},
	} {
		if err := verdict(c.report, c.short); (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
}
