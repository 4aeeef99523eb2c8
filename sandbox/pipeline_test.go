package sandbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// catalogueWinningWith returns the path of a catalogue with a changed transition from step 4 to
// Won. The argument words contains further YAML keys of the transition, such as "triggers:
// [account]".
func catalogueWinningWith(t testing.TB, words string) string {
	t.Helper()
	return editedCatalogue(t, "- { from: 4, to: 5 }", "- { from: 4, to: 5, "+words+" }")
}

// editedCatalogue returns the path of a copy of the default catalogue with replaced texts. The
// second text of each pair replaces the first text, which must occur exactly once in the catalogue.
func editedCatalogue(t testing.TB, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile("catalogue/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(changed, pairs[i]) != 1 {
			t.Fatalf("the default catalogue has not one %q", pairs[i])
		}
		changed = strings.Replace(changed, pairs[i], pairs[i+1], 1)
	}
	path := filepath.Join(t.TempDir(), "catalogue.yaml")
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const allTriggers = "triggers: [invoice, registration, token, contact, account]" // the sandbox runs triggers in its own fixed order, not in this order

var (
	stepOpportunity = globalid.EncodeInt(globalid.OpportunityStep, 4)
	stepWon         = globalid.EncodeInt(globalid.OpportunityStep, 5)
	eventOne        = globalid.EncodeInt(globalid.Event, 1) // 12 places, 4 booked
	tokenType       = globalid.Encode(globalid.TrainingTokenType, "8848a3b38adf45db8ff60fafcbd3b3f6")
)

// progress takes the opportunity to the step, and returns the label and the message of the refusal,
// or "" if the API does not refuse.
func (a *api) progress(t testing.TB, opportunity, step string) string {
	t.Helper()
	payload := a.mutate(t, "progress", fmt.Sprintf("opportunityId: %q, stepId: %q", opportunity, step), "opportunity { id }")
	return refusalOf(t, payload)
}

func refusalOf(t testing.TB, payload any) string {
	t.Helper()
	errors := valueAt(t, payload, "errors").([]any)
	if len(errors) == 0 {
		return ""
	}
	return fmt.Sprint(valueAt(t, errors[0], "label"), ": ", valueAt(t, errors[0], "message"))
}

// The argument more is GraphQL text for further members of the interest.
func (a *api) addItem(t testing.TB, opportunity, item string, quantity int, amount, more string) string {
	t.Helper()
	payload := mustSucceed(t, a.mutate(t, "addInterest", fmt.Sprintf("opportunityId: %q, interestDetails: {id: %q, quantity: %d, unitAmount: %q, %s}",
		opportunity, item, quantity, amount, more), "interests { id }"))
	return valueAt(t, payload, "interests", 0, "id").(string)
}

func (a *api) placesOf(t testing.TB, event string) string {
	t.Helper()
	data := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Event { maxPlaces bookedPlaces reserved remainingPlaces isSoldOut isActive } } }`, vars{"id": event}), "node")
	return fmt.Sprintf("max %v booked %v reserved %v remaining %v sold out %v active %v", valueAt(t, data, "maxPlaces"), valueAt(t, data, "bookedPlaces"),
		valueAt(t, data, "reserved"), valueAt(t, data, "remainingPlaces"), valueAt(t, data, "isSoldOut"), valueAt(t, data, "isActive"))
}

func wantPlaces(t testing.TB, a *api, event, want string) {
	t.Helper()
	if got := a.placesOf(t, event); !strings.HasPrefix(got, want) {
		t.Errorf("places: %s, want %s", got, want)
	}
}

// state returns the state of the sandbox without its catalogue; tests compare the states before and
// after a request.
func (a *api) state(t testing.TB) string {
	t.Helper()
	answer := a.post(t, `{
		opportunities(first: 100) { edges { node { id name updatedAt step { id } account { id } contact { id } activeInvoiceId isReservationValid reservationsValidUntil
			tokenIssues { quantity } interests { edges { node { id reserve learners { edges { node { firstName contact { id } } } } } } } } } }
		accounts(first: 100) { edges { node { id name } } } contacts(first: 100) { edges { node { id account { id } } } }
		registrations(first: 100) { edges { node { id } } } learners(first: 100) { edges { node { id isCancelled } } }
		invoices(first: 100) { edges { node { id lifecycleState } } }
		events(first: 100) { edges { node { id bookedPlaces reserved } } }
	}`, nil)
	if len(answer.Errors) > 0 {
		t.Fatal(answer.raw)
	}
	return answer.raw
}

// Documented (API notes 4.4): a transition may create an account, a contact, a registration,
// training tokens and an invoice from the data of the opportunity. Documented (API notes 5.4): an
// invoice has a line for each delegate on each event; an invoice requires a region and a currency.
func TestTriggersMakeWhatTheProductMakes(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: catalogueWinningWith(t, allTriggers)})
	id := a.create(t, "First Aid for Meridian")
	mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, financialUnitId: "EUR"`, id), "opportunity { id }"))
	a.addItem(t, id, eventOne, 3, "100.00", `reserve: true, eventDetails: {newLearners: [{firstName: "Ada", lastName: "Byron", email: "ada@example.com"}], existingLearners: ["UGVyc29uOjI="]}`)
	a.addItem(t, id, tokenType, 10, "19.90", `trainingTokenDetails: {expiresAt: "2031-12-31T23:59:59"}`)
	a.addItem(t, id, globalid.EncodeInt(globalid.LearningPath, 1), 2, "50.00", "")
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 3 remaining 5")
	if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	wantPlaces(t, a, eventOne, "max 12 booked 7 reserved 0 remaining 5")
	data := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity {
		step { name } account { name } contact { firstName lastName emailAddress account { name } } isReservationValid
		tokenIssues { quantity expiresAt tokenType { id } }
		salesDocument { ... on Invoice { lifecycleState account { name } financialUnit { ... on Currency { code } } finalisedAt
			lines { quantity unitAmount learner { contact { firstName } event { code } } interest { item { __typename } } } } } } } }`, vars{"id": id}), "node")
	// Melissa Green was a contact before the transition, and is the first contact in the list.
	wantJSON(t, data, `{
		"step": {"name": "Won"}, "account": {"name": "First Aid for Meridian"}, "isReservationValid": false,
		"contact": {"firstName": "Melissa", "lastName": "Green", "emailAddress": "melissa@example.com", "account": {"name": "Administrate"}},
		"tokenIssues": [{"quantity": 10, "expiresAt": "2031-12-31T23:59:59", "tokenType": {"id": "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2"}}],
		"salesDocument": {"lifecycleState": "Draft", "account": {"name": "First Aid for Meridian"}, "financialUnit": {"code": "EUR"}, "finalisedAt": null, "lines": [
			{"quantity": 1, "unitAmount": "100.00", "learner": {"contact": {"firstName": "Melissa"}, "event": {"code": "ABC-123-01"}}, "interest": {"item": {"__typename": "Event"}}},
			{"quantity": 1, "unitAmount": "100.00", "learner": {"contact": {"firstName": "Ada"}, "event": {"code": "ABC-123-01"}}, "interest": {"item": {"__typename": "Event"}}},
			{"quantity": 1, "unitAmount": "100.00", "learner": {"contact": null, "event": {"code": "ABC-123-01"}}, "interest": {"item": {"__typename": "Event"}}},
			{"quantity": 10, "unitAmount": "19.90", "learner": null, "interest": {"item": {"__typename": "TrainingTokenType"}}},
			{"quantity": 2, "unitAmount": "50.00", "learner": null, "interest": {"item": {"__typename": "LearningPath"}}}]}}`)
	// Observed (API notes 4.1, 5.3): a registration shows the opportunity that created the
	// registration.
	source := a.query(t, `{ registrations { edges { node { sourceOpportunity { id } account { name } event { id } learners { pageInfo { totalRecords } } } } } }`, nil)
	wantJSON(t, valueAt(t, source, "registrations", "edges", 0, "node"), fmt.Sprintf(`{"sourceOpportunity": {"id": %q}, "account": {"name": "First Aid for Meridian"},
		"event": {"id": %q}, "learners": {"pageInfo": {"totalRecords": 3}}}`, id, eventOne))
	made := a.query(t, `{ contacts(filters: {field: emailAddress, operation: eq, value: "ada@example.com"}) { edges { node { account { name } } } } }`, nil)
	wantJSON(t, valueAt(t, made, "contacts", "edges"), `[{"node": {"account": {"name": "First Aid for Meridian"}}}]`)
}

// Documented (API notes 4.4): the API blocks a transition if a required attribute is empty.
// Assumed: the payload has an error that names the empty attributes.
func TestMissingAttributesBlockTheTransition(t *testing.T) {
	t.Parallel()
	for row, missing := range map[string]string{"": "account, interests, po-number", "first": "account"} {
		o := sandbox.Options{Catalogue: catalogueWinningWith(t, "required: [po-number, account, interests], "+allTriggers)}
		if row != "" {
			o.Assumptions = map[string]string{"required.missing": row}
		}
		a := open(t, o)
		id := a.create(t, "incomplete")
		if refused := a.progress(t, id, stepOpportunity); refused != "" {
			t.Fatal(refused)
		}
		before := a.state(t)
		if refused := a.progress(t, id, stepWon); refused != "Required Attributes: Required attributes are empty: "+missing {
			t.Errorf("refused with %q", refused)
		}
		if after := a.state(t); after != before {
			t.Errorf("something is left behind:\n%s\n%s", before, after)
		}
		a.addCourse(t, id, 1, "1.00")
		mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: "T3JnYW5pc2F0aW9uOjI=", attributes: [{definitionKey: "po-number", value: " "}]`, id), "opportunity { id }"))
		if refused := a.progress(t, id, stepWon); !strings.HasSuffix(refused, "empty: po-number") {
			t.Errorf("refused with %q", refused)
		}
		mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, attributes: [{definitionKey: "po-number", value: "7"}]`, id), "opportunity { id }"))
		if refused := a.progress(t, id, stepWon); refused != "" {
			t.Error(refused)
		}
	}
}

func TestFailingTriggersLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for _, trigger := range []string{"account", "contact", "registration", "token", "invoice"} {
		a := open(t, sandbox.Options{Catalogue: catalogueWinningWith(t, allTriggers)})
		id := a.create(t, "unlucky")
		a.addItem(t, id, eventOne, 2, "1.00", `reserve: true, eventDetails: {newLearners: [{firstName: "Ada", lastName: "Byron"}]}`)
		a.addItem(t, id, tokenType, 1, "1.00", "")
		if refused := a.progress(t, id, stepOpportunity); refused != "" {
			t.Fatal(refused)
		}
		before := a.state(t)
		if _, err := a.Faults().Set(fault.Rule{Kind: fault.FailTrigger, Operation: "opportunities.progress", Trigger: trigger, Times: 1}); err != nil {
			t.Fatal(err)
		}
		if refused := a.progress(t, id, stepWon); !strings.HasPrefix(refused, "Trigger Failed: Trigger "+trigger) {
			t.Errorf("%s: refused with %q", trigger, refused)
		}
		if after := a.state(t); after != before {
			t.Errorf("%s: something is left behind:\n%s\n%s", trigger, before, after)
		}
		if refused := a.progress(t, id, stepWon); refused != "" {
			t.Errorf("%s, afterwards: %s", trigger, refused)
		}
	}
	for words, reason := range map[string]string{
		"triggers: [account, registration]": "is cancelled",
		"triggers: [invoice]":               "needs an account",
		"triggers: [token]":                 "has no account",
	} {
		a := open(t, sandbox.Options{Catalogue: catalogueWinningWith(t, words)})
		id := a.create(t, "unlucky")
		a.addItem(t, id, eventOne, 2, "1.00", "reserve: true")
		a.addItem(t, id, tokenType, 1, "1.00", "")
		a.updateEvent(t, eventOne, `lifecycleState: "cancelled"`)
		a.progress(t, id, stepOpportunity)
		before := a.state(t)
		if refused := a.progress(t, id, stepWon); !strings.Contains(refused, reason) || !strings.HasPrefix(refused, "Trigger Failed") {
			t.Errorf("%s: %q", words, refused)
		}
		if after := a.state(t); after != before {
			t.Errorf("%s: something is left behind", words)
		}
	}
}

// triggerResults returns the step of an opportunity and the effects of the triggers token and
// invoice.
func triggerResults(t *testing.T, a *api, opportunity string) string {
	t.Helper()
	return leaves(a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { step { name } tokenIssues { quantity } salesDocument { ... on Invoice { lifecycleState } } } } }`, vars{"id": opportunity}))
}

func (a *api) updateEvent(t testing.TB, event, input string) {
	t.Helper()
	data := a.query(t, fmt.Sprintf("mutation { event { update(eventId: %q, input: {%s}) { errors { label message value } event { id } } } }", event, input), nil)
	mustSucceed(t, valueAt(t, data, "event", "update"))
}

func TestTransitionAssumptions(t *testing.T) {
	t.Parallel()
	for row, test := range map[string]struct {
		value string
		words string // of the transition to Won
		ask   func(t *testing.T, a *api, id string) string
		want  [2]string
	}{
		"progress.unknown": {"transition", "", func(t *testing.T, a *api, id string) string {
			label, _, _ := strings.Cut(a.progress(t, id, globalid.EncodeInt(globalid.OpportunityStep, 99)), ":")
			return label
		}, [2]string{"Not Found", "Transition Not Found"}},
		"closed": {"refused", "", func(t *testing.T, a *api, id string) string {
			a.progress(t, id, stepWon)
			payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, quantity: 1, unitAmount: "1.00"}`, id, eventOne), "interests { id }")
			label, _, _ := strings.Cut(refusalOf(t, payload), ":")
			move, _, _ := strings.Cut(a.progress(t, id, stepOpportunity), ":")
			return label + "/" + move
		}, [2]string{"/Transition Not Found", "Closed/Closed"}},
		"trigger.account": {"reused", "triggers: [account]", func(t *testing.T, a *api, id string) string {
			mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, name: "Administrate"`, id), "opportunity { id }"))
			a.progress(t, id, stepWon)
			data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { account { id } } } }`, vars{"id": id})
			return valueAt(t, data, "node", "account", "id").(string)
		}, [2]string{globalid.EncodeInt(globalid.Account, 4), globalid.EncodeInt(globalid.Account, 2)}},
		"trigger.contact": {"made", "triggers: [contact]", func(t *testing.T, a *api, id string) string {
			mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: %q`, id, globalid.EncodeInt(globalid.Account, 2)), "opportunity { id }"))
			a.addItem(t, id, eventOne, 1, "1.00", `eventDetails: {newLearners: [{firstName: "Mel", lastName: "G", email: "melissa@example.com"}]}`)
			a.progress(t, id, stepWon)
			data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { contact { firstName } } } }`, vars{"id": id})
			return valueAt(t, data, "node", "contact", "firstName").(string)
		}, [2]string{"Melissa", "Mel"}},
		"trigger.token": {"skipped", "triggers: [token]", func(t *testing.T, a *api, id string) string {
			a.addItem(t, id, tokenType, 3, "1.00", "")
			label, _, _ := strings.Cut(a.progress(t, id, stepWon), ":")
			return label + triggerResults(t, a, id)
		}, [2]string{"Trigger FailedOpportunity", "Won"}},
		"trigger.token with an account": {"skipped", "triggers: [account, token]", func(t *testing.T, a *api, id string) string {
			a.addItem(t, id, tokenType, 3, "1.00", "")
			return a.progress(t, id, stepWon) + triggerResults(t, a, id)
		}, [2]string{"Won 3", "Won 3"}},
		"trigger.invoice.account": {"skipped", "triggers: [invoice]", func(t *testing.T, a *api, id string) string {
			a.addCourse(t, id, 1, "1.00")
			label, _, _ := strings.Cut(a.progress(t, id, stepWon), ":")
			return label + triggerResults(t, a, id)
		}, [2]string{"Trigger FailedOpportunity", "Won"}},
		"trigger.registration": {"skipped", "triggers: [registration]", func(t *testing.T, a *api, id string) string {
			a.addItem(t, id, eventOne, 2, "1.00", "reserve: true")
			a.addItem(t, id, eventTwo, 3, "1.00", "reserve: true")
			a.updateEvent(t, eventOne, `lifecycleState: "cancelled"`)
			label, _, _ := strings.Cut(a.progress(t, id, stepWon), ":")
			wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 2 ") // people with interests in the event get no message, and their places are not released
			return label + triggerResults(t, a, id) + " " + a.placesOf(t, eventTwo)[:len("max 16 booked 0 reserved 0")]
		}, [2]string{"Trigger FailedOpportunity max 16 booked 0 reserved 3", "Won max 16 booked 3 reserved 0"}},
	} {
		for i, value := range []string{"", test.value} {
			row, _, _ := strings.Cut(row, " ")
			t.Run(row+"="+value, func(t *testing.T) {
				o := sandbox.Options{}
				if test.words != "" {
					o.Catalogue = catalogueWinningWith(t, test.words)
				}
				if value != "" {
					o.Assumptions = map[string]string{row: value}
				}
				a := open(t, o)
				id := a.create(t, "assumed")
				if refused := a.progress(t, id, stepOpportunity); refused != "" {
					t.Fatal(refused)
				}
				if got := test.ask(t, a, id); got != test.want[i] {
					t.Errorf("%q, want %q", got, test.want[i])
				}
			})
		}
	}
}

// Documented and observed (API notes 5.4): an invoice starts as a draft. The purchase order has one
// name in the output and another name in the input. A final invoice stays final.
func TestInvoices(t *testing.T) {
	t.Parallel()
	now := newClock()
	for _, assumed := range []string{"", "changed"} {
		o := sandbox.Options{Catalogue: catalogueWinningWith(t, "triggers: [account, invoice]"), Now: now.Now}
		if assumed != "" {
			o.Assumptions = map[string]string{"invoice.final": assumed}
		}
		a := open(t, o)
		id := a.create(t, "billed")
		a.addCourse(t, id, 2, "10.00")
		if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
			t.Fatal(refused)
		}
		invoice := valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { activeInvoiceId } } }`, vars{"id": id}), "node", "activeInvoiceId").(string)
		change := func(mutation string) (string, any) {
			t.Helper()
			data := a.query(t, fmt.Sprintf("mutation { invoices { it: %s { errors { label message value } invoice { lifecycleState comments purchaseOrderReference finalisedAt } } } }", mutation), nil)
			return refusalOf(t, valueAt(t, data, "invoices", "it")), valueAt(t, data, "invoices", "it", "invoice")
		}
		refused, got := change(fmt.Sprintf(`update(input: {invoiceId: %q, comments: "by post", purchaseOrderRef: "PO 7"})`, invoice))
		wantJSON(t, got, `{"lifecycleState": "Draft", "comments": "by post", "purchaseOrderReference": "PO 7", "finalisedAt": null}`)
		if refused != "" {
			t.Error(refused)
		}
		_, got = change(fmt.Sprintf(`update(input: {invoiceId: %q, comments: "by mail"})`, invoice))
		wantJSON(t, got, `{"lifecycleState": "Draft", "comments": "by mail", "purchaseOrderReference": "PO 7", "finalisedAt": null}`)
		_, got = change(fmt.Sprintf(`finalise(input: {invoiceId: %q})`, invoice))
		wantJSON(t, got, `{"lifecycleState": "Final", "comments": "by mail", "purchaseOrderReference": "PO 7", "finalisedAt": "2026-03-02T09:00:00+00:00"}`)
		for _, again := range []string{"finalise(input: {invoiceId: %q})", `update(input: {invoiceId: %q, comments: "late"})`} {
			if refused, _ := change(fmt.Sprintf(again, invoice)); strings.HasPrefix(refused, "Not A Draft") != (assumed == "") {
				t.Errorf("%s: %q", again, refused)
			}
		}
		if refused, _ := change(`finalise(input: {invoiceId: "SW52b2ljZTo5OTk="})`); !strings.HasPrefix(refused, "Not Found") {
			t.Error(refused)
		}
	}
}

// A second transition to Won creates a second draft invoice only with the value "another" of the
// assumption trigger.invoice.
func TestASecondInvoiceTrigger(t *testing.T) {
	t.Parallel()
	for value, n := range map[string]int{"kept": 1, "another": 2} {
		catalogue := catalogueWinningWith(t, "triggers: [account, invoice] }\n  - { from: 5, to: 4 ")
		a := open(t, sandbox.Options{Catalogue: catalogue, Assumptions: map[string]string{"trigger.invoice": value}})
		id := a.create(t, "billed")
		for _, step := range []string{stepOpportunity, stepWon, stepOpportunity, stepWon} {
			if refused := a.progress(t, id, step); refused != "" {
				t.Fatal(refused)
			}
		}
		all := valueAt(t, a.query(t, `{ invoices { edges { node { id } } } }`, nil), "invoices", "edges").([]any)
		if len(all) != n {
			t.Errorf("%s: %d invoices", value, len(all))
		}
	}
}

// Documented (API notes 5.4): an invoice has a line for each delegate and event. An invoice does
// not bill learners who were cancelled before the invoice was drafted, even if an event then has no
// line.
func TestCancelledLearnersAreNotBilled(t *testing.T) {
	t.Parallel()
	catalogue := catalogueWinningWith(t, "triggers: [account, registration] }\n  - { from: 5, to: 7, triggers: [invoice] ")
	a := open(t, sandbox.Options{Catalogue: catalogue})
	id := a.create(t, "billed")
	a.addItem(t, id, eventOne, 2, "100.00", "")
	a.addItem(t, id, "Q291cnNlOjI=", 3, "10.00", "")
	a.addCourse(t, id, 4, "1.00")
	if refused := a.progress(t, id, stepOpportunity) + a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	for _, learner := range []int64{1, 2, 4} { // both learners of the first event, one of the second
		if refused := a.changeLearner(t, "cancel", globalid.EncodeInt(globalid.Learner, learner)); refused != "" {
			t.Fatal(refused)
		}
	}
	if refused := a.progress(t, id, globalid.EncodeInt(globalid.OpportunityStep, 7)); refused != "" {
		t.Fatal(refused)
	}
	data := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { salesDocument { ... on Invoice { lines { quantity unitAmount learner { legacyId } } } } } } }`, vars{"id": id})
	wantJSON(t, valueAt(t, data, "node", "salesDocument", "lines"), `[{"quantity": 1, "unitAmount": "10.00", "learner": {"legacyId": 3}},
		{"quantity": 1, "unitAmount": "10.00", "learner": {"legacyId": 5}}, {"quantity": 4, "unitAmount": "1.00", "learner": null}]`)
}
