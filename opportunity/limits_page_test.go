package opportunity_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

func TestLimitsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	count := func(n int) string {
		text := strconv.Itoa(n)
		for at := len(text) - 3; at > 0; at -= 3 {
			text = text[:at] + "," + text[at:]
		}
		return text
	}
	bytes := func(n int) string { return count(n) + " bytes" }
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + " s" }
	rows := map[string]struct{ row, figure string }{
		"MaxCommandBytes":        {"a message, as JSON", bytes(opportunity.MaxCommandBytes)},
		"MaxUpdateBytes":         {"an update with its headers", bytes(opportunity.MaxUpdateBytes)},
		"MaxReferenceLength":     {"`reference`", count(opportunity.MaxReferenceLength) + " characters"},
		"MaxRequestIDLength":     {"`requestId`", bytes(opportunity.MaxRequestIDLength)},
		"MaxSourceLength":        {"`source`", bytes(opportunity.MaxSourceLength)},
		"MaxTextLength":          {"names, codes, reasons, other text", count(opportunity.MaxTextLength) + " characters"},
		"MaxInterestsPerCommand": {"interests in one `addInterests`", count(opportunity.MaxInterestsPerCommand)},
		"MaxLearners":            {"learners and contacts of one interest", count(opportunity.MaxLearners)},
		"MaxQuantity":            {"quantity of one interest", count(opportunity.MaxQuantity)},
		"MaxInterests":           {"interests", count(opportunity.MaxInterests)},
		"MaxRememberedRequests":  {"request ids that are remembered", count(opportunity.MaxRememberedRequests)},
		"MaxOutcomes":            {"outcomes that can be asked for in full", count(opportunity.MaxOutcomes)},
		"MaxOutcomeBytes":        {"outcomes that can be asked for in full", bytes(opportunity.MaxOutcomeBytes)},
		"MaxErrorMessage":        {"an error's message, label and value in an outcome", count(opportunity.MaxErrorMessage) + ","},
		"MaxErrorLabel":          {"an error's message, label and value in an outcome", count(opportunity.MaxErrorLabel) + " and " + count(opportunity.MaxErrorLabel)},
		"MaxTimeline":            {"entries of the timeline", count(opportunity.MaxTimeline)},
		"MaxWaitingUpdates":      {"updates of commands that wait for their outcome", count(opportunity.MaxWaitingUpdates)},
		"ParkAfterErrors":        {"errors of the API's own before a command is parked", count(opportunity.ParkAfterErrors) + ","},
		"ParkAfter":              {"errors of the API's own before a command is parked", count(int(opportunity.ParkAfter.Minutes())) + " min"},
		"MaxParked":              {"commands that are parked", count(opportunity.MaxParked) + ","},
		"MaxParkedBytes":         {"commands that are parked", bytes(opportunity.MaxParkedBytes)},
		"MaxActiveEffectBytes":   {"effects of the playbook under way", bytes(opportunity.MaxActiveEffectBytes)},
		"MaxEffectResults":       {"effects that ended and are shown", count(opportunity.MaxEffectResults)},
		"MaxAttendeeBytes":       {"people to be trained whom a playbook may register", bytes(opportunity.MaxAttendeeBytes)},
		"MaxFollowUps":           {"follow-ups that are planned and kept", count(opportunity.MaxFollowUps) + ","},
		"MaxFollowUpBytes":       {"follow-ups that are planned and kept", bytes(opportunity.MaxFollowUpBytes)},
		"MaxSkippedFollowUps":    {"follow-ups that will not be done and are shown", count(opportunity.MaxSkippedFollowUps)},
		"MaxCancelledFollowUps":  {"follow-ups that are cancelled", count(opportunity.MaxCancelledFollowUps)},
		"MaxUpdateWait":          {"time an update waits for its outcome", seconds(opportunity.MaxUpdateWait)},
		"MaxStateBytes":          {"what a run hands to the one that continues it", bytes(opportunity.MaxStateBytes)},
		"MaxWaitingBytes":        {"of that, commands that wait", bytes(opportunity.MaxWaitingBytes)},
		"MaxChangesPerRequest":   {"changes in one request", count(opportunity.MaxChangesPerRequest)},
		"MaxRequestBytes":        {"changes in one request", bytes(opportunity.MaxRequestBytes)},
		// Users do not see these limits, so the page about limits leaves the limits out.
		"MaxRecordedItem": {},
		"ExpiryTolerance": {},
	}
	for name, want := range rows {
		if want.row == "" {
			continue
		}
		_, rest, found := strings.Cut(string(page), "\n| "+want.row+" |")
		line, _, _ := strings.Cut(rest, "\n")
		if !found || !strings.Contains(line, want.figure) {
			t.Errorf("%s: the row %q does not say %q: %s", name, want.row, want.figure, line)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "limits.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, name := range spec.Names {
				if _, known := rows[name.Name]; !known {
					t.Errorf("%s is not on the page", name.Name)
				}
			}
		}
		return true
	})
}
