package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

// changeByHand sends a change of a person in the TMS, and returns the HTTP status.
func (a *api) changeByHand(t testing.TB, method, path, body string) int {
	t.Helper()
	return a.send(t, method, "/_sandbox/"+path, strings.NewReader(body), http.Header{"Authorization": {"Bearer " + a.Token()}}).status
}

// A person edits and removes interests in the TMS, which the API cannot do.
func TestInterestsChangedByHand(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	id := a.create(t, "By hand")
	one, other := a.addCourse(t, id, 2, "10.00"), a.addCourse(t, id, 1, "5.00")
	if status := a.changeByHand(t, http.MethodPatch, "interests/"+one, `{"quantity": 3}`); status != http.StatusNoContent {
		t.Errorf("a new quantity: status %d", status)
	}
	if status := a.changeByHand(t, http.MethodPatch, "interests/"+one, `{"unitAmount": "7.50"}`); status != http.StatusNoContent {
		t.Errorf("a new price: status %d", status)
	}
	if status := a.changeByHand(t, http.MethodDelete, "interests/"+other, ""); status != http.StatusNoContent {
		t.Errorf("a removal: status %d", status)
	}
	interests := `{ opportunities(filters: [{field: id, operation: eq, value: "` + id + `"}]) { edges { node { interests { edges { node { id quantity unitAmount } } } } } } }`
	wantJSON(t, valueAt(t, a.query(t, interests, nil), "opportunities", "edges", 0, "node", "interests", "edges"),
		`[{"node": {"id": "`+one+`", "quantity": 3, "unitAmount": "7.50"}}]`)
	for what, status := range map[string]int{
		"an unknown interest":         a.changeByHand(t, http.MethodDelete, "interests/"+other, ""),
		"the id of another type":      a.changeByHand(t, http.MethodPatch, "interests/"+id, `{"quantity": 3}`),
		"a quantity that is too low":  a.changeByHand(t, http.MethodPatch, "interests/"+one, `{"quantity": 0}`),
		"a price that is no amount":   a.changeByHand(t, http.MethodPatch, "interests/"+one, `{"unitAmount": "much"}`),
		"a member that is not known":  a.changeByHand(t, http.MethodPatch, "interests/"+one, `{"qty": 3}`),
		"a removal without the token": a.send(t, http.MethodDelete, "/_sandbox/interests/"+one, nil, nil).status,
	} {
		if status < http.StatusBadRequest || status >= http.StatusInternalServerError {
			t.Errorf("%s: status %d", what, status)
		}
	}
}

// A person gives a contact another name in the TMS.
func TestContactRenamedByHand(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	if status := a.changeByHand(t, http.MethodPatch, "contacts/UGVyc29uOjE=", `{"firstName": "Priya", "lastName": "Sharma"}`); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	wantJSON(t, valueAt(t, a.query(t, `{ contacts(filters: [{field: id, operation: eq, value: "UGVyc29uOjE="}]) { edges { node { personalName { firstName lastName } } } } }`, nil),
		"contacts", "edges", 0, "node", "personalName"), `{"firstName": "Priya", "lastName": "Sharma"}`)
	for what, status := range map[string]int{
		"an empty name":      a.changeByHand(t, http.MethodPatch, "contacts/UGVyc29uOjE=", `{"firstName": " ", "lastName": "Sharma"}`),
		"an unknown contact": a.changeByHand(t, http.MethodPatch, "contacts/UGVyc29uOjk5", `{"firstName": "Priya", "lastName": "Sharma"}`),
	} {
		if status < http.StatusBadRequest || status >= http.StatusInternalServerError {
			t.Errorf("%s: status %d", what, status)
		}
	}
}
