package tms_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/serviceerror"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestCreateLooksForEarlierRuns(t *testing.T) {
	in := activities.CreateInput{Reference: "A-1", Start: opportunity.Start{Name: "First Aid", Region: string(regionDR)}}
	const own = "default-test-run-id"
	for _, c := range []struct {
		name   string
		runs   []string
		err    error
		looked bool
		first  bool
		blind  bool
		want   activities.Reason
	}{
		{name: "the first run", first: true},
		{name: "the first run that is listed", runs: []string{own}, want: activities.ReasonEarlierRun},
		{name: "listed, and nothing would find the record", runs: []string{own}, blind: true},
		{name: "not listed yet", want: activities.ReasonEarlierRun},
		{name: "an earlier run", runs: []string{own, "other"}, want: activities.ReasonEarlierRun},
		{name: "the namespace does not answer", err: errors.New("down"), want: activities.ReasonEarlierRun},
		{name: "the namespace is asked too much", err: &serviceerror.ResourceExhausted{Message: "rps"}, want: activities.ReasonNamespaceBusy},
		{name: "the namespace answers too late", err: context.DeadlineExceeded, want: activities.ReasonNamespaceBusy},
		{name: "looked already", runs: []string{"other"}, looked: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // two of the cases list runs until their time is over
			r := newFixture(t, tms.ReferenceTag{InName: !c.blind})
			r.activities.SetEarlierRunTimeout(time.Second)
			r.namespace.runs, r.namespace.err = c.runs, c.err
			in := in
			in.SkipEarlierRunCheck, in.NoEarlierRun = c.looked, c.first
			out := r.create(in)
			if out.Reason != c.want || (out.Status == exchange.StatusDone) != (c.want == "") {
				t.Errorf("got %+v", out.CallResult)
			}
			if sent := r.requestCount(); sent > 0 != (c.want == "") {
				t.Errorf("%d requests were sent", sent)
			}
			if (len(r.namespace.queries) == 0) != (c.looked || c.first) {
				t.Errorf("asked %q", r.namespace.queries)
			}
		})
	}
}

func TestReferenceTag(t *testing.T) {
	for name, mark := range map[string]tms.ReferenceTag{"attribute": {Attribute: "oppflow"}, "name": {InName: true}} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, mark)
			other := r.createRecord("A-11")
			record := r.createRecord("A-1")
			find := func(in activities.FindInput) activities.FindResult {
				t.Helper()
				var all activities.FindResult
				for {
					page := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, in)
					all.Found, all.Region, all.TagDisabled = append(all.Found, page.Found...), page.Region, page.TagDisabled
					if page.Next == "" {
						return all
					}
					in.After = page.Next
				}
			}
			if diff := cmp.Diff([]opportunity.ID{record}, find(activities.FindInput{Reference: "A-1", Region: string(regionDR)}).Found); diff != "" {
				t.Errorf("by the region's id: %s", diff)
			}
			// A worker that does not know the region yet must also find the record, in any spelling
			// of the region.
			for _, region := range []string{"Dominican Republic", "dominican republic"} {
				r.newWorker(mark)
				got := find(activities.FindInput{Reference: "A-1", Region: region})
				if diff := cmp.Diff([]opportunity.ID{record}, got.Found); diff != "" {
					t.Errorf("by the name %q: %s", region, diff)
				}
				if diff := cmp.Diff(opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}, got.Region); diff != "" {
					t.Errorf("the region %q: %s", region, diff)
				}
			}
			if got := find(activities.FindInput{Reference: "A", Region: string(regionDR)}); len(got.Found) != 0 || got.TagDisabled {
				t.Errorf("found for another reference: %+v", got)
			}
			r.createRecord("b] [A-2")
			if got := find(activities.FindInput{Reference: "A-2", Region: string(regionDR)}); len(got.Found) != 0 {
				t.Errorf("the mark of another reference was taken for this one's: %+v", got)
			}
			if got := r.read(record).Details.Name; got != "First Aid" {
				t.Errorf("the name reads %q", got)
			}
			out := r.apply(record, exchange.Change{Request: "u", Update: &opportunity.UpdateDetails{Name: "Second"}})
			if out.Status != exchange.StatusDone || out.Results[0].Details == nil || out.Results[0].Details.Name != "Second" {
				t.Errorf("renamed: %+v", out)
			}
			if diff := cmp.Diff([]opportunity.ID{record}, find(activities.FindInput{Reference: "A-1", Region: string(regionDR)}).Found); diff != "" {
				t.Errorf("after it was renamed: %s", diff)
			}
			// The 105 records need more than one page of search results.
			for range 105 {
				r.createRecord("A-2")
			}
			if got := find(activities.FindInput{Reference: "A-2", Region: "Dominican Republic"}).Found; len(got) != 105 || slices.Contains(got, other) {
				t.Errorf("found %d of 105", len(got))
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		r := newFixture(t, tms.ReferenceTag{})
		r.createRecord("A-1")
		r.requestCount()
		if got := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: "x"}); !got.TagDisabled || r.requestCount() != 0 {
			t.Errorf("got %+v", got)
		}
	})
}
