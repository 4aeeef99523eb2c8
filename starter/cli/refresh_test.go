package cli_test

import (
	"strings"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
)

// The command refresh says whether the record was read, and fails if the record is no longer in the
// TMS.
func TestRefreshSaysWhetherTheRecordWasRead(t *testing.T) {
	waiting := opportunity.View{Reference: "lead-1", Refreshing: true}
	gone := opportunity.View{Reference: "lead-1", Attention: []opportunity.Attention{
		{Kind: opportunity.AttentionEffect, Reason: "an effect waits"}, {Kind: opportunity.AttentionRecord, Reason: "the TMS has no record O1 any more"},
	}}
	earlier := gone
	earlier.Refreshing = true
	for name, test := range map[string]struct {
		views  []any
		stdout string // "" for a failure
	}{
		"read at once":           {[]any{opportunity.View{Reference: "lead-1"}}, "the record of lead-1 is read again; see oppflow show lead-1"},
		"read later":             {[]any{waiting, waiting, opportunity.View{Reference: "lead-1"}}, "the record of lead-1 is read again; see oppflow show lead-1"},
		"gone":                   {[]any{waiting, gone}, ""},
		"gone before, and there": {[]any{earlier, opportunity.View{Reference: "lead-1"}}, "the record of lead-1 is read again; see oppflow show lead-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &frontend{response: opportunity.Outcome{RequestID: "o-1", State: opportunity.Done}, views: test.views}
			got := oppflow(t, service.serve(t), "refresh", "lead-1", "--request-id", "o-1")
			if test.stdout == "" {
				got.wantUsageError(t, 1, "oppflow refresh: lead-1: the TMS has no record O1 any more")
			} else {
				got.wantDone(t, test.stdout)
			}
			if len(service.received) != 1+len(test.views) || service.received[0] != (message{"update", "opportunity/lead-1", "refresh", `{"requestId":"o-1"}`}) || service.received[1].Name != "view" {
				t.Errorf("sent %+v", service.received)
			}
		})
	}
	service := &frontend{response: opportunity.Outcome{RequestID: "o-1", State: opportunity.Done}, views: []any{gone}}
	got := oppflow(t, service.serve(t), "refresh", "lead-1", "--request-id", "o-1", "--output", "json")
	if got.code != 1 || !sameJSON(got.stdout, `{"requestId":"o-1","state":"done"}`) || !strings.Contains(got.stderr, "the TMS has no record O1 any more") {
		t.Errorf("with --output json: %+v", got)
	}
}

// If the API does not respond, the command refresh says what the opportunity waits for.
func TestRefreshOfARecordThatIsNotReadYet(t *testing.T) {
	waiting := opportunity.View{Reference: "lead-1", Refreshing: true, Wait: &opportunity.WaitInfo{Kind: opportunity.AttentionAPI, Reason: "the API cannot be reached"}}
	service := &frontend{response: opportunity.Outcome{RequestID: "o-1", State: opportunity.Done}, views: []any{waiting}}
	oppflow(t, service.serve(t), "refresh", "lead-1", "--timeout", "2s").wantDone(t, "the record of lead-1 is not read yet: the API cannot be reached; see oppflow show lead-1")
}
