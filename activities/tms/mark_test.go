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
	"github.com/oppflow/oppflow/opportunity"
)

// called makes a record with another name under another worker's setting.
func (r *room) called(mark tms.Mark, reference opportunity.Reference, name string) opportunity.ID {
	r.t.Helper()
	r.worker(mark)
	out := r.create(activities.CreateInput{Reference: reference, Start: opportunity.Start{Name: name, Region: string(regionDR)}, Looked: true})
	if out.Fate != opportunity.FateDone {
		r.t.Fatalf("create: %+v", out)
	}
	return out.Record.ID
}

func (r *room) readAs(reference opportunity.Reference, record opportunity.ID) activities.ReadResult {
	r.t.Helper()
	return do[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: reference, Opportunity: record})
}

func TestOwner(t *testing.T) {
	r := newRoom(t, tms.Mark{}) // each case has a record of its own
	byAttribute, byName, byOther := tms.Mark{Attribute: "oppflow"}, tms.Mark{Name: true}, tms.Mark{Attribute: "other"}
	for _, c := range []struct {
		name    string
		reads   tms.Mark // the setting of the worker that looks
		wrote   tms.Mark // the setting of the worker that made the record
		of      opportunity.Reference
		called  string
		want    activities.Owner
		showing string // the name as callers see it
	}{
		{"ours, by attribute", byAttribute, byAttribute, "A-1", "First Aid", activities.OwnerUs, "First Aid"},
		{"another's, by attribute", byAttribute, byAttribute, "A-11", "First Aid", activities.OwnerOther, "First Aid"},
		{"nobody's, by attribute", byAttribute, tms.Mark{}, "A-1", "First Aid", activities.OwnerNobody, "First Aid"},
		{"with an attribute of somebody else", byAttribute, byOther, "A-1", "First Aid", activities.OwnerNobody, "First Aid"},
		{"with brackets, by attribute", byAttribute, tms.Mark{}, "A-1", "First Aid [A-1]", activities.OwnerNobody, "First Aid [A-1]"},
		{"ours, by name", byName, byName, "A-1", "First Aid", activities.OwnerUs, "First Aid"},
		{"another's, by name", byName, byName, "A-11", "First Aid", activities.OwnerOther, "First Aid [A-11]"},
		{"another's whose end is ours", byName, byName, "b] [A-1", "First Aid", activities.OwnerOther, "First Aid [b%5D %5BA-1]"},
		{"nobody's, by name", byName, tms.Mark{}, "A-1", "First Aid", activities.OwnerNobody, "First Aid"},
		{"with other brackets, by name", byName, tms.Mark{}, "A-1", "[urgent] First Aid", activities.OwnerNobody, "[urgent] First Aid"},
		{"what looks like a mark, by name", byName, tms.Mark{}, "A-1", "First Aid [urgent]", activities.OwnerOther, "First Aid [urgent]"},
		{"no setting", tms.Mark{}, byAttribute, "A-11", "First Aid", activities.OwnerUntold, "First Aid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := r.called(c.wrote, c.of, c.called)
			r.worker(c.reads)
			r.requested()
			got := r.readAs("A-1", record)
			if got.Owner != c.want || got.Record.Details.Name != c.showing || got.Record.ID != record {
				t.Errorf("got %+v", got)
			}
			if n := r.requested(); n != 1 {
				t.Errorf("it took %d requests", n)
			}
			// A name proves nothing.
			planned := do[activities.PlanResult](r, activities.PlanOpportunity, activities.PlanInput{Reference: "A-1", Opportunity: record})
			if foreign := c.want == activities.OwnerOther && !c.reads.Name; got.Foreign != foreign || planned.Foreign != foreign {
				t.Errorf("foreign: %t when it is read, %t when it is planned; want %t", got.Foreign, planned.Foreign, foreign)
			}
		})
	}
}

// The first page holds the owner and the record; further pages hold interests only.
func TestOwnerOfAPage(t *testing.T) {
	r := newRoom(t, tms.Mark{Attribute: "oppflow"})
	record := r.created("A-1")
	for range 6 {
		r.apply(record, slices.Repeat([]opportunity.Mutation{interest(course, 1)}, 20)...)
	}
	first := r.readAs("A-1", record)
	if first.Owner != activities.OwnerUs || first.Next == "" {
		t.Fatalf("got %+v", first)
	}
	next := do[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Reference: "A-1", Opportunity: record, After: first.Next})
	if next.Owner != "" || len(next.Record.Interests) != 20 {
		t.Errorf("the next page: owner %q, %d interests", next.Owner, len(next.Record.Interests))
	}
}

func TestMarkARecord(t *testing.T) {
	for name, mark := range map[string]tms.Mark{"attribute": {Attribute: "oppflow"}, "name": {Name: true}, "both": {Attribute: "oppflow", Name: true}} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, tms.Mark{})
			other := tms.Mark{Attribute: "other"}
			record := r.called(other, "kept", "First Aid")
			untouched := r.called(tms.Mark{}, "A-1", "Second Aid")
			r.worker(mark)
			before := r.readAs("A-1", record)
			r.requested()
			in := activities.MarkInput{Reference: "A-1", Opportunity: record, Name: before.Record.Details.Name}
			for range 2 { // a repetition does no harm: the first answer may have been lost
				if got := do[activities.Sending](r, activities.MarkOpportunity, in); !cmp.Equal(got, activities.Sending{About: string(record), Fate: opportunity.FateDone}) {
					t.Fatalf("got %+v", got)
				}
			}
			if n := r.requested(); n != 2 {
				t.Errorf("two markings took %d requests", n)
			}
			after := r.readAs("A-1", record)
			if after.Owner != activities.OwnerUs || r.readAs("B-2", record).Owner != activities.OwnerOther || r.readAs("A-1", untouched).Owner != activities.OwnerNobody {
				t.Errorf("ours %s, another's %s, one that was not marked %s", after.Owner, r.readAs("B-2", record).Owner, r.readAs("A-1", untouched).Owner)
			}
			// Nothing else of the record has changed, as callers see it.
			if diff := cmp.Diff(before.Record, after.Record); diff != "" {
				t.Error(diff)
			}
			found := do[activities.FindResult](r, activities.FindOpportunity, activities.FindInput{Reference: "A-1", Region: string(regionDR)})
			if diff := cmp.Diff([]opportunity.ID{record}, found.Found); diff != "" {
				t.Error(diff)
			}
			r.worker(tms.Mark{})
			if written := r.readAs("A-1", record).Record.Details.Name; (written == "First Aid [A-1]") != mark.Name {
				t.Errorf("the TMS shows the name %q", written)
			}
			r.worker(other)
			if r.readAs("kept", record).Owner != activities.OwnerUs {
				t.Error("an attribute of somebody else was lost")
			}
		})
	}
}

func TestMarkThatFails(t *testing.T) {
	mark := tms.Mark{Attribute: "oppflow"}
	for _, c := range []struct {
		name   string
		fail   func(*room)
		fate   opportunity.Fate
		reason activities.Reason
		after  time.Duration
	}{
		{"500", func(r *room) { r.status(500) }, opportunity.FateUnknown, "", 0},
		{"429 with a time", func(r *room) { r.status(429, "Retry-After", "7") }, opportunity.FateNotSent, activities.ReasonRate, 7 * time.Second},
		{"401", func(r *room) { r.status(401) }, opportunity.FateNotSent, activities.ReasonAuthentication, 0},
		{"nobody there", func(r *room) { r.url = "http://127.0.0.1:1/graphql"; r.worker(mark) }, opportunity.FateNotSent, activities.ReasonUnreachable, 0},
		{"nothing answered", func(r *room) {
			r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = fmt.Fprint(w, `{"data":null,"errors":[{"message":"boom","path":["m0"]}]}`)
				return true
			})
		}, opportunity.FateUnknown, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t, tms.Mark{})
			record := r.created("A-1")
			r.worker(mark)
			c.fail(r)
			got := do[activities.Sending](r, activities.MarkOpportunity, activities.MarkInput{Reference: "A-1", Opportunity: record, Name: "First Aid"})
			if got.Fate != c.fate || got.Reason != c.reason || got.RetryAfter != c.after {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("no such record", func(t *testing.T) {
		r := newRoom(t, mark)
		got := do[activities.Sending](r, activities.MarkOpportunity, activities.MarkInput{Reference: "A-1", Opportunity: id(opportunity.TypeOpportunity, 999), Name: "x"})
		if got.Fate != opportunity.FateRejected || got.Error == nil || got.Error.Label != "Not Found" {
			t.Errorf("got %+v", got)
		}
	})
}

func until(t time.Time) opportunity.Mutation {
	return opportunity.Mutation{Request: "e", Extend: &opportunity.Extend{Until: t}}
}

func TestHoldUntilAnAskedTime(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	places := interest(event, 2)
	places.Interest.Reserve = true
	soon := time.Now().UTC().Add(3 * time.Hour).Truncate(time.Second)
	out := r.apply(record, places, until(soon))
	if got := out.Answers[1]; got.Fate != opportunity.FateDone || got.Reservation == nil || *got.Reservation != (opportunity.Reservation{Valid: true, Until: soon}) {
		t.Errorf("held %+v", got)
	}
	// Each of these expiries is kept exactly: later, earlier, in another zone, with a
	// fraction of a second.
	for _, asked := range []time.Time{
		soon.AddDate(1, 0, 0), soon.Add(-2 * time.Hour), soon.Add(time.Hour).In(time.FixedZone("", 5*3600+1800)), soon.Add(1500 * time.Millisecond),
	} {
		r.requested()
		got := r.apply(record, until(asked)).Answers[0].Reservation
		if got == nil || !got.Valid || !got.Until.Equal(asked.Truncate(time.Second)) {
			t.Errorf("asked for %s: %+v", asked, got)
		}
		if n := r.requested(); n != 1 {
			t.Errorf("it took %d requests", n)
		}
		if read := r.read(record).Reservation; !cmp.Equal(read, *got) {
			t.Errorf("answered %+v, reads %+v", got, read)
		}
	}
	// Lapsed places stay lapsed, though the API returns no error.
	r.mu.Lock()
	r.ahead = 24 * time.Hour
	r.mu.Unlock()
	out = r.apply(record, until(soon.AddDate(1, 0, 0)))
	if got := out.Answers[0]; out.Fate != opportunity.FateDone || got.Fate != opportunity.FateDone || got.Error != nil || got.Reservation == nil || got.Reservation.Valid {
		t.Errorf("a lapsed hold: %+v", out)
	}
	if got := r.read(record).Reservation; got.Valid {
		t.Errorf("a lapsed hold reads %+v", got)
	}
	// Without earlier places there are none.
	if got := r.apply(r.created("A-2"), until(soon.AddDate(1, 0, 0))).Answers[0]; got.Fate != opportunity.FateDone || got.Reservation == nil || got.Reservation.Valid {
		t.Errorf("no hold: %+v", got)
	}
}

// TestAnAnswerWithAnotherExpiry: the answer is passed on unchanged, since the workflow
// reports the real expiry to the caller, unless nobody asked for one.
func TestAnAnswerWithAnotherExpiry(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	held := time.Now().UTC().Add(240 * time.Hour).Truncate(time.Second)
	r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"O","name":"x",
			"step":{"id":"S","name":"s","stage":{"id":"G","name":"g","state":"Open"}},"isReservationValid":true,"reservationsValidUntil":%q}}}}}`, held.Format(time.RFC3339))
		return true
	})
	for _, asked := range []time.Time{held.AddDate(0, 1, 0), held.Add(-time.Hour)} {
		if got := r.apply("O", until(asked)).Answers[0].Reservation; got == nil || *got != (opportunity.Reservation{Valid: true, Until: held}) {
			t.Errorf("asked for %s: %+v", asked, got)
		}
	}
	// An answer without the record proves nothing.
	r.answerInstead(func(w http.ResponseWriter, q *http.Request) bool {
		_, _ = fmt.Fprint(w, `{"data":{"m0":{"extendReservations":{"errors":[]}}}}`)
		return true
	})
	if got := r.apply("O", until(held)); got.Fate != opportunity.FateDone || got.Answers[0].Fate != opportunity.FateUnknown {
		t.Errorf("got %+v", got)
	}
	// The API's own words say why it rejects a request.
	r.answerInstead(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprint(w, `{"data":{"m0":{"extendReservations":{"errors":[{"label":"Too Late","message":"the event has begun","value":null}],"opportunity":null}}}}`)
		return true
	})
	if got := r.apply("O", until(held)).Answers[0]; got.Fate != opportunity.FateRejected || got.Error == nil || got.Error.Label != "Too Late" || !strings.Contains(got.Error.Message, "begun") {
		t.Errorf("got %+v", got)
	}
}

// Every reference is read back from the record that carries it.
func TestReferenceOfARecord(t *testing.T) {
	t.Parallel()
	marks := []tms.Mark{{Attribute: "oppflow"}, {Name: true}}
	rapid.Check(t, func(t *rapid.T) {
		reference := opportunity.Reference(rapid.StringMatching(`[A-Za-z0-9 %\[\]äß一-]{1,40}`).Draw(t, "reference"))
		name := rapid.StringMatching(`[A-Za-z \[\]%]{1,20}`).Draw(t, "name")
		for _, mark := range marks {
			record := administrate.Opportunity{Name: mark.Written(name, reference), Attributes: mark.Attributes(reference)}
			if got, marked := mark.Reference(record); !marked || got != reference {
				t.Fatalf("%+v: the record %+v carries %q, %v; want %q", mark, record, got, marked, reference)
			}
		}
	})
	for _, record := range []administrate.Opportunity{{Name: "First Aid"}, {Name: "First Aid []"}, {Attributes: []administrate.Attribute{{Key: "oppflow"}, {Key: "other", Value: "x"}}}} {
		for _, mark := range append(marks, tms.Mark{}) {
			if got, marked := mark.Reference(record); marked {
				t.Errorf("%+v: %+v carries %q", mark, record, got)
			}
		}
	}
}
