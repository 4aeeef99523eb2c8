package chaos

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

func second(n int) time.Time { return time.Date(2026, 1, 2, 3, 4, n, 0, time.UTC) }

// In the long form, a disruption that was executed before is replaced by the kind during which the
// fewest messages were sent. A late commit and a restore are not repeated.
func TestBalanceOfDisruptions(t *testing.T) {
	s := &Experiment{observations: newObservationLog(), options: Options{Long: true}, executions: map[DisruptionKind]int{
		BlockAPI: 1, KillAnywhere: 2, FreezeWorker: 1, OperateActivities: 1, CommitLate: 1, Restore: 1,
	}}
	for _, kind := range []DisruptionKind{BlockAPI, KillAnywhere, FreezeWorker, OperateActivities, RestartServer, CommitLate, Restore} {
		s.plan.Disruptions = append(s.plan.Disruptions, Disruption{Kind: kind})
	}
	for n := range 60 {
		s.observations.add(audit.Observation{Reference: opportunity.Reference([]string{"a", "b"}[n%2]), SentAt: second(n)})
	}
	s.recordPeriod(BlockAPI, second(0), second(30), "")            // 31 messages
	s.recordPeriod(KillAnywhere, second(31), second(32), "")       // 7 messages
	s.recordPeriod(FreezeWorker, second(40), second(45), "")       // 11 messages
	s.recordPeriod(OperateActivities, second(46), second(47), "a") // 3 messages
	want := func(wants map[DisruptionKind]DisruptionKind) {
		t.Helper()
		for kind, want := range wants {
			if got := s.balance(Disruption{Kind: kind, Alternative: true}); got != (Disruption{Kind: want, Alternative: true}) {
				t.Errorf("%s becomes %+v, want %s", kind, got, want)
			}
		}
	}
	want(map[DisruptionKind]DisruptionKind{BlockAPI: OperateActivities, KillAnywhere: OperateActivities, RestartServer: RestartServer}) // not executed before
	s.recordPeriod(OperateActivities, second(46), second(57), "b")
	want(map[DisruptionKind]DisruptionKind{BlockAPI: KillAnywhere, OperateActivities: KillAnywhere, KillAnywhere: KillAnywhere})
	s.options.Long = false
	want(map[DisruptionKind]DisruptionKind{BlockAPI: BlockAPI})
}

func TestCoverage(t *testing.T) {
	accepted := func(request string, from, over int) audit.Accepted {
		return audit.Accepted{Request: request, At: second(from), ReportedAt: second(over)}
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
		Records: []audit.Record{{ID: "record a", ReferenceTag: "a"}},
		RequestLog: []requestlog.Entry{
			{Received: second(15), Answered: second(16), Fault: "late", ClientGone: true, Fields: []requestlog.Field{{Opportunity: "record a", Outcome: requestlog.Committed}}},
		},
	}
	s := &Experiment{executions: map[DisruptionKind]int{BlockAPI: 1, OperateActivities: 2}}
	for _, what := range []DisruptionKind{CommitLate, BlockAPI, BlockAPI, OperateActivities, RestartServer, FreezeWorker} {
		s.plan.Disruptions = append(s.plan.Disruptions, Disruption{Kind: what})
	}
	s.recordPeriod(BlockAPI, second(12), second(13), "")
	s.recordPeriod(OperateActivities, second(11), second(12), "a")
	s.recordPeriod(OperateActivities, second(20), second(21), "b") // no message of opportunity b waited at this time
	s.recordPeriod(FreezeWorker, second(30), second(31), "")
	want := []Coverage{
		{Kind: CommitLate, Messages: 1, Share: 0.25},                  // a2
		{Kind: BlockAPI, Times: 1, Messages: 3, Share: 0.75},          // a1, b1, c1
		{Kind: OperateActivities, Times: 2, Messages: 1, Share: 0.25}, // a1
		{Kind: RestartServer},
		{Kind: FreezeWorker, Messages: 1, Share: 0.25}, // c1, which never ends its wait
	}
	got := s.coverage(e)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), found (+):\n%s", diff)
	}
	if diff := cmp.Diff([]DisruptionKind{RestartServer}, Report{Coverage: got}.Uncovered()); diff != "" {
		t.Errorf("unmet:\n%s", diff)
	}
}
