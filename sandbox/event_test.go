package sandbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

var eventTwo = globalid.EncodeInt(globalid.Event, 2) // 16 places, none booked

// Observed (API notes 5.3): an event has the fields that this test reads. Observed (API notes 3.6):
// an event has each time in two fields: as a local time and as a time with an offset. An event also
// has the IANA name of its time zone. Observed (API notes 3.4): the id of an event's financialUnit
// contains a currency code after the colon, and financialUnitId accepts this currency code.
func TestEventFields(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	data := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Event { id legacyId displayId title code type learningMode start end startDate timeZonedStart timeZonedEnd timeZoneName
		lifecycleState isActive isSoldOut cancelledAt maxPlaces minPlaces bookedPlaces reserved remainingPlaces registrationDeadline region { name } price
		defaultPrice { amount financialUnit { ... on Currency { code } } } financialUnit { id name } courseTemplate { code }
		interests { pageInfo { totalRecords } } registrations { pageInfo { totalRecords } } learners { pageInfo { totalRecords } } } } }`, vars{"id": eventTwo}), "node")
	unit := valueAt(t, data, "financialUnit", "id").(string)
	wantJSON(t, data, fmt.Sprintf(`{"id": "Q291cnNlOjI=", "legacyId": 2, "displayId": "2", "title": "First Aid at Work", "code": "FA-1-01", "type": "public", "learningMode": "classroom",
		"start": "2031-04-07T09:30:00", "end": "2031-04-09T16:30:00", "startDate": "2031-04-07", "timeZonedStart": "2031-04-07T08:30:00+00:00",
		"timeZonedEnd": "2031-04-09T15:30:00+00:00", "timeZoneName": "Europe/London", "lifecycleState": "published", "isActive": true, "isSoldOut": false,
		"cancelledAt": null, "maxPlaces": 16, "minPlaces": 0, "bookedPlaces": 0, "reserved": 0, "remainingPlaces": 16, "registrationDeadline": null,
		"region": {"name": "UK"}, "price": "199.90", "defaultPrice": {"amount": "199.90", "financialUnit": {"code": "GBP"}},
		"financialUnit": {"id": %q, "name": "Pounds Sterling"}, "courseTemplate": {"code": "FA-1"}, "interests": {"pageInfo": {"totalRecords": 0}},
		"registrations": {"pageInfo": {"totalRecords": 0}}, "learners": {"pageInfo": {"totalRecords": 0}}}`, unit))
	code, err := globalid.ParseAs(unit, globalid.Currency)
	if err != nil || code != "GBP" {
		t.Errorf("the id of the currency is of %q: %v", code, err)
	}
	mustSucceed(t, a.mutate(t, "create", fmt.Sprintf(`name: "x", regionId: "UmVnaW9uOlVL", financialUnitId: %q`, code), "opportunity { id }"))
}

// Observed (API notes 5.3): events can be filtered by the fields in the filters of this test. The
// filters by numbers of places depend on the current reservations and bookings.
func TestEventsAreFound(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "all that are left")
	a.reserve(t, id, 8) // of event 1
	a.extend(t, id, now.Now().Add(time.Hour))
	find := func(filter string) string {
		t.Helper()
		var found []string
		for _, edge := range valueAt(t, a.query(t, `{ events(filters: {`+filter+`}) { edges { node { legacyId } } pageInfo { totalRecords } } }`, nil), "events", "edges").([]any) {
			found = append(found, fmt.Sprint(valueAt(t, edge, "node", "legacyId")))
		}
		return strings.Join(found, " ")
	}
	for filter, found := range map[string]string{
		`field: isSoldOut, operation: eq, value: "true"`:                                 "1",
		`field: hasPlacesRemaining, operation: eq, value: "true"`:                        "2 3",
		`field: hasPlacesRemaining, operation: ne, value: "true"`:                        "1",
		`field: remainingPlaces, operation: ge, value: "16"`:                             "2 3",
		`field: remainingPlaces, operation: in, values: ["0"]`:                           "1",
		`field: bookedPlaces, operation: eq, value: "4"`:                                 "1",
		`field: maxPlaces, operation: gt, value: "12"`:                                   "2 3",
		`field: minPlaces, operation: eq, value: "3"`:                                    "1",
		`field: learningMode, operation: eq, value: "classroom"`:                         "1 2 3",
		`field: isActive, operation: eq, value: "false"`:                                 "3",
		`field: lifecycleState, operation: eq, value: "cancelled"`:                       "3",
		`field: timeZonedStart, operation: lt, value: "2031-04-07T08:30:00Z"`:            "1",
		`field: timeZonedStart, operation: le, value: "2031-04-07T08:30:00Z"`:            "1 2",
		`field: timeZonedEnd, operation: eq, value: "2031-05-14T17:00:00-04:00"`:         "3",
		`field: start, operation: ge, value: "2031-04-01"`:                               "2 3",
		`field: end, operation: lt, value: "2031-04-01"`:                                 "1",
		`field: courseTemplateCode, operation: eq, value: "ABC-123"`:                     "1",
		`field: courseTemplateTitle, operation: wordlike, value: "Aid"`:                  "2 3",
		`field: textSearch, operation: contains, values: ["aid", "FA-1-02"]`:             "3",
		`field: eventOrCourseCodeOrTitle, operation: like, value: "%my new%"`:            "1",
		`field: createdAt, operation: eq, value: "2026-03-02T09:00:00Z"`:                 "1 2 3",
		`field: title, operation: eq, value: "My New Course"`:                            "1",
		`field: code, operation: in, values: ["FA-1-01", "FA-1-02"]`:                     "2 3",
		`field: cancelledAt, operation: notnull`:                                         "",
		`field: id, operation: in, values: ["Q291cnNlOjE=", "Q291cnNlOjM="]`:             "1 3",
		`field: updatedAt, operation: ge, value: "2026-03-02T09:00:00.000001Z"`:          "",
		`field: remainingPlaces, operation: lt, value: "0"`:                              "",
		`field: isSoldOut, operation: isnull`:                                            "",
		`field: eventOrCourseCodeOrTitle, operation: wordlike, value: "nothing like it"`: "refused",
	} {
		if found == "refused" {
			if answer := a.post(t, `{ events(filters: {`+filter+`}) { edges { node { legacyId } } } }`, nil); len(answer.Errors) != 1 {
				t.Errorf("%s: %s", filter, answer.raw)
			}
			continue
		}
		if got := find(filter); got != found {
			t.Errorf("%s finds %q, want %q", filter, got, found)
		}
	}
	ordered := a.query(t, `{ events(order: [{field: remainingPlaces, direction: desc}, {field: timeZonedStart, direction: desc}]) { edges { node { legacyId } } } }`, nil)
	wantJSON(t, valueAt(t, ordered, "events", "edges"), `[{"node": {"legacyId": 3}}, {"node": {"legacyId": 2}}, {"node": {"legacyId": 1}}]`)
	now.advance(time.Hour)
	if got := find(`field: isSoldOut, operation: eq, value: "true"`); got != "" {
		t.Errorf("%q is sold out after the expiry of the reservation", got)
	}
}

// Observed (API notes 3.6): event.update accepts local times and the name of a time zone.
func TestAnEventIsRescheduled(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Data: t.TempDir() + "/data.db"}
	a := open(t, o)
	a.updateEvent(t, eventTwo, `start: "2031-07-01T08:00:00", end: "2031-07-02T08:00:00", timeZoneName: "America/New_York"`)
	moved := func(a *api) {
		t.Helper()
		data := a.query(t, `{ events(filters: {field: timeZonedStart, operation: eq, value: "2031-07-01T12:00:00Z"}) { edges { node { start timeZonedEnd timeZoneName } } } }`, nil)
		wantJSON(t, valueAt(t, data, "events", "edges"), `[{"node": {"start": "2031-07-01T08:00:00", "timeZonedEnd": "2031-07-02T12:00:00+00:00", "timeZoneName": "America/New_York"}}]`)
	}
	moved(a)
	for _, wrong := range []string{`end: "2031-06-30T08:00:00"`, `timeZoneName: "Nowhere"`, `timeZoneName: "Local"`, `title: " "`} {
		answer := a.mutateIn(t, "event", "update", fmt.Sprintf("eventId: %q, input: {%s}", eventTwo, wrong), problems+" event { id }")
		if refused := refusalOf(t, answer); !strings.HasPrefix(refused, "Invalid Value") {
			t.Errorf("%s: %q", wrong, refused)
		}
	}
	moved(a)
	moved(open(t, o))
}

// Observed (API notes 5.3): cancelling a learner does not change the event's updatedAt. Whether a
// registration changes the event's updatedAt depends on the assumption event.touched.
func TestWhatUpdatesAnEvent(t *testing.T) {
	t.Parallel()
	for assumed, touched := range map[string]string{"update": "2026-03-02T09:00:00Z", "registration": "2026-03-02T10:00:00Z"} {
		now := newClock()
		a := open(t, sandbox.Options{Now: now.Now, Assumptions: map[string]string{"event.touched": assumed}})
		updated := func(when, at string) {
			t.Helper()
			wantJSON(t, a.query(t, fmt.Sprintf(`{ events(filters: [{field: id, operation: eq, value: %q}, {field: updatedAt, operation: eq, value: %q}]) { pageInfo { totalRecords } } }`, eventOne, at), nil),
				`{"events": {"pageInfo": {"totalRecords": 1}}}`)
			if t.Failed() {
				t.Fatalf("%s, %s", assumed, when)
			}
		}
		updated("at first", "2026-03-02T09:00:00Z")
		now.advance(time.Hour)
		learners, refused := a.registerContacts(t, eventOne, 1)
		if refused != "" {
			t.Fatal(refused)
		}
		updated("registered", touched)
		now.advance(time.Hour)
		if refused := a.changeLearner(t, "cancel", learners[0]); refused != "" {
			t.Fatal(refused)
		}
		updated("cancelled", touched)
		wantPlaces(t, a, eventOne, "max 12 booked 4 ")
		now.advance(time.Hour)
		a.updateEvent(t, eventOne, `maxPlaces: 13`)
		updated("updated", "2026-03-02T12:00:00Z")
	}
}

// Observed (API notes 4.6, 5.3): a client reads from an interest with reserved places whether and
// when the event of the interest was cancelled.
func TestAnInterestShowsItsEventAsItIs(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "x")
	a.reserve(t, id, 2)
	a.updateEvent(t, eventOne, `lifecycleState: "cancelled"`)
	data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { isReservationValid interests { edges { node { item { ... on Event { lifecycleState cancelledAt isActive reserved minPlaces price } } } } } } } }`, vars{"id": id})
	wantJSON(t, valueAt(t, data, "node"), `{"isReservationValid": true, "interests": {"edges": [{"node": {"item": {"lifecycleState": "cancelled", "cancelledAt": "2026-03-02T09:00:00+00:00",
		"isActive": false, "reserved": 2, "minPlaces": 3, "price": "250.00"}}}]}}`)
}

// Observed (API notes 5.3): an event is held for its bookingAccount, and a filter finds the event
// by this account; internalNotes are notes of the tenant. Observed (API notes 5.1): after a merge
// of the bookingAccount into another account, bookingAccount is the other account.
func TestAnEventOfOneClient(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Catalogue: tenant, Data: t.TempDir() + "/data.db"}
	a := open(t, o)
	of := func(a *api, filter, want string) {
		t.Helper()
		if got := a.leavesOf(t, `{ events(filters: {`+filter+`}) { edges { node { bookingAccount { name } internalNotes } } } }`); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	of(a, `field: bookingAccountId, operation: eq, value: "T3JnYW5pc2F0aW9uOjE="`, "Harbour Street Clinic Bring the large manikin.")
	of(a, `field: bookingAccountName, operation: like, value: "harbour%"`, "Harbour Street Clinic Bring the large manikin.")
	of(a, `field: bookingAccountId, operation: isnull`, "")
	other := mustSucceed(t, a.mutateIn(t, "account", "create", `input: {name: "Meridian"}`, problems+" account { id }"))
	mustSucceed(t, a.mutateIn(t, "account", "merge", fmt.Sprintf(`input: {fromAccount: "T3JnYW5pc2F0aW9uOjE=", toAccount: %q}`, valueAt(t, other, "account", "id")), "errors { label }"))
	for _, a := range []*api{a, open(t, o)} {
		of(a, `field: bookingAccountName, operation: eq, value: "Meridian"`, "Meridian Bring the large manikin.")
		of(a, `field: bookingAccountId, operation: eq, value: "T3JnYW5pc2F0aW9uOjE="`, "")
	}
}

func TestEventAndBookingAssumptions(t *testing.T) {
	t.Parallel()
	event := func(selection string) string {
		return fmt.Sprintf(`{ node(id: %q) { ... on Event { %s } } }`, eventTwo, selection)
	}
	for row, test := range map[string]struct {
		document string
		want     map[string]string
	}{
		"event.displayId": {event("displayId"), map[string]string{"number": "2", "code": "FA-1-01"}},
		"event.startDate": {event("startDate"), map[string]string{"date": "2031-04-07", "time": "2031-04-07T09:30:00"}},
		"event.price":     {event("price"), map[string]string{"amount": "199.90", "absent": "refused"}},
		"event.search":    {`{ events(filters: {field: textSearch, operation: wordlike, value: "FA-1-02"}) { edges { node { code } } } }`, map[string]string{"there": "FA-1-02", "absent": "refused"}},
		"filter.bookings": {`{ registrations(filters: {field: eventId, operation: notnull}) { edges { node { id } } } }`, map[string]string{"many": "", "absent": "refused"}},
	} {
		for value, wanted := range test.want {
			t.Run(row+"="+value, func(t *testing.T) {
				a := open(t, sandbox.Options{Assumptions: map[string]string{row: value}})
				if got := a.leavesOf(t, test.document); got != wanted {
					t.Errorf("%q, want %q", got, wanted)
				}
			})
		}
	}
	// No value of an assumption changes behaviour that was observed.
	a := open(t, sandbox.Options{Assumptions: map[string]string{"filter.bookings": "absent", "event.search": "absent"}})
	for _, document := range []string{
		`{ registrations(filters: {field: account, operation: notnull}) { edges { node { id } } } }`,
		`{ invoices(filters: {field: id, operation: notnull}) { edges { node { id } } } }`,
		fmt.Sprintf(`mutation { event { update(eventId: %q, input: {timeZoneName: "Europe/Paris"}) { event { title } } } }`, eventTwo),
	} {
		if got := a.leavesOf(t, document); got == "refused" {
			t.Errorf("refused: %s", document)
		}
	}
	seen := strings.Fields("id eventId contactId contactEmailAddress lifecycleState isActive isCancelled eventStartDate lastUpdatedAt")
	fields := valueAt(t, a.query(t, `{ __type(name: "LearnerField") { enumValues { name } } }`, nil), "__type", "enumValues").([]any)
	for _, field := range fields {
		if name := valueAt(t, field, "name").(string); !slices.Contains(seen, name) {
			t.Errorf("learners can be found by %s", name)
		}
	}
	if len(fields) != len(seen) {
		t.Errorf("learners can be found by %v", fields)
	}
}
