package tms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestABatchOfEverything(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	ada := []opportunity.Learner{{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com"}}
	price := amount(t, "199.90")
	batch := []exchange.Change{
		{Request: "r", Interest: &opportunity.Interest{Item: string(course), Quantity: 1, UnitAmount: price, Learners: ada}},
		{Request: "r", Index: 1, Interest: &opportunity.Interest{Item: string(event), Quantity: 2, UnitAmount: price, Reserve: true, Learners: ada, Contacts: []opportunity.ID{contact}}},
		{Request: "r", Index: 2, Interest: &opportunity.Interest{Item: string(path), Quantity: 1, UnitAmount: price, Tax: id("TaxType", 1)}},
		{Request: "r", Index: 3, Interest: &opportunity.Interest{Item: string(tokens), Quantity: 3, UnitAmount: price, ExpiresAt: "2023-12-31T23:59:59"}},
		{Request: "u", Update: &opportunity.UpdateDetails{Name: "Second", Currency: "EUR"}},
		{Request: "r", ReservationChange: &exchange.ReservationChange{}},
		progress(string(stepTwo)),
	}
	before := time.Now().UTC().Truncate(time.Second)
	out := r.apply(record, batch...)
	if out.Status != exchange.StatusDone || len(out.Results) != len(batch) {
		t.Fatalf("got %+v", out)
	}
	for i, answer := range out.Results {
		if answer.Status != exchange.StatusDone || answer.Error != nil {
			t.Errorf("change %d: %+v", i, answer)
		}
	}
	var made []exchange.InterestRef
	for i, item := range []opportunity.ID{course, event, path, tokens} {
		if got := out.Results[i].Interests; len(got) != 1 || got[0].Item != item || got[0].ID.Type() != "OpportunityInterest" {
			t.Errorf("interest %d: %+v", i, got)
		}
		one := out.Results[i].Interests[0]
		one.Quantity, one.UnitAmount = batch[i].Interest.Quantity, &price
		made = append(made, one)
	}
	if got := out.Results[4].Details; got == nil || got.Name != "Second" || got.Currency != "EUR" {
		t.Errorf("details %+v", got)
	}
	held := out.Results[5].Reservation
	if held == nil || !held.Valid || held.Until.Before(before.AddDate(0, 0, 14)) || held.Until.After(before.AddDate(0, 0, 14).Add(time.Minute)) {
		t.Errorf("places %+v", held)
	}
	if got := out.Results[6].Step; got == nil || got.ID != stepTwo {
		t.Errorf("step %+v", got)
	}
	if n := r.requestCount(); n != 1 {
		t.Errorf("seven changes took %d requests", n)
	}
	want := exchange.Snapshot{
		ID: record, Details: opportunity.Details{Name: "Second", Currency: "EUR"}, Step: *out.Results[6].Step, Interests: made, Reservation: *held,
	}
	if diff := cmp.Diff(want, r.read(record)); diff != "" {
		t.Error(diff)
	}
	later := held.Until.Add(48 * time.Hour)
	out = r.apply(record, exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{NotBefore: later}})
	if got := out.Results[0].Reservation; got == nil || !got.Valid || !got.Until.Equal(later) {
		t.Errorf("held until %+v, want %s", got, later)
	}
	out = r.apply(record, exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{Release: true}})
	if got := out.Results[0].Reservation; got == nil || got.Valid {
		t.Errorf("released: %+v", got)
	}
	if got := r.read(record).Reservation; got.Valid {
		t.Errorf("released, and reads %+v", got)
	}
	out = r.apply(record, interest(event, 1), exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{}})
	if got := out.Results[1].Reservation; got != nil && got.Valid {
		t.Errorf("an expired hold reads %+v", got)
	}
}

// TestAReleaseThatReleasesNothing: the API returns no error and keeps the places reserved.
func TestAReleaseThatReleasesNothing(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	until := time.Now().UTC().Add(240 * time.Hour).Truncate(time.Second)
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"data":{"m0":{"extendReservations":{"errors":[],"opportunity":{"id":"O","name":"x",
			"step":{"id":"S","name":"s","stage":{"id":"G","name":"g","state":"Open"}},"isReservationValid":true,"reservationsValidUntil":%q}}}}}`, until.Format(time.RFC3339))
		return true
	})
	out := r.apply("O", exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{Release: true}})
	if len(out.Results) != 1 || out.Results[0].Reservation == nil || !out.Results[0].Reservation.Valid {
		t.Errorf("got %+v", out)
	}
	// A response with the earlier expiry does not confirm a reservation with a later expiry.
	out = r.apply("O", exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{NotBefore: until.Add(480 * time.Hour)}})
	if len(out.Results) != 1 || out.Results[0].Reservation == nil || out.Results[0].Reservation.Valid {
		t.Errorf("got %+v", out)
	}
}

func TestChangesThatTheAPIRejects(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	out := r.apply(record, interest(id(opportunity.TypeCourse, 999), 1), interest(course, 1), progress(string(stepWon)))
	if out.Status != exchange.StatusDone || len(out.Results) != 3 {
		t.Fatalf("got %+v", out)
	}
	if got := out.Results[0]; got.Status != exchange.StatusRejected || got.Error.Type != opportunity.Rejected || got.Error.Label == "" || got.Error.Message == "" {
		t.Errorf("an item that is not there: %+v", got)
	}
	if got := out.Results[1]; got.Status != exchange.StatusDone {
		t.Errorf("what stood beside it: %+v", got)
	}
	want := &opportunity.Error{
		Type: opportunity.TransitionNotFound, Label: "Transition Not Found",
		Message: fmt.Sprintf("Transition from step %s to step %s not found", proposed, stepWon),
	}
	if diff := cmp.Diff(want, out.Results[2].Error); diff != "" || out.Results[2].Status != exchange.StatusRejected {
		t.Errorf("a move without a transition: %s", diff)
	}
	// When the API refuses the request as a whole, the API makes none of the changes in the
	// request.
	refused := r.apply(record, interest(course, 1), interest("not an id at all", 1), progress("\x00"))
	if refused.Status == exchange.StatusDone && refused.Results[0].Status != exchange.StatusDone {
		t.Errorf("got %+v", refused)
	}
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"errors":[{"message":"Variable \"$m0_tax\" got invalid value \"VAT\""}]}`)
		return true
	})
	refused = r.apply(record, interest(course, 1))
	if refused.Status != exchange.StatusRejected || refused.Error == nil || refused.Error.Message != `Variable "$m0_tax" got invalid value "VAT"` || len(refused.Results) > 0 {
		t.Errorf("refused as a whole: %+v", refused)
	}
	r.interceptRequests(nil)
	in := activities.CreateInput{Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(id(opportunity.TypeRegion, "XX"))}, SkipEarlierRunCheck: true}
	if got := r.create(in); got.Status != exchange.StatusRejected || got.Error.Type != opportunity.Rejected {
		t.Errorf("created in no region: %+v", got)
	}
}

func TestStatusOfAFailedRequest(t *testing.T) {
	drop := func(w http.ResponseWriter, q *http.Request) bool {
		// The sandbox reads the whole document before it drops the connection, because a request consists
		// of a header and a document.
		if _, err := io.Copy(io.Discard, q.Body); err != nil {
			return false
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			err = connection.Close()
		}
		return err == nil
	}
	for _, c := range []struct {
		name   string
		fail   func(*fixture)
		fate   exchange.ChangeStatus
		reason activities.Reason
		after  time.Duration
	}{
		{"500", func(r *fixture) { r.respondWithStatus(500) }, exchange.StatusUnknown, "", 0},
		{"502", func(r *fixture) { r.respondWithStatus(502) }, exchange.StatusUnknown, "", 0},
		{"429", func(r *fixture) { r.respondWithStatus(429) }, exchange.StatusNotSent, activities.ReasonRateLimit, 0},
		{"429 with a time", func(r *fixture) { r.respondWithStatus(429, "Retry-After", "7") }, exchange.StatusNotSent, activities.ReasonRateLimit, 7 * time.Second},
		{"401", func(r *fixture) { r.respondWithStatus(401) }, exchange.StatusNotSent, activities.ReasonAuthentication, 0},
		{"another tenant", func(r *fixture) {
			var err error
			r.options.API, err = administrate.New(administrate.Options{Options: transport.Options{
				URL: r.url, Tokens: oauth.StaticToken(r.token), Permitted: func(context.Context) error { return errors.New("it belongs to another tenant") },
			}})
			if err != nil {
				r.t.Fatal(err)
			}
			r.newWorker(tms.ReferenceTag{})
		}, exchange.StatusNotSent, activities.ReasonWrongTenant, 0},
		{"the connection breaks", func(r *fixture) { r.interceptRequests(drop) }, exchange.StatusUnknown, "", 0},
		{"no data", func(r *fixture) {
			r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = io.WriteString(w, `{"data":null,"errors":[{"message":"boom","path":["m0"]}]}`)
				return true
			})
		}, exchange.StatusUnknown, "", 0},
		{"nobody there", func(r *fixture) { r.url = "http://127.0.0.1:1/graphql"; r.newWorker(tms.ReferenceTag{}) }, exchange.StatusNotSent, activities.ReasonUnreachable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			c.fail(r)
			r.requestCount()
			// Each request has its own worker, because a worker delays its next request after a response
			// with status 429.
			got := map[string]activities.CallResult{"apply": r.apply(record, interest(course, 1)).CallResult}
			r.newWorker(tms.ReferenceTag{})
			got["create"] = r.create(activities.CreateInput{
				Reference: "A-2", Start: opportunity.Start{Name: "x", Region: string(regionDR)}, SkipEarlierRunCheck: true,
			}).CallResult
			r.newWorker(tms.ReferenceTag{})
			for what, sending := range got {
				if sending.Status != c.fate || sending.Reason != c.reason || sending.RetryAfter != c.after {
					t.Errorf("%s: %+v", what, sending)
				}
			}
			if n := r.requestCount(); n > 2 {
				t.Errorf("two changes took %d requests", n)
			}
			_, err := runActivity[activities.ReadResult](r, activities.ReadOpportunity, activities.ReadInput{Opportunity: record})
			var application *temporal.ApplicationError
			if err == nil || errors.As(err, &application) && application.NonRetryable() {
				t.Errorf("a read fails with %v", err)
			}
			if c.after > 0 && (application == nil || application.NextRetryDelay() != c.after) {
				t.Errorf("a read is to be repeated after %v", application)
			}
		})
	}
}

func TestAnAnswerThatSaysTooLittle(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.interceptRequests(func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"I","item":{"id":"X","__typename":"Event"}}]}},
			"m1":{"addInterest":null},"m2":{"extendReservations":{"errors":[]}}},"errors":[{"message":"boom","path":["m1","addInterest"]}]}`)
		return true
	})
	out := r.apply("O", interest(course, 1), interest(course, 2), exchange.Change{Request: "r", ReservationChange: &exchange.ReservationChange{}})
	if out.Status != exchange.StatusDone || len(out.Results) != 3 {
		t.Fatalf("got %+v", out)
	}
	for i, want := range []exchange.ChangeStatus{exchange.StatusDone, exchange.StatusUnknown, exchange.StatusUnknown} {
		if out.Results[i].Status != want {
			t.Errorf("change %d: %+v, want %s", i, out.Results[i], want)
		}
	}
}
