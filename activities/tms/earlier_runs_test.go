package tms_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestStartsAreCompared(t *testing.T) {
	const own = "default-test-run-id"
	start := opportunity.Start{Name: "First Aid", Region: string(regionDR), Currency: "GBP"}
	named, priced, elsewhere := start, start, start
	named.Name, priced.Currency, elsewhere.Region = "Second Aid", "EUR", string(id(opportunity.TypeRegion, "UK"))
	again := start
	again.RequestID = "order-2"
	for name, c := range map[string]struct {
		lives map[string]earlierRun
		runs  []string
		want  activities.Reason
		error opportunity.ErrorType
	}{
		"equal":                {lives: map[string]earlierRun{"1": {start: &again}}, want: activities.ReasonEarlierRun},
		"another name":         {lives: map[string]earlierRun{"1": {start: &named}}, error: opportunity.Conflict},
		"another currency":     {lives: map[string]earlierRun{"1": {start: &priced}}, error: opportunity.Conflict},
		"another region":       {lives: map[string]earlierRun{"1": {start: &elsewhere}}, error: opportunity.Conflict},
		"adopted":              {lives: map[string]earlierRun{"1": {start: &opportunity.Start{Adopt: id(opportunity.TypeOpportunity, 2)}}}, error: opportunity.Conflict},
		"continued, equal":     {lives: map[string]earlierRun{"1": {carried: entity.NewState("A-1", start, time.Now())}}, want: activities.ReasonEarlierRun},
		"continued, different": {lives: map[string]earlierRun{"1": {carried: entity.NewState("A-1", named, time.Now())}}, error: opportunity.Conflict},
		"failed before":        {lives: map[string]earlierRun{"1": {start: &named, failed: opportunity.NotFound}}, want: activities.ReasonEarlierRun},
		"skipped":              {lives: map[string]earlierRun{"1": {start: &named, failed: opportunity.Skipped}}, error: opportunity.Conflict},
		"refused before":       {lives: map[string]earlierRun{"1": {start: &named}, "2": {start: &start, failed: opportunity.Conflict}}, error: opportunity.Conflict},
		"one of two":           {lives: map[string]earlierRun{"1": {start: &start}, "2": {start: &opportunity.Start{Adopt: id(opportunity.TypeOpportunity, 2)}}}, want: activities.ReasonEarlierRun},
		"forgotten":            {runs: []string{own, "1"}, want: activities.ReasonEarlierRun},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			r.namespace.runs, r.namespace.earlierRuns = append([]string{own}, c.runs...), c.lives
			for run := range c.lives {
				r.namespace.runs = append(r.namespace.runs, run)
			}
			for _, run := range []string{"", "the run before"} {
				out := r.create(activities.CreateInput{Reference: "A-1", Start: start, StartDigest: start.Digest(), RunID: run})
				switch {
				case c.error != "":
					if out.Status != exchange.StatusRejected || out.Error == nil || out.Error.Type != c.error {
						t.Errorf("got %+v; want %s", out.CallResult, c.error)
					}
				case run != "":
					if out.Reason != activities.ReasonReset {
						t.Errorf("got %+v; want that the run was reset", out.CallResult)
					}
				case out.Reason != c.want:
					t.Errorf("got %+v; want %s", out.CallResult, c.want)
				}
			}
			if n := r.requestCount(); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

// The index of runs shows the current run before it shows the earlier run.
func TestAnIndexThatShowsTheNewRunFirst(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{InName: true})
	r.namespace.runs = []string{"default-test-run-id"}
	in := activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}}
	in.StartDigest = in.Start.Digest()
	in.NoEarlierRun = true
	if out := r.create(in); out.Status != exchange.StatusDone {
		t.Fatalf("got %+v", out)
	}
	in.NoEarlierRun = false
	if out := r.create(in); out.Reason != activities.ReasonEarlierRun {
		t.Errorf("got %+v; want it looked for by its mark", out)
	}
	in.Start.Name = "Second Aid"
	in.StartDigest = in.Start.Digest()
	if out := r.create(in); out.Status != exchange.StatusRejected || out.Error.Type != opportunity.Conflict {
		t.Errorf("got %+v for another start; want a conflict", out)
	}
	r.newWorker(tms.ReferenceTag{InName: true})
	if out := r.create(in); out.Reason != activities.ReasonEarlierRun {
		t.Errorf("another worker: got %+v; want it looked for by its mark", out)
	}
}

func TestRequestsOfATerminatedRunAreWaitedFor(t *testing.T) {
	const own = "default-test-run-id"
	all := activities.Times{}.SettleAfterStart()
	for name, c := range map[string]struct {
		runs        map[string]earlierRun
		least, most time.Duration
	}{
		"cancelled":               {map[string]earlierRun{"1": {}}, 0, 0},
		"terminated just now":     {map[string]earlierRun{"1": {terminated: time.Now()}}, all - 10*time.Second, all},
		"terminated a minute ago": {map[string]earlierRun{"1": {terminated: time.Now().Add(-time.Minute)}}, all - 70*time.Second, all - 50*time.Second},
		"terminated long ago":     {map[string]earlierRun{"1": {terminated: time.Now().Add(-time.Hour)}}, 0, 0},
		"not shown":               {nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // one of the cases lists runs for several seconds
			r := newFixture(t, tms.ReferenceTag{InName: true})
			record := r.createRecord("A-1")
			r.newWorker(tms.ReferenceTag{InName: true})
			r.namespace.runs, r.namespace.earlierRuns = []string{own}, c.runs
			for run := range c.runs {
				r.namespace.runs = append(r.namespace.runs, run)
			}
			start := opportunity.Start{Name: "First Aid", Region: string(regionDR)}
			within := func(what string, got, least, most time.Duration) {
				t.Helper()
				if got < least || got > most {
					t.Errorf("%s: waits %v; want %v to %v", what, got, least, most)
				}
			}
			out := r.create(activities.CreateInput{Reference: "A-1", Start: start})
			if out.Reason != activities.ReasonEarlierRun {
				t.Fatalf("got %+v; want it looked for", out.CallResult)
			}
			within("create", out.RetryAfter, c.least, c.most)
			least, most := c.least, c.most
			if c.runs == nil { // a run may have been terminated just before this run began
				least, most = all, all
			}
			found := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: string(regionDR), StartDigest: "d"})
			within("find", found.SettleTime, least, most)
			read := mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, WorkflowID: "opportunity/A-1", RunID: own})
			within("adopt", read.SettleTime, least, most)
		})
	}
}

func TestAReferenceThatHadAnotherRecord(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-2")
	had := opportunity.Start{Name: "First Aid", Region: string(regionDR)}
	for name, c := range map[string]struct {
		life earlierRun
		want exchange.ChangeStatus
	}{
		"another start":       {earlierRun{start: &had}, exchange.StatusRejected},
		"another record":      {earlierRun{start: &opportunity.Start{Adopt: id(opportunity.TypeOpportunity, 77)}}, exchange.StatusRejected},
		"the same record":     {earlierRun{start: &opportunity.Start{Adopt: record}}, exchange.StatusDone},
		"a start that failed": {earlierRun{start: &had, failed: opportunity.Rejected}, exchange.StatusDone},
	} {
		r.newWorker(tms.ReferenceTag{Attribute: "oppflow"})
		r.namespace.runs, r.namespace.earlierRuns = []string{"own", "1"}, map[string]earlierRun{"1": c.life}
		in := activities.TagInput{Reference: "A-1", Opportunity: record, Name: "First Aid", WorkflowID: "opportunity/A-1", RunID: "own"}
		if out := mustRunActivity[activities.CallResult](r, activities.TagOpportunity, in); out.Status != c.want {
			t.Errorf("%s: got %+v; want %s", name, out, c.want)
		}
	}
}
