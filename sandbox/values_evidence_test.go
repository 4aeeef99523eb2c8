package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Documented and observed (API notes 3.4): ids are base64 of <TypeName>:<key>, and the prefix often
// differs from the __typename.
func TestObservedIDsNameTheirTypes(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: writeCatalogue(t, "templates: [{ id: 118, name: n, subject: s, body: b }]")})
	oneMore := a.create(t, "second")
	a.addCourse(t, oneMore, 1, "1.00")
	for range 5 {
		if _, refused := a.registerContacts(t, eventOne, 2); refused != "" {
			t.Fatal(refused)
		}
	}
	for id, decoded := range map[string][2]string{
		"T3Bwb3J0dW5pdHk6MQ==":         {"Opportunity:1", "Opportunity"},
		"T3Bwb3J0dW5pdHk6Mg==":         {"Opportunity:2", "Opportunity"},
		"T3Bwb3J0dW5pdHlTdGVwOjM=":     {"OpportunityStep:3", "OpportunityStep"},
		"T3Bwb3J0dW5pdHlTdGVwOjQ=":     {"OpportunityStep:4", "OpportunityStep"},
		"T3Bwb3J0dW5pdHlTdGFnZToz":     {"OpportunityStage:3", "OpportunityStage"},
		"T3Bwb3J0dW5pdHlJbnRlcmVzdDox": {"OpportunityInterest:1", "OpportunityInterest"},
		"T3JnYW5pc2F0aW9uOjI=":         {"Organisation:2", "Account"},
		"UmVnaW9uOkRS":                 {"Region:DR", "Region"},
		"Q291cnNlVGVtcGxhdGU6MTE=":     {"CourseTemplate:11", "CourseTemplate"},
		"Q291cnNlOjE=":                 {"Course:1", "Event"},
		"TGVhcm5pbmdQYXRoOjE=":         {"LearningPath:1", "LearningPath"},
		"VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2": {"TokenType:8848a3b38adf45db8ff60fafcbd3b3f6", "TrainingTokenType"},
		"UGVyc29uOjI=":                         {"Person:2", "Contact"},
		"UmVnaXN0cmF0aW9uOjU=":                 {"Registration:5", "Registration"},
		"Q29tbXVuaWNhdGlvblRlbXBsYXRlOjExOA==": {"CommunicationTemplate:118", "CommunicationTemplate"},
		"U2VuZGluZ0VtYWlsQWRkcmVzczoy":         {"SendingEmailAddress:2", "SendingEmailAddress"},
		"bGVhcm5lcjox":                         {"learner:1", "Learner"}, // lower case
	} {
		typ, key, _ := strings.Cut(decoded[0], ":")
		if globalid.Encode(typ, key) != id {
			t.Errorf("%s is not %s", id, decoded[0])
		}
		data := a.query(t, `query ($id: ID!) { node(id: $id) { __typename id } }`, vars{"id": id})
		wantJSON(t, data, fmt.Sprintf(`{"node": {"__typename": %q, "id": %q}}`, decoded[1], id))
	}
}

// Documented (API notes 3.4): financialUnitId of an opportunity is the code of a currency, not a
// global id. Observed (API notes 3.4): an event's financialUnit.id is a global id.
func TestFinancialUnitsAreBareCodes(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for unit, refused := range map[string]string{"USD": "", "Q3VycmVuY3k6VVNE": "Not Found"} {
		payload := a.mutate(t, "update", fmt.Sprintf("id: %q, financialUnitId: %q", oneOpportunity, unit), "opportunity { financialUnit { ... on Currency { code } } }")
		if label, _, _ := strings.Cut(refusalOf(t, payload), ":"); label != refused {
			t.Errorf("%s: %v", unit, payload)
		}
	}
}

// Observed (API notes 3.6): the API uses the scalars ID, String, Int, Boolean, Decimal,
// LocalDateTime and TimeZonedDateTime. Documented and observed (API notes 3.6): amounts are
// Decimal. The expiry time of training tokens is a local time, and the expiry time of reservations
// has a zone. Events have local and zoned times.
func TestObservedScalars(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for _, name := range []string{"ID", "String", "Int", "Boolean", "Decimal", "LocalDateTime", "TimeZonedDateTime"} {
		wantJSON(t, a.query(t, `query ($name: String!) { __type(name: $name) { kind } }`, vars{"name": name}), `{"__type": {"kind": "SCALAR"}}`)
	}
	for path, scalar := range map[string]string{
		"OpportunityInterestDetailsInput.unitAmount": "Decimal", "OpportunityInterestDetailsInput.quantity": "Int", "OpportunityInterestDetailsInput.reserve": "Boolean",
		"OpportunityInterestTrainingTokenInput.expiresAt": "LocalDateTime", "OpportunityExtendReservationsInput.reservationsValidUntil": "TimeZonedDateTime",
		"Opportunity.reservationsValidUntil": "TimeZonedDateTime", "Opportunity.isReservationValid": "Boolean", "OpportunityValue.grandTotal": "Decimal",
		"Event.start": "LocalDateTime", "Event.end": "LocalDateTime", "Event.timeZonedStart": "TimeZonedDateTime", "Event.timeZonedEnd": "TimeZonedDateTime", "Event.timeZoneName": "String",
		"EventRegisterContactsInput.amount": "Decimal",
	} {
		typ, name, _ := strings.Cut(path, ".")
		if got := a.fields(t, typ)[name].typ; got != scalar {
			t.Errorf("%s is %q, want %s", path, got, scalar)
		}
	}
}

// Observed (API notes 3.6): an event has each time in two fields: start and timeZonedStart, end and
// timeZonedEnd. timeZoneName is the IANA name of the event's zone.
func TestEventsHaveLocalAndZonedTimes(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	wantJSON(t, a.query(t, `{ events { edges { node { start timeZonedStart end timeZonedEnd timeZoneName } } } }`, nil), `{"events": {"edges": [
		{"node": {"start": "2031-03-03T09:00:00", "timeZonedStart": "2031-03-03T09:00:00+00:00", "end": "2031-03-04T17:00:00", "timeZonedEnd": "2031-03-04T17:00:00+00:00", "timeZoneName": "Europe/London"}},
		{"node": {"start": "2031-04-07T09:30:00", "timeZonedStart": "2031-04-07T08:30:00+00:00", "end": "2031-04-09T16:30:00", "timeZonedEnd": "2031-04-09T15:30:00+00:00", "timeZoneName": "Europe/London"}},
		{"node": {"start": "2031-05-12T09:00:00", "timeZonedStart": "2031-05-12T13:00:00+00:00", "end": "2031-05-14T17:00:00", "timeZonedEnd": "2031-05-14T21:00:00+00:00", "timeZoneName": "America/Santo_Domingo"}}
	]}}`)
	// A mutation sets the times of an event as local times with the name of the zone.
	changed := a.mutateIn(t, "event", "update", fmt.Sprintf(`eventId: %q, input: {start: "2031-07-01T10:00:00", end: "2031-07-02T16:00:00", timeZoneName: "America/New_York"}`, eventOne), problems+" event { start timeZonedStart timeZonedEnd timeZoneName title }")
	wantJSON(t, valueAt(t, mustSucceed(t, changed), "event"), `{"start": "2031-07-01T10:00:00", "timeZonedStart": "2031-07-01T14:00:00+00:00", "timeZonedEnd": "2031-07-02T20:00:00+00:00", "timeZoneName": "America/New_York", "title": "My New Course"}`)
	for _, zone := range []string{"Mars/Olympus", "", "Local", "../etc"} {
		if refused := refusalOf(t, a.mutateIn(t, "event", "update", fmt.Sprintf("eventId: %q, input: {timeZoneName: %q}", eventOne, zone), problems+" event { id }")); !strings.HasPrefix(refused, "Invalid Value") {
			t.Errorf("%q: %q", zone, refused)
		}
	}
	if answer := a.post(t, fmt.Sprintf(`mutation { event { update(eventId: %q, input: {start: "2031-07-01T10:00:00Z"}) { errors { label } } } }`, eventOne), nil); len(answer.Errors) == 0 || answer.hasData() {
		t.Error(answer.raw)
	}
}

// Documented (API notes 3.6): a LocalDateTime must not have a zone, and a TimeZonedDateTime must
// have a zone. The API rejects a document with a LocalDateTime that has a zone or a
// TimeZonedDateTime that has no zone.
func TestZonesAreGivenWhereTheyBelong(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	tokens := func(expires string) string {
		return fmt.Sprintf(`addInterest(input: {opportunityId: %q, interestDetails: {id: %q, quantity: 1, unitAmount: "1.00", trainingTokenDetails: {expiresAt: %q}}}) { errors { label } }`, oneOpportunity, tokenType, expires)
	}
	extend := func(until string) string {
		return fmt.Sprintf(`extendReservations(input: {opportunityId: %q, reservationsValidUntil: %q}) { errors { label } }`, oneOpportunity, until)
	}
	for mutation, taken := range map[string]bool{
		tokens("2023-12-31T23:59:59"): true, tokens("2023-12-31T23:59:59Z"): false, tokens("2023-12-31T23:59:59+00:00"): false, tokens("2023-12-31"): false,
		extend("2031-01-01T00:00:00Z"): true, extend("2031-01-01T00:00:00+05:30"): true, extend("2031-01-01T00:00:00"): false, extend("2031-01-01"): false,
	} {
		answer := a.post(t, `mutation { opportunities { `+mutation+` } }`, nil)
		if taken != (len(answer.Errors) == 0) || taken != answer.hasData() {
			t.Errorf("%s: %s", mutation, answer.raw)
		}
	}
}

// Documented (API notes 3.6): the API returns money as a quoted decimal with two decimal digits,
// whether the request contained text or a number.
func TestMoneyIsAQuotedDecimal(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for given, told := range map[string]string{`"199.90"`: `"199.90"`, `199.9`: `"199.90"`, `7`: `"7.00"`, `"0"`: `"0.00"`} {
		answer := a.post(t, fmt.Sprintf(`mutation { opportunities { addInterest(input: {opportunityId: %q, interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: %s}}) { interests { totalAmount } } } }`, oneOpportunity, given), nil)
		if !strings.Contains(answer.raw, `"totalAmount":`+told) {
			t.Errorf("%s: %s", given, answer.raw)
		}
	}
}

// Observed (API notes 3.6): an opportunity has its custom data in attributes {definitionKey value},
// not in customFieldValues. Learners have customFieldValues. All values of custom data are strings,
// and the value of a ticked box is "true".
func TestCustomDataIsText(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	fields := a.fields(t, "Opportunity")
	if _, ok := fields["customFieldValues"]; ok || fields["attributes"].typ == "" {
		t.Errorf("%v", fields)
	}
	if a.fields(t, "OpportunityAttribute")["value"].typ != "String" || a.fields(t, "CustomFieldValue")["value"].typ != "String" {
		t.Error("the schema does not require text for custom values")
	}
	made := a.mutate(t, "update", fmt.Sprintf(`id: %q, attributes: [{definitionKey: "Q3VzdG9tRmllbGREZWZpbml0aW9uOjE4OA==", value: "true"}]`, oneOpportunity), "opportunity { attributes { definitionKey value } }")
	wantJSON(t, valueAt(t, mustSucceed(t, made), "opportunity", "attributes"), `[{"definitionKey": "Q3VzdG9tRmllbGREZWZpbml0aW9uOjE4OA==", "value": "true"}]`)
	answer := a.post(t, fmt.Sprintf(`mutation { opportunities { update(input: {id: %q, attributes: [{definitionKey: "k", value: true}]}) { errors { label } } } }`, oneOpportunity), nil)
	if len(answer.Errors) == 0 || answer.hasData() {
		t.Error(answer.raw)
	}
}

// Observed (API notes 3.6): an event is draft, published or cancelled. An invoice is Draft, Final
// or Void. A learner is active. The API writes some states in lower case and others with a capital
// letter.
func TestStatesAreWrittenAsObserved(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: catalogueWinningWith(t, "triggers: [account, registration, invoice]")})
	for _, state := range []string{"draft", "cancelled", "published"} {
		changed := a.mutateIn(t, "event", "update", fmt.Sprintf("eventId: %q, input: {lifecycleState: %q}", eventOne, state), problems+" event { lifecycleState }")
		if got := valueAt(t, mustSucceed(t, changed), "event", "lifecycleState"); got != state {
			t.Errorf("%v, want %s", got, state)
		}
		if refused := refusalOf(t, a.mutateIn(t, "event", "update", fmt.Sprintf("eventId: %q, input: {lifecycleState: %q}", eventOne, strings.ToUpper(state)), problems+" event { id }")); refused == "" {
			t.Errorf("the API accepts %s in capitals", state)
		}
	}
	id := a.create(t, "states")
	a.addItem(t, id, eventOne, 1, "1.00", "")
	if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	const read = `{ learners { edges { node { lifecycleState } } } invoices { edges { node { lifecycleState } } } }`
	if got := a.leavesOf(t, read); got != "Draft active" {
		t.Error(got)
	}
	invoice := valueAt(t, a.query(t, `{ invoices { edges { node { id } } } }`, nil), "invoices", "edges", 0, "node", "id")
	mustSucceed(t, a.mutateIn(t, "invoices", "finalise", fmt.Sprintf("input: {invoiceId: %q}", invoice), problems+" invoice { id }"))
	if got := a.leavesOf(t, read); got != "Final active" {
		t.Error(got)
	}
}
