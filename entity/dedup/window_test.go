package dedup_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity/dedup"
	"github.com/oppflow/oppflow/opportunity"
)

// TestWindowAgainstModel compares Window with a plain list that forgets requests by the documented
// rule. The window has its real size, so the test may fill the window before the drawn steps begin.
func TestWindowAgainstModel(t *testing.T) {
	t.Parallel()
	type known struct {
		id, payload string
		state       opportunity.OutcomeState
	}
	rapid.Check(t, func(t *rapid.T) {
		var handled dedup.Window
		var model []known
		var forgotten []string
		trim := func() {
			for len(model) > opportunity.MaxRememberedRequests {
				oldest := slices.IndexFunc(model, func(k known) bool { return k.state != opportunity.Pending })
				if oldest < 0 {
					return
				}
				forgotten = append(forgotten, model[oldest].id)
				model = slices.Delete(model, oldest, oldest+1)
			}
		}
		add := func(id, payload string) {
			handled.Add(id, []byte(payload))
			model = append(model, known{id, payload, opportunity.Pending})
			trim()
		}
		settle := func(i int, state opportunity.OutcomeState) {
			handled.Complete(model[i].id, state)
			model[i].state = state
			trim()
		}
		next := 0
		fresh := func() string { next++; return fmt.Sprintf("request %d", next) }
		stuck := rapid.IntRange(0, 3).Draw(t, "pending from the first")
		if rapid.IntRange(0, 7).Draw(t, "full") == 5 {
			for range opportunity.MaxRememberedRequests - rapid.IntRange(0, 5).Draw(t, "room") {
				add(fresh(), "p")
				if len(model) > stuck {
					settle(len(model)-1, opportunity.Done)
				}
			}
		}
		forgotten = nil
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				add(fresh(), rapid.SampledFrom([]string{"p", "q", ""}).Draw(t, "payload"))
			},
			"settle": func(t *rapid.T) {
				var waiting []int
				for i, k := range model {
					if k.state == opportunity.Pending {
						waiting = append(waiting, i)
					}
				}
				if len(waiting) == 0 {
					t.Skip("nothing waits")
				}
				settle(rapid.SampledFrom(waiting).Draw(t, "which"), rapid.SampledFrom([]opportunity.OutcomeState{opportunity.Done, opportunity.Failed}).Draw(t, "state"))
			},
			"settle what is not known": func(*rapid.T) { handled.Complete("never seen", opportunity.Failed) },
			"JSON": func(t *rapid.T) {
				data, err := json.Marshal(handled)
				if err != nil {
					t.Fatal(err)
				}
				if len(data) > 45*len(model)+10 {
					t.Fatalf("%d bytes for %d requests", len(data), len(model))
				}
				handled = dedup.Window{}
				if err := json.Unmarshal(data, &handled); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				if handled.Len() != len(model) {
					t.Fatalf("%d remembered, want %d", handled.Len(), len(model))
				}
				// The test looks up the requests at both ends of the window, where requests are
				// forgotten or added, and one request in the middle.
				look := []int{0, 1, 2, 3, 4, len(model) / 2, len(model) - 2, len(model) - 1}
				for _, i := range look {
					if i < 0 || i >= len(model) {
						continue
					}
					k := model[i]
					entry := handled.Find(k.id)
					if entry == nil || entry.OutcomeState() != k.state || !entry.HasPayload([]byte(k.payload)) {
						t.Fatalf("%s is remembered as %+v, want %s", k.id, entry, k.state)
					}
				}
				for _, id := range append(slices.Clone(forgotten), "never seen", "") {
					if handled.Find(id) != nil {
						t.Fatalf("%q is remembered", id)
					}
				}
			},
		})
	})
}

// TestPendingRequestIsNotForgotten: if a pending request were forgotten, a repetition of the
// request would be executed again.
func TestPendingRequestIsNotForgotten(t *testing.T) {
	var handled dedup.Window
	handled.Add("waits", nil)
	for n := range 2 * opportunity.MaxRememberedRequests {
		id := fmt.Sprint(n)
		handled.Add(id, nil)
		handled.Complete(id, opportunity.Done)
	}
	if entry := handled.Find("waits"); entry == nil || entry.OutcomeState() != opportunity.Pending {
		t.Fatalf("the pending request is remembered as %+v", entry)
	}
	if handled.Len() != opportunity.MaxRememberedRequests {
		t.Errorf("%d requests are remembered behind the pending one", handled.Len())
	}
	handled.Complete("waits", opportunity.Done)
	handled.Add("last", nil)
	if handled.Len() != opportunity.MaxRememberedRequests || handled.Find("waits") != nil || handled.Find("last") == nil {
		t.Errorf("%d requests are remembered after the pending one was settled", handled.Len())
	}
}

func TestWindowRejectsOtherData(t *testing.T) {
	for _, data := range []string{`"AAAA"`, `5`, `"?"`, `{}`} {
		var handled dedup.Window
		if err := json.Unmarshal([]byte(data), &handled); err == nil {
			t.Errorf("%s was read as %d requests", data, handled.Len())
		}
	}
	for _, data := range []string{`null`, `""`} {
		var handled dedup.Window
		if err := json.Unmarshal([]byte(data), &handled); err != nil || handled.Len() != 0 {
			t.Errorf("%s was read as %d requests, %v", data, handled.Len(), err)
		}
	}
}
