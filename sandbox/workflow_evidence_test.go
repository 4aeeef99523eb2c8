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

// Documented (API notes 4.4): a transition is an allowed way from one step to another. Without a
// transition, progress fails. Observed (API notes 4.2): opportunitySteps lists the steps.
// Documented (API notes 4.4): a step is a point inside a stage. A stage has the state Open, Won,
// Lost or Archived.
func TestProgressFollowsTransitions(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	steps := valueAt(t, a.query(t, `{ opportunitySteps { edges { node { id name stage { name state } } } } }`, nil), "opportunitySteps", "edges").([]any)
	allowed := map[string][]string{"Proposed": {"Opportunity", "Lost", "Archived"}, "Opportunity": {"Won", "Lost", "Archived"}}
	var shown []string
	for _, from := range steps {
		name := valueAt(t, from, "node", "name").(string)
		shown = append(shown, fmt.Sprint(name, " ", valueAt(t, from, "node", "stage", "state")))
		for _, to := range steps {
			id := a.create(t, "moved")
			switch name {
			case "Proposed":
			case "Opportunity", "Lost", "Archived":
				a.progress(t, id, valueAt(t, from, "node", "id").(string))
			case "Won":
				a.progress(t, id, stepOpportunity)
				a.progress(t, id, stepWon)
			}
			moved := a.mutate(t, "progress", fmt.Sprintf("opportunityId: %q, stepId: %q", id, valueAt(t, to, "node", "id")), "opportunity { step { name } }")
			target := valueAt(t, to, "node", "name").(string)
			if slices.Contains(allowed[name], target) {
				if got := leaves(valueAt(t, mustSucceed(t, moved), "opportunity")); got != target {
					t.Errorf("after the transition from %s to %s, the step is %s", name, target, got)
				}
				continue
			}
			if refused := refusalOf(t, moved); !strings.HasPrefix(refused, "Transition Not Found") || valueAt(t, moved, "opportunity") != nil {
				t.Errorf("from %s to %s: %v", name, target, moved)
			}
			if got := a.leavesOf(t, fmt.Sprintf(`{ node(id: %q) { ... on Opportunity { step { name } } } }`, id)); got != name {
				t.Errorf("after the refused transition from %s to %s, the step is %s", name, target, got)
			}
		}
	}
	if got, want := strings.Join(shown, ", "), "Proposed Open, Opportunity Open, Won Won, Lost Lost, Archived Archived"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Documented (API notes 4.3, 4.4): without entryStepId, the API creates an opportunity in the
// tenant's entry step. The documented entry step is Proposed, in the stage Proposed, which has the
// state Open. Entry steps are configured per tenant.
func TestEntryStepsAreTheTenants(t *testing.T) {
	t.Parallel()
	const create = `mutation { opportunities { create(input: {name: "x", regionId: "UmVnaW9uOlVL"}) { errors { label } opportunity { step { name stage { name state } } } } } }`
	for words, want := range map[[2]string]string{
		{"stage: 3, entry: true", "stage: 3, entry: true"}: "Proposed Proposed Open",
		{"stage: 3, entry: true", "stage: 3"}:              "Opportunity Opportunity Open",
	} {
		a := open(t, sandbox.Options{Catalogue: editedCatalogue(t, words[0], words[1])})
		if got := a.leavesOf(t, create); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Documented (API notes 4.2, 4.3): GraphQL documents declare variables of the types
// OpportunityCreateInput, OpportunityUpdateInput and OpportunityField.
func TestTypesOfTheDocumentation(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	data := a.query(t, `mutation ($new: OpportunityCreateInput!, $changed: OpportunityUpdateInput!) {
		one: opportunities { create(input: $new) { errors { label } opportunity { name } } }
		two: opportunities { update(input: $changed) { errors { label } opportunity { account { name } } } }
	}`, vars{"new": vars{"name": "x", "regionId": "UmVnaW9uOlVL"}, "changed": vars{"id": oneOpportunity, "accountId": "T3JnYW5pc2F0aW9uOjI="}})
	if got := leaves(data); got != "x Administrate" {
		t.Error(got)
	}
	if got := a.leavesOfVars(t, `query ($f: OpportunityField!) { opportunities(filters: {field: $f, operation: eq, value: "UK"}) { edges { node { name } } } }`, vars{"f": "regionName"}); got != "Annual first aid refresher x" {
		t.Error(got)
	}
}

// Observed (API notes 4.5): users get the advice to change and remove interests in the user
// interface of the TMS. No mutation was observed that changes or removes an interest. Observed (API
// notes 4.6): the API has no mutation whose only purpose is to release a reservation. Documented
// (API notes 5.4): the invoice trigger or a user of the TMS creates an invoice. No mutation was
// observed that creates an invoice.
func TestUnobservedMutationsAreAbsent(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for namespace, wanted := range map[string]string{
		"OpportunityMutations": "addInterest create extendReservations progress reservePlacesForInterests update",
		"InvoiceMutations":     "finalise update",
	} {
		var names []string
		for name := range a.fields(t, namespace) {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != wanted {
			t.Errorf("%s: %s, want %s", namespace, got, wanted)
		}
	}
}

// Documented (API notes 4.5): the details of an interest depend on its kind: learners for courses,
// events and learning paths, and {expiresAt} for training tokens. The response to addInterest has
// errors and interests; interests is a list, not a GraphQL connection. Documented (API notes 3.6):
// expiresAt is a local time and must have no offset. The API accepts an expiresAt in the past, as a
// documented example shows.
func TestDetailsAreThoseOfTheKind(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const learners = `{existingLearners: [], newLearners: [{firstName: "Ada", lastName: "Byron", email: "ada@example.com"}]}`
	path := globalid.EncodeInt(globalid.LearningPath, 1)
	template := globalid.EncodeInt(globalid.CourseTemplate, 11)
	details := map[string]string{
		template: "courseDetails: " + learners, eventOne: "eventDetails: " + learners, path: "learningPathDetails: " + learners,
		tokenType: `trainingTokenDetails: {expiresAt: "2023-12-31T23:59:59"}`,
	}
	for item := range details {
		for of, given := range details {
			id := a.create(t, "x")
			payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, quantity: 2, unitAmount: "5.00", %s}`, id, item, given), "interests { item { id } expiresAt learners { edges { node { firstName lastName email } } } }")
			if item != of {
				if refused := refusalOf(t, payload); !strings.HasPrefix(refused, "Details Do Not Fit") || valueAt(t, payload, "interests") != nil {
					t.Errorf("%s with %s: %v", item, given, payload)
				}
				continue
			}
			expires, learner := "null", `[{"node": {"firstName": "Ada", "lastName": "Byron", "email": "ada@example.com"}}]`
			if item == tokenType {
				expires, learner = `"2023-12-31T23:59:59"`, "[]"
			}
			wantJSON(t, valueAt(t, mustSucceed(t, payload), "interests"), fmt.Sprintf(`[{"item": {"id": %q}, "expiresAt": %s, "learners": {"edges": %s}}]`, item, expires, learner))
		}
	}
	zoned := `mutation { opportunities { addInterest(input: {opportunityId: "` + oneOpportunity + `", interestDetails: {id: "` + tokenType + `", quantity: 1, unitAmount: "1", trainingTokenDetails: {expiresAt: "2031-12-31T23:59:59Z"}}}) { errors { label } } } }`
	if got := a.leavesOf(t, zoned); got != "refused" {
		t.Errorf("an expiry with a zone: %s", got)
	}
}

// Documented (API notes 4.4): the token trigger issues the training tokens of an interest to the
// account, once. The issued tokens have the type, quantity and expiry time of the interest.
// Documented (API notes 5.4): an invoice needs a region and a currency, which come from the
// invoice's opportunity.
func TestTokensAreIssuedOnce(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Catalogue: editedCatalogue(t, "- { from: 3, to: 4 }", "- { from: 3, to: 4, triggers: [token] }", "- { from: 4, to: 5 }", "- { from: 4, to: 5, triggers: [token, invoice] }")})
	id := a.create(t, "x")
	mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: "T3JnYW5pc2F0aW9uOjI=", financialUnitId: "USD"`, id), "opportunity { id }"))
	a.addItem(t, id, tokenType, 10, "19.90", `trainingTokenDetails: {expiresAt: "2031-12-31T23:59:59"}`)
	issued := func() any {
		t.Helper()
		return valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { tokenIssues { quantity expiresAt tokenType { name } } } } }`, vars{"id": id}), "node", "tokenIssues")
	}
	wantJSON(t, issued(), "[]")
	if refused := a.progress(t, id, stepOpportunity); refused != "" {
		t.Fatal(refused)
	}
	const first = `{"quantity": 10, "expiresAt": "2031-12-31T23:59:59", "tokenType": {"name": "Training Token"}}`
	wantJSON(t, issued(), "["+first+"]")
	a.addItem(t, id, tokenType, 1, "19.90", "")
	if refused := a.progress(t, id, stepWon); refused != "" {
		t.Fatal(refused)
	}
	wantJSON(t, issued(), "["+first+`, {"quantity": 1, "expiresAt": null, "tokenType": {"name": "Training Token"}}]`)
	invoice := a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { salesDocument { ... on Invoice { financialUnit { ... on Currency { code } } lines { quantity unitAmount } } } } } }`, vars{"id": id})
	wantJSON(t, valueAt(t, invoice, "node", "salesDocument"), `{"financialUnit": {"code": "USD"}, "lines": [{"quantity": 10, "unitAmount": "19.90"}, {"quantity": 1, "unitAmount": "19.90"}]}`)
}

// Documented (API notes 3.2): a request may have the argument offset or the argument after, but not
// both arguments. Observed (API notes 3.3): a client reads one object by a filter on the object's
// id.
func TestOffsetAndAfterAreAlternatives(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for i := range 5 {
		a.create(t, fmt.Sprint("o", i))
	}
	read := func(arguments string) string {
		t.Helper()
		return a.leavesOf(t, `{ opportunities(`+arguments+`) { edges { node { name } } } }`)
	}
	if byOffset, byCursor := read("first: 2, offset: 3"), read(`first: 2, after: "Q3Vyc29yOjI="`); byOffset != "o2 o3" || byCursor != byOffset {
		t.Errorf("%s and %s", byOffset, byCursor)
	}
	if got := read(`first: 2, offset: 3, after: "Q3Vyc29yOjI="`); got != "refused" {
		t.Errorf("both: %s", got)
	}
	if got := read(`filters: {field: id, operation: eq, value: "T3Bwb3J0dW5pdHk6Mw=="}`); got != "o1" {
		t.Error(got)
	}
}

// Observed (API notes 4.1): reservationsValidUntil is null or a time with a UTC offset (API notes
// 3.6). A reservationsValidUntil in a request may have any UTC offset. isReservationValid is true
// or false, never null. Observed (API notes 4.6): extendReservations with the current time releases
// the reservations of all interests of the opportunity.
func TestReservationFieldsOfAnOpportunity(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	id := a.create(t, "x")
	a.addItem(t, id, eventOne, 1, "1.00", "reserve: true")
	a.addItem(t, id, eventTwo, 2, "1.00", "reserve: true")
	shown := func() any {
		t.Helper()
		return valueAt(t, a.query(t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { isReservationValid reservationsValidUntil } } }`, vars{"id": id}), "node")
	}
	wantJSON(t, shown(), `{"isReservationValid": true, "reservationsValidUntil": null}`)
	a.extend(t, id, now.Now().Add(time.Hour).In(time.FixedZone("", 5*3600)))
	wantJSON(t, shown(), `{"isReservationValid": true, "reservationsValidUntil": "2026-03-02T10:00:00+00:00"}`)
	a.extend(t, id, now.Now())
	wantJSON(t, shown(), `{"isReservationValid": false, "reservationsValidUntil": "2026-03-02T09:00:00+00:00"}`)
	wantPlaces(t, a, eventOne, "max 12 booked 4 reserved 0 remaining 8")
	wantPlaces(t, a, eventTwo, "max 16 booked 0 reserved 0 remaining 16")
}
