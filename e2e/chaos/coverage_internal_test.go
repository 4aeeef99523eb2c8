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

// In the long form, the repetition of a long disruption becomes the repetition of a short disruption.
func TestBalanceOfDisruptions(t *testing.T) {
	s := &Experiment{options: Options{Long: true}, executions: map[DisruptionKind]int{BlockAPI: 1, KillAnywhere: 2, FreezeWorker: 1, OperateActivities: 1}}
	for _, kind := range []DisruptionKind{BlockAPI, KillAnywhere, FreezeWorker, OperateActivities, RestartServer} {
		s.plan.Disruptions = append(s.plan.Disruptions, Disruption{Kind: kind})
	}
	s.recordPeriod(BlockAPI, second(0), second(30), "")
	s.recordPeriod(KillAnywhere, second(31), second(32), "")
	s.recordPeriod(KillAnywhere, second(33), second(34), "")
	s.recordPeriod(FreezeWorker, second(40), second(45), "")
	s.recordPeriod(OperateActivities, second(46), second(47), "a")
	for kind, want := range map[DisruptionKind]DisruptionKind{
		BlockAPI: KillAnywhere, FreezeWorker: KillAnywhere, KillAnywhere: KillAnywhere,
		RestartServer: RestartServer, OperateActivities: OperateActivities, // not executed before; affects one opportunity
	} {
		if got := s.balance(Disruption{Kind: kind, Alternative: true}); got != (Disruption{Kind: want, Alternative: true}) {
			t.Errorf("%s becomes %+v, want %s", kind, got, want)
		}
	}
	s.options.Long = false
	if got := s.balance(Disruption{Kind: BlockAPI}); got.Kind != BlockAPI {
		t.Errorf("the short form executes %s", got.Kind)
	}
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
