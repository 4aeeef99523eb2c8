package tms_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *fixture) createNamed(mark tms.ReferenceTag, reference opportunity.Reference, name string) opportunity.ID {
	r.t.Helper()
	r.newWorker(mark)
	out := r.create(activities.CreateInput{Reference: reference, Start: opportunity.Start{Name: name, Region: string(regionDR)}, SkipEarlierRunCheck: true})
	if out.Status != exchange.StatusDone {
		r.t.Fatalf("create: %+v", out)
	}
	return out.Record.ID
}

func (r *fixture) readWithReference(reference opportunity.Reference, record opportunity.ID) activities.ReadResult {
	r.t.Helper()
	return mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: reference, Opportunity: record})
}

func TestTagOwner(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	byAttribute, byName, byOther := tms.ReferenceTag{Attribute: "oppflow"}, tms.ReferenceTag{InName: true}, tms.ReferenceTag{Attribute: "other"}
	for _, c := range []struct {
		name    string
		reads   tms.ReferenceTag // the setting of the worker that reads the record
		wrote   tms.ReferenceTag // the setting of the worker that created the record
		of      opportunity.Reference
		called  string
		want    activities.TagOwner
		showing string // the name as callers see it
	}{
		{"ours, by attribute", byAttribute, byAttribute, "A-1", "First Aid", activities.TagOwnerThis, "First Aid"},
		{"another's, by attribute", byAttribute, byAttribute, "A-11", "First Aid", activities.TagOwnerOther, "First Aid"},
		{"nobody's, by attribute", byAttribute, tms.ReferenceTag{}, "A-1", "First Aid", activities.TagOwnerNone, "First Aid"},
		{"with an attribute of somebody else", byAttribute, byOther, "A-1", "First Aid", activities.TagOwnerNone, "First Aid"},
		{"with brackets, by attribute", byAttribute, tms.ReferenceTag{}, "A-1", "First Aid [A-1]", activities.TagOwnerNone, "First Aid [A-1]"},
		{"ours, by name", byName, byName, "A-1", "First Aid", activities.TagOwnerThis, "First Aid"},
		{"another's, by name", byName, byName, "A-11", "First Aid", activities.TagOwnerOther, "First Aid [A-11]"},
		{"another's whose end is ours", byName, byName, "b] [A-1", "First Aid", activities.TagOwnerOther, "First Aid [b%5D %5BA-1]"},
		{"nobody's, by name", byName, tms.ReferenceTag{}, "A-1", "First Aid", activities.TagOwnerNone, "First Aid"},
		{"with other brackets, by name", byName, tms.ReferenceTag{}, "A-1", "[urgent] First Aid", activities.TagOwnerNone, "[urgent] First Aid"},
		{"what looks like a mark, by name", byName, tms.ReferenceTag{}, "A-1", "First Aid [urgent]", activities.TagOwnerOther, "First Aid [urgent]"},
		{"no setting", tms.ReferenceTag{}, byAttribute, "A-11", "First Aid", activities.TagOwnerUnknown, "First Aid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := r.createNamed(c.wrote, c.of, c.called)
			r.newWorker(c.reads)
			r.requestCount()
			got := r.readWithReference("A-1", record)
			if got.TagOwner != c.want || got.Record.Details.Name != c.showing || got.Record.ID != record {
				t.Errorf("got %+v", got)
			}
			if n := r.requestCount(); n != 1 {
				t.Errorf("it took %d requests", n)
			}
			changed := r.apply(record, exchange.Change{Request: "u", Update: &opportunity.UpdateDetails{Currency: "USD"}})
			planned := mustRunActivity[activities.PlanResult](r, activities.PlanOpportunity, activities.PlanInput{Reference: "A-1", Opportunity: record})
			if foreign := c.want == activities.TagOwnerOther && !c.reads.InName; got.TaggedByOther != foreign || planned.TaggedByOther != foreign || changed.TaggedByOther != foreign {
				t.Errorf("foreign: %t when it is read, %t when it is planned, %t when it is changed; want %t", got.TaggedByOther, planned.TaggedByOther, changed.TaggedByOther, foreign)
			}
		})
	}
}

// The first page of a record contains the owner of the reference tag and the record; later pages
// contain only interests.
func TestTagOwnerOfAPage(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{Attribute: "oppflow"})
	record := r.createRecord("A-1")
	for range 6 {
		r.apply(record, slices.Repeat([]exchange.Change{interest(course, 1)}, 20)...)
	}
	first := r.readWithReference("A-1", record)
	if first.TagOwner != activities.TagOwnerThis || first.Next == "" {
		t.Fatalf("got %+v", first)
	}
	next := mustRunActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, After: first.Next})
	if next.TagOwner != "" || len(next.Record.Interests) != 20 {
		t.Errorf("the next page: owner %q, %d interests", next.TagOwner, len(next.Record.Interests))
	}
}

func TestTagARecord(t *testing.T) {
	for name, mark := range map[string]tms.ReferenceTag{"attribute": {Attribute: "oppflow"}, "name": {InName: true}, "both": {Attribute: "oppflow", InName: true}} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			other := tms.ReferenceTag{Attribute: "other"}
			record := r.createNamed(other, "kept", "First Aid")
			untouched := r.createNamed(tms.ReferenceTag{}, "A-1", "Second Aid")
			r.newWorker(mark)
			before := r.readWithReference("A-1", record)
			r.requestCount()
			in := activities.TagInput{Reference: "A-1", Opportunity: record, Name: before.Record.Details.Name}
			for range 2 { // a repetition does no harm: the first response may have been lost
				if got := mustRunActivity[activities.CallResult](r, activities.TagOpportunity, in); !cmp.Equal(got, activities.CallResult{Subject: string(record), Status: exchange.StatusDone}) {
					t.Fatalf("got %+v", got)
				}
			}
			if n := r.requestCount(); n != 2 {
				t.Errorf("two markings took %d requests", n)
			}
			after := r.readWithReference("A-1", record)
			if after.TagOwner != activities.TagOwnerThis || r.readWithReference("B-2", record).TagOwner != activities.TagOwnerOther || r.readWithReference("A-1", untouched).TagOwner != activities.TagOwnerNone {
				t.Errorf("ours %s, another's %s, one that was not marked %s", after.TagOwner, r.readWithReference("B-2", record).TagOwner, r.readWithReference("A-1", untouched).TagOwner)
			}
			if diff := cmp.Diff(before.Record, after.Record); diff != "" {
				t.Error(diff)
			}
			found := mustRunActivity[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: string(regionDR)})
			if diff := cmp.Diff([]opportunity.ID{record}, found.Found); diff != "" {
				t.Error(diff)
			}
			r.newWorker(tms.ReferenceTag{})
			if written := r.readWithReference("A-1", record).Record.Details.Name; (written == "First Aid [A-1]") != mark.InName {
				t.Errorf("the TMS shows the name %q", written)
			}
			r.newWorker(other)
			if r.readWithReference("kept", record).TagOwner != activities.TagOwnerThis {
				t.Error("an attribute of somebody else was lost")
			}
		})
	}
}

func TestTagThatFails(t *testing.T) {
	mark := tms.ReferenceTag{Attribute: "oppflow"}
	for _, c := range []struct {
		name   string
		fail   func(*fixture)
		fate   exchange.ChangeStatus
		reason activities.Reason
		after  time.Duration
	}{
		{"500", func(r *fixture) { r.respondWithStatus(500) }, exchange.StatusUnknown, "", 0},
		{"429 with a time", func(r *fixture) { r.respondWithStatus(429, "Retry-After", "7") }, exchange.StatusNotSent, activities.ReasonRateLimit, 7 * time.Second},
		{"401", func(r *fixture) { r.respondWithStatus(401) }, exchange.StatusNotSent, activities.ReasonAuthentication, 0},
		{"nobody there", func(r *fixture) { r.url = "http://127.0.0.1:1/graphql"; r.newWorker(mark) }, exchange.StatusNotSent, activities.ReasonUnreachable, 0},
		{"nothing answered", func(r *fixture) {
			r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = fmt.Fprint(w, `{"data":null,"errors":[{"message":"boom","path":["m0"]}]}`)
				return true
			})
		}, exchange.StatusUnknown, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			r.newWorker(mark)
			c.fail(r)
			got := mustRunActivity[activities.CallResult](r, activities.TagOpportunity, activities.TagInput{Reference: "A-1", Opportunity: record, Name: "First Aid"})
			if got.Status != c.fate || got.Reason != c.reason || got.RetryAfter != c.after {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("no such record", func(t *testing.T) {
		r := newFixture(t, mark)
		got := mustRunActivity[activities.CallResult](r, activities.TagOpportunity, activities.TagInput{Reference: "A-1", Opportunity: id(opportunity.TypeOpportunity, 999), Name: "x"})
		if got.Status != exchange.StatusRejected || got.Error == nil || got.Error.Label != "Not Found" {
			t.Errorf("got %+v", got)
		}
	})
}

func extendUntil(t time.Time) exchange.Change {
	return exchange.Change{Request: "e", ReservationChange: &exchange.ReservationChange{Until: t}}
}

func TestReservationUntilARequestedTime(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	places := interest(event, 2)
	places.Interest.Reserve = true
	soon := time.Now().UTC().Add(3 * time.Hour).Truncate(time.Second)
	out := r.apply(record, places, extendUntil(soon))
	if got := out.Results[1]; got.Status != exchange.StatusDone || got.Reservation == nil || *got.Reservation != (opportunity.Reservation{Valid: true, Until: soon}) {
		t.Errorf("held %+v", got)
	}
	for _, asked := range []time.Time{
		soon.AddDate(1, 0, 0), soon.Add(-2 * time.Hour), soon.Add(time.Hour).In(time.FixedZone("", 5*3600+1800)), soon.Add(1500 * time.Millisecond),
	} {
		r.requestCount()
		got := r.apply(record, extendUntil(asked)).Results[0].Reservation
		if got == nil || !got.Valid || !got.Until.Equal(asked.Truncate(time.Second)) {
			t.Errorf("asked for %s: %+v", asked, got)
		}
		if n := r.requestCount(); n != 1 {
			t.Errorf("it took %d requests", n)
		}
		if read := r.read(record).Reservation; !cmp.Equal(read, *got) {
			t.Errorf("answered %+v, reads %+v", got, read)
		}
	}
	r.mu.Lock()
	r.clockOffset = 24 * time.Hour
	r.mu.Unlock()
	out = r.apply(record, extendUntil(soon.AddDate(1, 0, 0)))
	if got := out.Results[0]; out.Status != exchange.StatusDone || got.Status != exchange.StatusDone || got.Error != nil || got.Reservation == nil || got.Reservation.Valid {
		t.Errorf("an expired hold: %+v", out)
	}
	if got := r.read(record).Reservation; got.Valid {
		t.Errorf("an expired hold reads %+v", got)
	}
	if got := r.apply(r.createRecord("A-2"), extendUntil(soon.AddDate(1, 0, 0))).Results[0]; got.Status != exchange.StatusDone || got.Reservation == nil || got.Reservation.Valid {
		t.Errorf("no hold: %+v", got)
	}
}

// TestAnAnswerWithAnotherExpiry: the worker returns the expiry in the response unchanged, because
// the workflow reports the real expiry to the caller.
func TestAnAnswerWithAnotherExpiry(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	held := time.Now().UTC().Add(240 * time.Hour).Truncate(time.Second)
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"O","name":"x",
			"step":{"id":"S","name":"s","stage":{"id":"G","name":"g","state":"Open"}},"isReservationValid":true,"reservationsValidUntil":%q}}}}}`, held.Format(time.RFC3339))
		return true
	})
	for _, asked := range []time.Time{held.AddDate(0, 1, 0), held.Add(-time.Hour)} {
		if got := r.apply("O", extendUntil(asked)).Results[0].Reservation; got == nil || *got != (opportunity.Reservation{Valid: true, Until: held}) {
			t.Errorf("asked for %s: %+v", asked, got)
		}
	}
	// A response without the record proves nothing.
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		_, _ = fmt.Fprint(w, `{"data":{"m0":{"extendReservations":{"errors":[]}}}}`)
		return true
	})
	if got := r.apply("O", extendUntil(held)); got.Status != exchange.StatusDone || got.Results[0].Status != exchange.StatusUnknown {
		t.Errorf("got %+v", got)
	}
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprint(w, `{"data":{"m0":{"extendReservations":{"errors":[{"label":"Too Late","message":"the event has begun","value":null}],"opportunity":null}}}}`)
		return true
	})
	if got := r.apply("O", extendUntil(held)).Results[0]; got.Status != exchange.StatusRejected || got.Error == nil || got.Error.Label != "Too Late" || !strings.Contains(got.Error.Message, "begun") {
		t.Errorf("got %+v", got)
	}
}

func TestReferenceOfARecord(t *testing.T) {
	t.Parallel()
	marks := []tms.ReferenceTag{{Attribute: "oppflow"}, {InName: true}}
	rapid.Check(t, func(t *rapid.T) {
		reference := opportunity.Reference(rapid.StringMatching(`[A-Za-z0-9 %\[\]äß一-]{1,40}`).Draw(t, "reference"))
		name := rapid.StringMatching(`[A-Za-z \[\]%]{1,20}`).Draw(t, "name")
		for _, mark := range marks {
			record := administrate.Opportunity{Name: mark.AddToName(name, reference), Attributes: mark.Attributes(reference)}
			if got, marked := mark.Reference(record); !marked || got != reference {
				t.Fatalf("%+v: the record %+v carries %q, %v; want %q", mark, record, got, marked, reference)
			}
		}
	})
	for _, record := range []administrate.Opportunity{{Name: "First Aid"}, {Name: "First Aid []"}, {Attributes: []administrate.Attribute{{Key: "oppflow"}, {Key: "other", Value: "x"}}}} {
		for _, mark := range append(marks, tms.ReferenceTag{}) {
			if got, marked := mark.Reference(record); marked {
				t.Errorf("%+v: %+v carries %q", mark, record, got)
			}
		}
	}
}
