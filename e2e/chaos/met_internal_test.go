package chaos

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

func second(n int) time.Time { return time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC) }

// A message met a disruption when it had been accepted and was not done while the disruption was on for its opportunity.
func TestMet(t *testing.T) {
	accepted := func(request string, from, over int) audit.Accepted {
		return audit.Accepted{Request: request, At: second(from), Over: second(over)}
	}
	repeated := accepted("a1", 20, 12)
	e := audit.Evidence{
		Chains: []audit.Chain{
			{Reference: "a", Status: audit.Running, Accepted: []audit.Accepted{accepted("a1", 10, 12), accepted("a2", 14, 18), repeated}},
			{Reference: "b", Status: audit.Running, Accepted: []audit.Accepted{accepted("b1", 11, 13)}},
			{
				Reference: "c", Status: audit.Running, Accepted: []audit.Accepted{{Request: "c1", At: second(10)}},
				Outcomes: map[string]opportunity.Outcome{"c1": {State: opportunity.Pending}},
			},
		},
		Records: []audit.Record{{ID: "record a", Mark: "a"}},
		Ledger: []ledger.Entry{
			{Received: second(15), Answered: second(16), Fault: "late", Gone: true, Fields: []ledger.Field{{Opportunity: "record a", Outcome: ledger.Committed}}},
		},
	}
	s := &Storm{carried: map[Trouble]int{CutOff: 1, PullLevers: 2}}
	for _, what := range []Trouble{CommitLate, CutOff, CutOff, PullLevers, RestartServer, FreezeWorker} {
		s.plan.Disruptions = append(s.plan.Disruptions, Disruption{What: what})
	}
	s.on(CutOff, second(12), second(13), "")
	s.on(PullLevers, second(11), second(12), "a")
	s.on(PullLevers, second(20), second(21), "b") // nothing waited there
	s.on(FreezeWorker, second(30), second(31), "")
	want := []Met{
		{What: CommitLate, Messages: 1, Share: 0.25},           // a2
		{What: CutOff, Times: 1, Messages: 3, Share: 0.75},     // a1, b1, c1
		{What: PullLevers, Times: 2, Messages: 1, Share: 0.25}, // a1
		{What: RestartServer},
		{What: FreezeWorker, Messages: 1, Share: 0.25}, // c1, which waits for ever
	}
	got := s.met(e)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), found (+):\n%s", diff)
	}
	if diff := cmp.Diff([]Trouble{RestartServer}, Report{Met: got}.Unmet()); diff != "" {
		t.Errorf("unmet:\n%s", diff)
	}
}
