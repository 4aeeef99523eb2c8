package tms_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
)

// A start is compared with the starts of earlier runs of the reference, however those
// runs ended.
func TestStartsAreCompared(t *testing.T) {
	const own = "default-test-run-id"
	start := opportunity.Start{Name: "First Aid", Region: string(regionDR), Currency: "GBP"}
	named, priced, elsewhere := start, start, start
	named.Name, priced.Currency, elsewhere.Region = "Second Aid", "EUR", string(id(opportunity.TypeRegion, "UK"))
	again := start
	again.RequestID = "order-2"
	for name, c := range map[string]struct {
		lives map[string]life
		runs  []string
		want  activities.Reason
		error opportunity.ErrorType
	}{
		"equal":                {lives: map[string]life{"1": {start: &again}}, want: activities.ReasonSeen},
		"another name":         {lives: map[string]life{"1": {start: &named}}, error: opportunity.Conflict},
		"another currency":     {lives: map[string]life{"1": {start: &priced}}, error: opportunity.Conflict},
		"another region":       {lives: map[string]life{"1": {start: &elsewhere}}, error: opportunity.Conflict},
		"adopted":              {lives: map[string]life{"1": {start: &opportunity.Start{Adopt: id(opportunity.TypeOpportunity, 2)}}}, error: opportunity.Conflict},
		"continued, equal":     {lives: map[string]life{"1": {carried: opportunity.NewState("A-1", start, time.Now())}}, want: activities.ReasonSeen},
		"continued, different": {lives: map[string]life{"1": {carried: opportunity.NewState("A-1", named, time.Now())}}, error: opportunity.Conflict},
		"failed before":        {lives: map[string]life{"1": {start: &named, failed: opportunity.NotFound}}, want: activities.ReasonSeen},
		"skipped":              {lives: map[string]life{"1": {start: &named, failed: opportunity.Skipped}}, error: opportunity.Conflict},
		"refused before":       {lives: map[string]life{"1": {start: &named}, "2": {start: &start, failed: opportunity.Conflict}}, error: opportunity.Conflict},
		"one of two":           {lives: map[string]life{"1": {start: &start}, "2": {start: &opportunity.Start{Adopt: id(opportunity.TypeOpportunity, 2)}}}, want: activities.ReasonSeen},
		"forgotten":            {runs: []string{own, "1"}, want: activities.ReasonSeen},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, tms.Mark{})
			r.namespace.runs, r.namespace.lives = append([]string{own}, c.runs...), c.lives
			for run := range c.lives {
				r.namespace.runs = append(r.namespace.runs, run)
			}
			for _, run := range []string{"", "the run before"} { // a reset run, too
				out := r.create(activities.CreateInput{Reference: "A-1", Start: start, StartDigest: start.Digest(), Run: run})
				switch {
				case c.error != "":
					if out.Fate != opportunity.FateRejected || out.Error == nil || out.Error.Type != c.error {
						t.Errorf("got %+v; want %s", out.Sending, c.error)
					}
				case run != "":
					if out.Reason != activities.ReasonReset {
						t.Errorf("got %+v; want that the run was reset", out.Sending)
					}
				case out.Reason != c.want:
					t.Errorf("got %+v; want %s", out.Sending, c.want)
				}
			}
			if n := r.requested(); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

// The index of runs shows the run that asks before it shows the earlier run. Then the worker looks for the record
// by its mark, and so does another worker. The worker that made the record also remembers the start.
func TestAnIndexThatShowsTheNewRunFirst(t *testing.T) {
	r := newRoom(t, tms.Mark{Name: true})
	r.namespace.runs = []string{"default-test-run-id"}
	in := activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}}
	in.StartDigest = in.Start.Digest()
	in.First = true
	if out := r.create(in); out.Fate != opportunity.FateDone {
		t.Fatalf("got %+v", out)
	}
	in.First = false
	if out := r.create(in); out.Reason != activities.ReasonSeen {
		t.Errorf("got %+v; want it looked for by its mark", out)
	}
	in.Start.Name = "Second Aid"
	in.StartDigest = in.Start.Digest()
	if out := r.create(in); out.Fate != opportunity.FateRejected || out.Error.Type != opportunity.Conflict {
		t.Errorf("got %+v for another start; want a conflict", out)
	}
	r.worker(tms.Mark{Name: true})
	if out := r.create(in); out.Reason != activities.ReasonSeen {
		t.Errorf("another worker: got %+v; want it looked for by its mark", out)
	}
}

// A run that was terminated may have left a request on its way. A run that ended in another way has not.
func TestRequestsOfATerminatedRunAreWaitedFor(t *testing.T) {
	const own = "default-test-run-id"
	all := activities.Times{}.SettleStarted()
	for name, c := range map[string]struct {
		runs        map[string]life
		least, most time.Duration
	}{
		"cancelled":               {map[string]life{"1": {}}, 0, 0},
		"terminated just now":     {map[string]life{"1": {terminated: time.Now()}}, all - 10*time.Second, all},
		"terminated a minute ago": {map[string]life{"1": {terminated: time.Now().Add(-time.Minute)}}, all - 70*time.Second, all - 50*time.Second},
		"terminated long ago":     {map[string]life{"1": {terminated: time.Now().Add(-time.Hour)}}, 0, 0},
		"not shown":               {nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // one of them asks for seconds
			r := newRoom(t, tms.Mark{Name: true})
			record := r.created("A-1")
			r.worker(tms.Mark{Name: true})
			r.namespace.runs, r.namespace.lives = []string{own}, c.runs
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
			if out.Reason != activities.ReasonSeen {
				t.Fatalf("got %+v; want it looked for", out.Sending)
			}
			within("create", out.RetryAfter, c.least, c.most)
			least, most := c.least, c.most
			if c.runs == nil { // it may have been terminated just before this run began
				least, most = all, all
			}
			found := do[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: string(regionDR), StartDigest: "d"})
			within("find", found.Settling, least, most)
			read := do[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, Workflow: "opportunity/A-1", Run: own})
			within("adopt", read.Settling, least, most)
		})
	}
}

// A record is not taken over for a reference that had another record.
func TestAReferenceThatHadAnotherRecord(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-2")
	had := opportunity.Start{Name: "First Aid", Region: string(regionDR)}
	for name, c := range map[string]struct {
		life life
		want opportunity.Fate
	}{
		"another start":       {life{start: &had}, opportunity.FateRejected},
		"another record":      {life{start: &opportunity.Start{Adopt: id(opportunity.TypeOpportunity, 77)}}, opportunity.FateRejected},
		"the same record":     {life{start: &opportunity.Start{Adopt: record}}, opportunity.FateDone},
		"a start that failed": {life{start: &had, failed: opportunity.Rejected}, opportunity.FateDone},
	} {
		r.worker(tms.Mark{Attribute: "oppflow"})
		r.namespace.runs, r.namespace.lives = []string{"own", "1"}, map[string]life{"1": c.life}
		in := activities.MarkInput{Reference: "A-1", Opportunity: record, Name: "First Aid", Workflow: "opportunity/A-1", Run: "own"}
		if out := do[activities.Sending](r, activities.MarkOpportunity, in); out.Fate != c.want {
			t.Errorf("%s: got %+v; want %s", name, out, c.want)
		}
	}
}
