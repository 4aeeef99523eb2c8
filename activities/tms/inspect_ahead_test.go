package tms_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
)

// TestEffectsAreInspectedInFewRequests: the joint inspection of consecutive effects returns the
// same results as separate inspections, with fewer requests.
func TestEffectsAreInspectedInFewRequests(t *testing.T) {
	t.Parallel()
	r, record := newSoldFixture(t)
	r.setAccount(record, r.account("Byrne Ltd"))
	effects := []activities.EffectInput{
		accountEffect(record, "Byrne Ltd"),
		r.tokensEffect(record, tokenInterest(string(tokens), 3)),
		r.invoiceEffect(record, "PO 17", "", r.timeIn(0)),
	}
	r.requestCount()
	now := r.now()
	var alone []activities.InspectResult
	for _, in := range effects {
		in.Now = now
		alone = append(alone, mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in))
	}
	if n := r.requestCount(); n != 3 {
		t.Errorf("one by one: %d requests, want 3", n)
	}
	in := effects[0]
	in.Now, in.Interests = now, effects[1].Interests
	for _, next := range effects[1:] {
		in.Ahead = append(in.Ahead, activities.EffectAhead{Effect: next.Effect, UndoEntry: next.UndoEntry})
	}
	together := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	if n := r.requestCount(); n != 1 {
		t.Errorf("together: %d requests, want 1", n)
	}
	ahead := together.Ahead
	together.Ahead = nil
	if diff := cmp.Diff(alone, append([]activities.InspectResult{together}, ahead...)); diff != "" {
		t.Errorf("results (-one by one +together):\n%s", diff)
	}
}

// TestAFailingEffectAheadIsLeftOut: if the data of an effect in Ahead cannot be read, the result of
// the inspected effect does not change.
func TestAFailingEffectAheadIsLeftOut(t *testing.T) {
	t.Parallel()
	r, record := newSoldFixture(t)
	r.setAccount(record, r.account("Byrne Ltd"))
	r.interceptRequests(func(w http.ResponseWriter, request *http.Request) bool {
		body, err := io.ReadAll(request.Body)
		request.Body = io.NopCloser(bytes.NewReader(body))
		if err != nil || !bytes.Contains(body, []byte("purchaseOrderReference")) {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	in := accountEffect(record, "Byrne Ltd")
	in.Now = r.now()
	invoice := r.invoiceEffect(record, "PO 17", "", r.timeIn(0))
	in.Ahead = []activities.EffectAhead{{Effect: invoice.Effect}}
	found := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	if found.Request != nil || found.Error != nil || len(found.Ahead) > 0 {
		t.Errorf("got %+v, want a complete effect and no result for the invoice", found)
	}
}

// The record and its events are read in the request that inspects the effects.
func TestEffectsAreInspectedTogetherWithTheRecord(t *testing.T) {
	t.Parallel()
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(`reactions: [{ name: sold, on: eventSoldOut, do: [{ account: {} }] }]`)
	record, interests := r.createWithEvent(2)
	r.setAccount(record, r.account("Byrne Ltd"))
	in := accountEffect(record, "Byrne Ltd")
	in.Reference, in.Now, in.ReadRecord, in.Interests = "A-1", r.now(), true, interests
	want := r.read(record)
	r.requestCount()
	found := mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	r.wantRequests(1)
	if found.Read == nil || len(found.Read.Events) != 1 || found.Read.Events[0].Event != event || found.Read.TaggedByOther {
		t.Fatalf("got %+v, want the record with its event", found.Read)
	}
	if diff := cmp.Diff(want, found.Read.Record); diff != "" {
		t.Errorf("record (-read alone +read together):\n%s", diff)
	}

	in.Interests = nil // the event of the interest is known only from the record
	found = mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	r.wantRequests(2)
	if found.Read == nil || len(found.Read.Events) != 1 {
		t.Errorf("got %+v, want the record with its event", found.Read)
	}

	r.interceptRequests(func(w http.ResponseWriter, request *http.Request) bool {
		if !bytes.Contains([]byte(readBody(t, request)), []byte("reservationsValidUntil")) {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	found = mustRunActivity[activities.InspectResult](r, activities.InspectEffect, in)
	if found.Read != nil || found.Request != nil || found.Error != nil {
		t.Errorf("got %+v, want the inspection without the record", found)
	}
}
