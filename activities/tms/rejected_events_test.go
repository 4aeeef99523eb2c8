package tms_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *fixture) executeRejected(in activities.EffectInput, request exchange.EffectRequest) string {
	r.t.Helper()
	in.Request, in.Now = &request, r.now()
	got := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if got.Status != exchange.StatusRejected || got.Error == nil {
		r.t.Fatalf("got %+v", got)
	}
	return got.About
}

func TestARejectedRequestNamesItsEvents(t *testing.T) {
	cancelled := id(opportunity.TypeEvent, 3)
	r := newFixture(t, tms.ReferenceTag{})
	record, interests, attendees := r.newBooking()
	learners := r.register(event, contact)

	register := exchange.EffectRequest{Kind: exchange.RequestRegister, Target: cancelled, IDs: []opportunity.ID{contact}}
	if got, want := r.executeRejected(registerEffect(record, interests, attendees...), register), fmt.Sprintf(`event "First Aid at Work" (%s), which is cancelled`, cancelled); got != want {
		t.Errorf("register: %q, want %q", got, want)
	}
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "lifecycleState") {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	if got, want := r.executeRejected(registerEffect(record, interests, attendees...), register), "event "+string(cancelled); got != want {
		t.Errorf("an event that cannot be read: %q, want %q", got, want)
	}
	r.interceptRequests(nil)

	in := cancelEffect(record, exchange.Attendee{Event: event, Contact: contact})
	in.UndoEntry = in.UndoEntry.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectLearner, ID: learners[0], Event: event, Contact: contact})
	r.respondOnce("mutation ", `{"data":{"learner":{"cancel":{"errors":[{"label":"Locked","message":"no","value":null}]}}}}`)
	if got, want := r.executeRejected(in, exchange.EffectRequest{Kind: exchange.RequestCancelLearner, Target: learners[0]}), fmt.Sprintf(`event "My New Course" (%s)`, event); got != want {
		t.Errorf("cancel: %q, want %q", got, want)
	}

	four := []opportunity.RecordedInterest{
		{ID: "1", Kind: opportunity.Event, Item: string(event)},
		{ID: "2", Kind: opportunity.Event, Item: "FA-1-01"},
		{ID: "3", Kind: opportunity.Event, Item: string(cancelled)},
		{ID: "4", Kind: opportunity.Event, Item: string(id(opportunity.TypeEvent, 9))},
		{ID: "5", Kind: opportunity.Event, Item: string(event)},
	}
	r.interceptRequests(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.Contains(readBody(t, q), "mutation ") {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"errors":[{"message":"no"}]}`)
		return true
	})
	got := r.executeRejected(reserveEffect(record, four, r.timeIn(time.Hour)), exchange.EffectRequest{Kind: exchange.RequestReserve, IDs: []opportunity.ID{"1", "2", "3", "4", "5"}, Until: r.timeIn(time.Hour)})
	if want := fmt.Sprintf(`event "My New Course" (%s) and event "FA-1-01" and event "First Aid at Work" (%s), which is cancelled and 1 more`, event, cancelled); got != want {
		t.Errorf("reserve: %q, want %q", got, want)
	}
	if got := r.executeRejected(logEffect(record, "Won"), exchange.EffectRequest{Kind: exchange.RequestLog}); got != "" {
		t.Errorf("a request about no event: %q", got)
	}
}
