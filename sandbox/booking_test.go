package sandbox_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// registerContacts registers contacts on an event, and returns the ids of the new learners, or the
// text of the refusal.
func (a *api) registerContacts(t testing.TB, event string, contacts ...int64) (learners []string, refused string) {
	t.Helper()
	ids := make([]string, len(contacts))
	for i, c := range contacts {
		ids[i] = quoteJSON(globalid.EncodeInt(globalid.Contact, c))
	}
	data := a.query(t, fmt.Sprintf(`mutation { event { registerContacts(eventId: %q, input: {contacts: [%s]}) { errors { label message value } event { bookedPlaces } learners { id } } } }`,
		event, strings.Join(ids, ", ")), nil)
	payload := valueAt(t, data, "event", "registerContacts")
	if refused := refusalOf(t, payload); refused != "" {
		return nil, refused
	}
	for _, l := range valueAt(t, payload, "learners").([]any) {
		learners = append(learners, valueAt(t, l, "id").(string))
	}
	return learners, ""
}

func (a *api) changeLearner(t testing.TB, mutation, learner string) string {
	t.Helper()
	data := a.query(t, fmt.Sprintf(`mutation { learner { %s(input: {learnerId: %q}) { errors { label message value } learner { isCancelled } } } }`, mutation, learner), nil)
	return refusalOf(t, valueAt(t, data, "learner", mutation))
}

// Observed (API notes 4.6): a reservation is separate from a registration. registerContacts creates
// a learner that is not linked to the opportunity, and the reservation stays. The event then counts
// two places for the learner: one booked place and one reserved place. Observed (API notes 4.6): a
// client releases reserved places with extendReservations and the current time. The field
// remainingPlaces may be negative.
func TestARegistrationBesideAReservationCountsTwice(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "held")
	a.reserve(t, id, 8) // all free places
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 8 remaining 0 sold out true")
	learners, refused := a.registerContacts(t, eventOne, 1, 2)
	if refused != "" {
		t.Fatalf("the learner for whom the places were reserved was refused: %s", refused)
	}
	wantPlaces(t, a, eventOne, "max 12 booked 6 reserved 8 remaining -2 sold out true")
	source := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Learner { registration { sourceOpportunity { id } } } } }`, vars{"id": learners[0]}), "node", "registration", "sourceOpportunity")
	if source != nil {
		t.Errorf("the registration is linked to the opportunity %v", source)
	}
	a.extend(t, id, now.Now())
	wantPlaces(t, a, eventOne, "max 12 booked 6 reserved 0 remaining 6 sold out false")
}

// Observed (API notes 4.6): bookedPlaces excludes cancelled learners. Without a filter, the event's
// list of learners includes cancelled learners. Observed (API notes 5.3): cancelling a learner does
// not change the event's updatedAt.
func TestCancelledLearnersGiveTheirPlaceBack(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	learners, _ := a.registerContacts(t, eventOne, 1, 2, 3)
	total := func(filter string) any {
		t.Helper()
		data := a.query(t, fmt.Sprintf(`query ($id: ID!) { node(id: $id) { ... on Event { learners%s { pageInfo { totalRecords } } } } }`, filter), vars{"id": eventOne})
		return valueAt(t, data, "node", "learners", "pageInfo", "totalRecords")
	}
	wantPlaces(t, a, eventOne, "max 12 booked 7 ")
	for range 2 { // the second cancellation changes nothing
		if refused := a.changeLearner(t, "cancel", learners[1]); refused != "" {
			t.Error(refused)
		}
		wantPlaces(t, a, eventOne, "max 12 booked 6 ")
	}
	if all, active := total(""), total(`(filters: {field: isCancelled, operation: eq, value: "false"})`); all != 3.0 || active != 2.0 {
		t.Errorf("%v learners, %v of them active", all, active)
	}
	for range 2 {
		if refused := a.changeLearner(t, "reactivate", learners[1]); refused != "" {
			t.Error(refused)
		}
		wantPlaces(t, a, eventOne, "max 12 booked 7 ")
	}
	// Observed (API notes 5.3): a client filters learners by contact and event to find out whether
	// a person is registered.
	data := a.query(t, `query ($e: String!, $c: String!) { learners(filters: [{field: eventId, operation: eq, value: $e}, {field: contactId, operation: eq, value: $c}]) {
		pageInfo { totalRecords } edges { node { lifecycleState contact { emailAddress } } } } }`, vars{"e": eventOne, "c": globalid.EncodeInt(globalid.Contact, 2)})
	wantJSON(t, valueAt(t, data, "learners"), `{"pageInfo": {"totalRecords": 1}, "edges": [{"node": {"lifecycleState": "active", "contact": {"emailAddress": "melissa@example.com"}}}]}`)
	if answer := a.post(t, `{ learners(filters: {field: isCancelled, operation: eq, value: "no"}) { pageInfo { totalRecords } } }`, nil); len(answer.Errors) != 1 {
		t.Error(answer.raw)
	}
	if refused := a.changeLearner(t, "cancel", "bGVhcm5lcjo5OTk="); !strings.HasPrefix(refused, "Not Found") {
		t.Error(refused)
	}
}

// Documented (API notes 5.3): a client can add learners to an existing registration: known
// contacts, or places without a name. Observed (API notes 5.3): registerNamedLearners returns a
// list of payloads, each with its own errors.
func TestRegistrations(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	learners, _ := a.registerContacts(t, eventOne, 2)
	registration := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Learner { registration { id account { name } event { code } } } } }`, vars{"id": learners[0]}), "node", "registration")
	wantJSON(t, registration, fmt.Sprintf(`{"id": %q, "account": {"name": "Administrate"}, "event": {"code": "ABC-123-01"}}`, globalid.EncodeInt(globalid.Registration, 1)))
	data := a.query(t, fmt.Sprintf(`mutation {
		named: registration { registerLearner(input: {contactId: "UGVyc29uOjE=", eventId: %[1]q, registrationId: %[2]q}) { errors { label message } registration { id } } }
		unnamed: registration { registerUnnamedLearners(input: {eventId: %[1]q, registrationId: %[2]q, quantity: 2}) { errors { label message } registration { learners { edges { node { contact { id } } } } } } }
		other: registration { registerUnnamedLearners(input: {eventId: "Q291cnNlOjI=", registrationId: %[2]q, quantity: 1}) { errors { label message } registration { id } } }
		none: registration { registerUnnamedLearners(input: {eventId: %[1]q, registrationId: %[2]q, quantity: 0}) { errors { label message } registration { id } } }
	}`, eventOne, globalid.EncodeInt(globalid.Registration, 1)), nil)
	for alias, refused := range map[string]string{"named": "", "unnamed": "", "other": "Not Found", "none": "Invalid Value"} {
		field := "registerUnnamedLearners"
		if alias == "named" {
			field = "registerLearner"
		}
		if got := refusalOf(t, valueAt(t, data, alias, field)); !strings.HasPrefix(got, refused) || (got == "") != (refused == "") {
			t.Errorf("%s: %q", alias, got)
		}
	}
	wantJSON(t, valueAt(t, data, "unnamed", "registerUnnamedLearners", "registration", "learners", "edges"),
		`[{"node": {"contact": {"id": "UGVyc29uOjI="}}}, {"node": {"contact": {"id": "UGVyc29uOjE="}}}, {"node": {"contact": null}}, {"node": {"contact": null}}]`)
	wantPlaces(t, a, eventOne, "max 12 booked 8 ")

	list := a.query(t, `mutation { event { registerNamedLearners(input: [
		{eventId: "Q291cnNlOjI=", contactId: "UGVyc29uOjE=", notes: "vegetarian"}, {eventId: "Q291cnNlOjI=", contactId: "UGVyc29uOjk5OQ=="}, {eventId: "Q291cnNlOjM=", contactId: "UGVyc29uOjE="}
	]) { errors { label } learners { notes } } } }`, nil)
	wantJSON(t, valueAt(t, list, "event", "registerNamedLearners"), `[{"errors": [], "learners": [{"notes": "vegetarian"}]},
		{"errors": [{"label": "Not Found"}], "learners": null}, {"errors": [{"label": "Not Published"}], "learners": null}]`)
	by := a.query(t, `query ($a: String!) { registrations(filters: {field: account, operation: eq, value: $a}) { pageInfo { totalRecords } } }`, vars{"a": globalid.EncodeInt(globalid.Account, 2)})
	wantJSON(t, valueAt(t, by, "registrations", "pageInfo", "totalRecords"), `1`)
	edit := a.query(t, fmt.Sprintf(`mutation { learner { update(input: {learnerId: %q, notes: "late"}) { errors { label } learner { notes } } } }`, learners[0]), nil)
	wantJSON(t, valueAt(t, edit, "learner", "update"), `{"errors": [], "learner": {"notes": "late"}}`)
}

// Observed (API notes 4.6): reservePlacesForInterests reserves places for an existing interest.
// After a release, a new reservation for the opportunity reserves no places and returns no error.
// Before the first extendReservations, reservationsValidUntil is null, even if places are reserved.
func TestReserveLater(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "later")
	first := a.addItem(t, id, eventOne, 3, "1.00", "")
	second := a.addItem(t, id, eventOne, 2, "1.00", "")
	course := a.addCourse(t, id, 1, "1.00")
	reserveFor := func(interests ...string) string {
		t.Helper()
		quoted := make([]string, len(interests))
		for i, id := range interests {
			quoted[i] = quoteJSON(id)
		}
		return refusalOf(t, a.mutate(t, "reservePlacesForInterests", "interestIds: ["+strings.Join(quoted, ", ")+"]", "interests { id reserve }"))
	}
	a.wantReservation(t, "at first", id, false, nil, 0)
	for range 2 { // a second reserve for an interest with reserved places changes nothing
		if refused := reserveFor(first); refused != "" {
			t.Error(refused)
		}
		a.wantReservation(t, "reserved, not extended", id, true, nil, 3)
	}
	if refused := reserveFor(second, course); !strings.HasPrefix(refused, "Details Do Not Fit") {
		t.Error(refused)
	}
	a.wantReservation(t, "one of two does not fit: nothing is done", id, true, nil, 3)
	if refused := reserveFor("T3Bwb3J0dW5pdHlJbnRlcmVzdDo5OTk="); !strings.HasPrefix(refused, "Not Found") {
		t.Error(refused)
	}
	a.extend(t, id, now.Now())
	a.wantReservation(t, "released", id, false, "2026-03-02T09:00:00+00:00", 0)
	if refused := reserveFor(first, second); refused != "" {
		t.Error(refused)
	}
	a.wantReservation(t, "reserved again: a silent no-op", id, false, "2026-03-02T09:00:00+00:00", 0)
}

// Observed (API notes 4.6): a cancelled event keeps its reservations and interests. Observed (API
// notes 5.3): an event has the fields cancelledAt and isActive.
func TestACancelledEventKeepsWhatIsAttached(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "x")
	a.reserve(t, id, 2)
	a.updateEvent(t, eventOne, `lifecycleState: "cancelled"`)
	a.wantReservation(t, "cancelled", id, true, nil, 2)
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 2 remaining 6 sold out false active false")
	data := a.query(t, `{ events(filters: {field: cancelledAt, operation: eq, value: "2026-03-02T09:00:00Z"}) { edges { node { id lifecycleState cancelledAt interests { pageInfo { totalRecords } } } } } }`, nil)
	wantJSON(t, valueAt(t, data, "events", "edges", 0, "node"), fmt.Sprintf(`{"id": %q, "lifecycleState": "cancelled", "cancelledAt": "2026-03-02T09:00:00+00:00", "interests": {"pageInfo": {"totalRecords": 1}}}`, eventOne))
	if _, refused := a.registerContacts(t, eventOne, 1); !strings.HasPrefix(refused, "Not Published") {
		t.Error(refused)
	}
	payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, quantity: 1, unitAmount: "1.00"}`, id, eventOne), "interests { id }")
	if refused := refusalOf(t, payload); !strings.HasPrefix(refused, "Not Published") {
		t.Error(refused)
	}
	a.updateEvent(t, eventOne, `lifecycleState: "published", maxPlaces: 5, title: "Moved"`)
	wantPlaces(t, a, eventOne, "max 5 booked 4 reserved 2 remaining -1 sold out true active true")
	for _, wrong := range []string{`maxPlaces: -1`, `lifecycleState: "gone"`} {
		answer := a.query(t, fmt.Sprintf("mutation { event { update(eventId: %q, input: {%s}) { errors { label message value } event { id } } } }", eventOne, wrong), nil)
		if refused := refusalOf(t, valueAt(t, answer, "event", "update")); !strings.HasPrefix(refused, "Invalid Value") {
			t.Errorf("%s: %q", wrong, refused)
		}
	}
}

// A change of an event survives a restart of the sandbox, although the sandbox reads its catalogue
// again at the start.
func TestChangesOfEventsSurviveARestart(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Data: t.TempDir() + "/data.db"}
	a := open(t, o)
	a.updateEvent(t, eventOne, `lifecycleState: "cancelled", maxPlaces: 3, title: "Moved", start: "2032-01-01T09:00:00", end: "2032-01-02T09:00:00", timeZoneName: "Europe/Paris"`)
	if _, refused := a.registerContacts(t, "Q291cnNlOjI=", 1); refused != "" {
		t.Fatal(refused)
	}
	b := open(t, o)
	wantPlaces(t, b, eventOne, "max 3 booked 4 reserved 0 remaining -1 sold out true active false")
	wantJSON(t, valueAt(t, b.query(t, `{ node(id: "Q291cnNlOjE=") { ... on Event { title start end timeZoneName code } } }`, nil), "node"),
		`{"title": "Moved", "start": "2032-01-01T09:00:00", "end": "2032-01-02T09:00:00", "timeZoneName": "Europe/Paris", "code": "ABC-123-01"}`)
	wantPlaces(t, b, "Q291cnNlOjI=", "max 16 booked 1 ")
}

func TestReservationAssumptions(t *testing.T) {
	t.Parallel()
	add := func(t *testing.T, a *api, item string, quantity int) (string, string) {
		t.Helper()
		id := a.create(t, "x")
		return id, refusalOf(t, a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, reserve: true, quantity: %d, unitAmount: "1.00"}`, id, item, quantity), "interests { id }"))
	}
	label := func(refused string) string {
		label, _, _ := strings.Cut(refused, ":")
		return label
	}
	now := newClock()
	for row, test := range map[string]struct {
		ask  func(t *testing.T, a *api) string
		want map[string]string
	}{
		"reserve.kind": {func(t *testing.T, a *api) string {
			_, refused := add(t, a, globalid.EncodeInt(globalid.LearningPath, 1), 1)
			return label(refused)
		}, map[string]string{"refused": "Details Do Not Fit", "ignored": ""}},
		"reserve.short": {func(t *testing.T, a *api) string {
			_, refused := add(t, a, eventOne, 9)
			data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Event { reserved } } }`, vars{"id": eventOne})
			return fmt.Sprint(label(refused), valueAt(t, data, "node", "reserved"))
		}, map[string]string{"held": "9", "refused": "Sold Out0", "nothing": "0"}},
		"reserve.length": {func(t *testing.T, a *api) string {
			id, _ := add(t, a, eventOne, 1)
			return fmt.Sprint(valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { reservationsValidUntil } } }`, vars{"id": id}), "node", "reservationsValidUntil"))
		}, map[string]string{"open": "<nil>", "week": "2026-03-09T09:00:00+00:00"}},
		"registration.short": {func(t *testing.T, a *api) string {
			a.updateEvent(t, eventOne, "maxPlaces: 5")
			_, refused := a.registerContacts(t, eventOne, 1, 2)
			return label(refused)
		}, map[string]string{"booked": "", "refused": "Sold Out"}},
		"registration.orderDate": {func(t *testing.T, a *api) string {
			payload := a.mutateIn(t, "event", "registerContacts", fmt.Sprintf(`eventId: %q, input: {contacts: ["UGVyc29uOjE="], orderDate: "2026-02-01T12:00:00"}`, eventOne), problems+" learners { registration { orderDate } }")
			return valueAt(t, mustSucceed(t, payload), "learners", 0, "registration", "orderDate").(string)
		}, map[string]string{"given": "2026-02-01T12:00:00+00:00", "now": "2026-03-02T09:00:00+00:00"}},
		"registration.hold": {func(t *testing.T, a *api) string {
			id, _ := add(t, a, eventOne, 2)
			a.progress(t, id, stepOpportunity)
			a.progress(t, id, stepWon)
			return a.placesOf(t, eventOne)[:len("max 12 booked 6 reserved 0")]
		}, map[string]string{"consumed": "max 12 booked 6 reserved 0", "kept": "max 12 booked 6 reserved 2"}},
	} {
		for value, wanted := range test.want {
			t.Run(row+"="+value, func(t *testing.T) {
				a := open(t, sandbox.Options{Assumptions: map[string]string{row: value}, Now: now.Now, Catalogue: catalogueWinningWith(t, "triggers: [registration]")})
				if got := test.ask(t, a); got != wanted {
					t.Errorf("%q, want %q", got, wanted)
				}
			})
		}
	}
}

func TestConcurrentReservationsNeverOverbook(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, data string) {
		a := open(t, sandbox.Options{Data: data, Assumptions: map[string]string{"reserve.short": "refused", "registration.short": "refused"}})
		var all sync.WaitGroup
		var given atomic.Int64
		for w := range 24 {
			id := a.create(t, fmt.Sprint("x", w))
			all.Go(func() {
				n := w%3 + 1
				payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, reserve: true, quantity: %d, unitAmount: "1.00"}`, id, eventOne, n), "interests { id }")
				if refusalOf(t, payload) == "" {
					given.Add(int64(n))
				}
			})
			all.Go(func() {
				if _, refused := a.registerContacts(t, eventOne, 1); refused == "" {
					given.Add(1)
				}
			})
		}
		all.Wait()
		if given.Load() != 8 {
			t.Errorf("%d registrations succeeded, want 8", given.Load())
		}
		if got := a.placesOf(t, eventOne); !strings.Contains(got, "remaining 0 ") {
			t.Error(got)
		}
	})
}

// Places become free on their event as soon as the clock reaches the expiry time of the
// reservation.
func TestReservationsExpireForEventsToo(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "x")
	a.reserve(t, id, 8)
	a.extend(t, id, now.Now().Add(time.Hour))
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 8 remaining 0 sold out true")
	now.advance(time.Hour)
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 0 remaining 8 sold out false")
}

func TestATitleSurvivesARestart(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Data: t.TempDir() + "/data.db"}
	a := open(t, o)
	a.updateEvent(t, eventOne, `title: "Moved"`)
	b := open(t, o)
	wantJSON(t, b.query(t, `query ($id: ID!) { node(id: $id) { ... on Event { title } } }`, vars{"id": eventOne}), `{"node": {"title": "Moved"}}`)
}
