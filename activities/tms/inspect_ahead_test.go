package tms_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
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
