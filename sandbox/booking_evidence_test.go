package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Observed (API notes 4.4): a user registers the learner by hand before the transition to Won. A
// transition without the trigger "registration" creates no registration. The reserved places then
// stay reserved until a client releases the places.
func TestWinningAfterRegisteringByHand(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "waiting")
	a.reserve(t, id, 1)
	if refused := a.progress(t, id, stepOpportunity); refused != "" {
		t.Fatal(refused)
	}
	if _, refused := a.registerContacts(t, eventOne, 2); refused != "" {
		t.Fatal(refused)
	}
	if refused := a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	wantPlaces(t, a, eventOne, "max 12 booked 5 reserved 1 remaining 6")
	wantJSON(t, a.query(t, `{ registrations { pageInfo { totalRecords } } invoices { pageInfo { totalRecords } } accounts { pageInfo { totalRecords } } }`, nil),
		`{"registrations": {"pageInfo": {"totalRecords": 1}}, "invoices": {"pageInfo": {"totalRecords": 0}}, "accounts": {"pageInfo": {"totalRecords": 3}}}`)
	a.extend(t, id, now.Now())
	wantPlaces(t, a, eventOne, "max 12 booked 5 reserved 0 remaining 7")
}

// Observed (API notes 4.6): after a reservation and its extension, the vendor reads
// isReservationValid and the expiry time. The expiry time must be in the future and at most 5
// minutes from the requested time. Before the first extendReservations, reservationsValidUntil is
// null, even if places are reserved. The list of errors may be empty even if the API reserved no
// places.
func TestReserveIsVerifiedByReadingBack(t *testing.T) {
	t.Parallel()
	for assumed, works := range map[string]bool{"held": true, "nothing": false} {
		now := newClock()
		a := open(t, sandbox.Options{Now: now.Now, Assumptions: map[string]string{"reserve.short": assumed}})
		id := a.create(t, "waiting")
		interest := a.addItem(t, id, eventOne, 9, "1.00", "") // the event has 8 free places
		mustSucceed(t, a.mutate(t, "reservePlacesForInterests", fmt.Sprintf("interestIds: [%q]", interest), "interests { id }"))
		state := func() (valid, until any) {
			t.Helper()
			data := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { isReservationValid reservationsValidUntil } } }`, vars{"id": id}), "node")
			return valueAt(t, data, "isReservationValid"), valueAt(t, data, "reservationsValidUntil")
		}
		if _, until := state(); until != nil {
			t.Errorf("%s: before extend reservationsValidUntil is %v", assumed, until)
		}
		asked := now.Now().Add(24 * time.Hour)
		a.extend(t, id, asked)
		valid, until := state()
		ok := valid == true && until != nil
		if ok {
			got, err := time.Parse(time.RFC3339, until.(string))
			ok = err == nil && got.After(now.Now()) && got.Sub(asked).Abs() <= 5*time.Minute
		}
		if ok != works {
			t.Errorf("%s: valid %v until %v", assumed, valid, until)
		}
	}
}

// Observed (API notes 4.6): an opportunity has one expiry time for all its reservations.
func TestOneExpiryForAllReservations(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id, other := a.create(t, "both"), a.create(t, "other")
	a.addItem(t, id, eventOne, 2, "1.00", "reserve: true")
	a.addItem(t, id, eventTwo, 3, "1.00", "reserve: true")
	a.addItem(t, other, eventTwo, 4, "1.00", "reserve: true")
	a.extend(t, id, now.Now().Add(time.Hour))
	now.advance(time.Hour)
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 0 ")
	wantPlaces(t, a, eventTwo, "max 16 booked 0 reserved 4 ")
}

// Observed (API notes 5.3): learners can be filtered by the fields in the filters of this test. A
// contact is registered on an event if a filter by contact and event finds a totalRecords above 0.
func TestLearnersAreFound(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	first, _ := a.registerContacts(t, eventOne, 1, 2)
	now.advance(time.Hour)
	if _, refused := a.registerContacts(t, eventTwo, 2); refused != "" {
		t.Fatal(refused)
	}
	if refused := a.changeLearner(t, "cancel", first[0]); refused != "" {
		t.Fatal(refused)
	}
	for filter, found := range map[string]string{
		fmt.Sprintf(`{field: id, operation: eq, value: %q}`, first[1]):                   "2",
		fmt.Sprintf(`{field: eventId, operation: eq, value: %q}`, eventOne):              "1 2",
		`{field: contactId, operation: eq, value: "UGVyc29uOjI="}`:                       "2 3",
		`{field: contactEmailAddress, operation: eq, value: "melissa@example.com"}`:      "2 3",
		`{field: lifecycleState, operation: eq, value: "active"}`:                        "2 3",
		`{field: isActive, operation: eq, value: "false"}`:                               "1",
		`{field: isCancelled, operation: eq, value: "true"}`:                             "1",
		`{field: eventStartDate, operation: lt, value: "2031-04-01"}`:                    "1 2",
		`{field: lastUpdatedAt, operation: ge, value: "2026-03-02T10:00:00Z"}`:           "1 3",
		fmt.Sprintf(`{field: eventId, operation: in, values: [%q, %q]}`, eventOne, "no"): "refused",
		fmt.Sprintf(`[{field: contactId, operation: eq, value: "UGVyc29uOjI="}, {field: eventId, operation: eq, value: %q}, {field: isCancelled, operation: eq, value: "false"}]`, eventTwo): "3",
	} {
		answer := a.post(t, `{ learners(filters: `+filter+`) { edges { node { legacyId } } pageInfo { totalRecords } } }`, nil)
		if found == "refused" {
			if len(answer.Errors) != 1 {
				t.Errorf("%s: %s", filter, answer.raw)
			}
			continue
		}
		edges := valueAt(t, answer.Data, "learners", "edges").([]any)
		var got []string
		for _, edge := range edges {
			got = append(got, fmt.Sprint(valueAt(t, edge, "node", "legacyId")))
		}
		if strings.Join(got, " ") != found || valueAt(t, answer.Data, "learners", "pageInfo", "totalRecords") != float64(len(edges)) {
			t.Errorf("%s finds %v, want %s", filter, got, found)
		}
	}
}

// Observed (API notes 5.3): registerContacts returns errors, event and learners. The returned event
// shows its numbers of places after the registration. Documented (API notes 3.4): a registration's
// id is Registration:<n>. Observed (API notes 3.4): a learner's id is learner:<n>, in lower case.
func TestRegistrationResponse(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	payload := a.mutateIn(t, "event", "registerContacts", fmt.Sprintf(`eventId: %q, input: {contacts: ["UGVyc29uOjE=", "UGVyc29uOjI="]}`, eventOne), problems+" event { id bookedPlaces remainingPlaces } learners { id registration { id } contact { id } isCancelled lifecycleState }")
	wantJSON(t, payload, fmt.Sprintf(`{"errors": [], "event": {"id": %q, "bookedPlaces": 6, "remainingPlaces": 6}, "learners": [
		{"id": "bGVhcm5lcjox", "registration": {"id": "UmVnaXN0cmF0aW9uOjE="}, "contact": {"id": "UGVyc29uOjE="}, "isCancelled": false, "lifecycleState": "active"},
		{"id": "bGVhcm5lcjoy", "registration": {"id": "UmVnaXN0cmF0aW9uOjE="}, "contact": {"id": "UGVyc29uOjI="}, "isCancelled": false, "lifecycleState": "active"}]}`, eventOne))
	for id, typename := range map[string]string{"bGVhcm5lcjox": "Learner", "UmVnaXN0cmF0aW9uOjE=": "Registration"} {
		wantJSON(t, a.query(t, `query ($id: ID!) { node(id: $id) { id __typename } }`, vars{"id": id}), fmt.Sprintf(`{"node": {"id": %q, "__typename": %q}}`, id, typename))
	}
	// If one of the contacts cannot be registered, registerContacts registers none of the contacts.
	refused := a.mutateIn(t, "event", "registerContacts", fmt.Sprintf(`eventId: %q, input: {contacts: ["UGVyc29uOjE=", "UGVyc29uOjk5"]}`, eventOne), problems+" event { id } learners { id }")
	if label, _, _ := strings.Cut(refusalOf(t, refused), ":"); label != "Not Found" || valueAt(t, refused, "event") != nil || valueAt(t, refused, "learners") != nil {
		t.Errorf("%v", refused)
	}
	wantPlaces(t, a, eventOne, "max 12 booked 6 ")
}

// Documented (API notes 5.4): invoices and bookings have independent states. Observed (API notes
// 5.4): activeInvoiceId and salesDocument show the same invoice. The mutation finalise returns
// lifecycleState and finalisedAt. The states of an invoice are Draft, Final and Void.
func TestAnInvoiceCausesNoTransition(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now, Catalogue: catalogueWinningWith(t, "triggers: [account, invoice]")})
	id := a.create(t, "billed")
	a.addItem(t, id, eventOne, 2, "10.00", "reserve: true")
	if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	shown := func() any {
		t.Helper()
		return valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { step { name } isReservationValid updatedAt activeInvoiceId salesDocument { id } } } }`, vars{"id": id}), "node")
	}
	before := shown()
	invoice := globalid.EncodeInt(globalid.Invoice, 1)
	wantJSON(t, before, fmt.Sprintf(`{"step": {"name": "Won"}, "isReservationValid": true, "updatedAt": "2026-03-02T09:00:00+00:00", "activeInvoiceId": %[1]q, "salesDocument": {"id": %[1]q}}`, invoice))
	now.advance(time.Hour)
	payload := mustSucceed(t, a.mutateIn(t, "invoices", "finalise", fmt.Sprintf("input: {invoiceId: %q}", invoice), problems+" invoice { id lifecycleState finalisedAt }"))
	wantJSON(t, valueAt(t, payload, "invoice"), fmt.Sprintf(`{"id": %q, "lifecycleState": "Final", "finalisedAt": "2026-03-02T10:00:00+00:00"}`, invoice))
	if after := shown(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%v, then %v", before, after)
	}
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 2 ")
	wantJSON(t, a.query(t, `query ($id: ID!) { node(id: $id) { id __typename } }`, vars{"id": invoice}), fmt.Sprintf(`{"node": {"id": %q, "__typename": "Invoice"}}`, invoice))
}

// Observed (API notes 4.5): addInterest accepts an interest without eventDetails, and accepts the
// member taxId. Documented and observed (API notes 4.5): an interest has the fields id,
// totalAmount, item and opportunity. Documented (API notes 4.7): grandTotal is the sum of the
// opportunity's interests, with two decimal places.
func TestInterestFields(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	id := a.create(t, "x")
	a.addItem(t, id, eventOne, 3, "100.10", `taxId: "VGF4OjE="`)
	a.addItem(t, id, globalid.EncodeInt(globalid.LearningPath, 1), 1, "0.2", "")
	a.addItem(t, id, tokenType, 10, "1", "")
	data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { value { grandTotal } interests { edges { node { totalAmount item { __typename ... on Event { code title } ... on LearningPath { code name } ... on TrainingTokenType { name } } opportunity { name } } } } } } }`, vars{"id": id})
	wantJSON(t, valueAt(t, data, "node"), `{"value": {"grandTotal": "310.50"}, "interests": {"edges": [
		{"node": {"totalAmount": "300.30", "item": {"__typename": "Event", "code": "ABC-123-01", "title": "My New Course"}, "opportunity": {"name": "x"}}},
		{"node": {"totalAmount": "0.20", "item": {"__typename": "LearningPath", "code": "LP-1", "name": "Workplace Safety"}, "opportunity": {"name": "x"}}},
		{"node": {"totalAmount": "10.00", "item": {"__typename": "TrainingTokenType", "name": "Training Token"}, "opportunity": {"name": "x"}}}]}}`)
	// Documented (API notes 4.5): an interest in a course template is refused if the course
	// template is not published.
	payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, quantity: 1, unitAmount: "1.00"}`, id, globalid.EncodeInt(globalid.CourseTemplate, 13)), "interests { id }")
	if refused := refusalOf(t, payload); !strings.HasPrefix(refused, "Not Published") {
		t.Error(refused)
	}
}
