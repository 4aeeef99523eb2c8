package sandbox_test

import (
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

// Documented (API notes 4.1, 4.3, 4.5): the test sends every example of the API documentation
// (Sales Opportunities) to a new sandbox, in the order of the documentation.
func TestDocumentedExchanges(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const errorFields = `errors { label message value }`

	t.Run("search", func(t *testing.T) {
		const search = `query Search($region: String!) {
			opportunities(filters: [{field: regionName, operation: eq, value: $region}]) {
				edges { node { id name value { grandTotal } interests { edges { node { id __typename totalAmount } } } } }
			}
		}`
		wantJSON(t, a.query(t, search, vars{"region": "UK"}), `{"opportunities": {"edges": [{"node": {
			"id": "T3Bwb3J0dW5pdHk6MQ==", "name": "Annual first aid refresher", "value": {"grandTotal": "0.00"}, "interests": {"edges": []}
		}}]}}`)
		wantJSON(t, a.query(t, search, vars{"region": "Dominican Republic"}), `{"opportunities": {"edges": []}}`)
	})

	t.Run("create", func(t *testing.T) {
		wantJSON(t, a.query(t, `mutation New($input: OpportunityCreateInput!) {
			opportunities { create(input: $input) { `+errorFields+` opportunity { id step { id name stage { id name state } } } } }
		}`, vars{"input": vars{"name": "First Aid course", "regionId": "UmVnaW9uOkRS"}}), `{"opportunities": {"create": {
			"errors": [],
			"opportunity": {
				"id": "T3Bwb3J0dW5pdHk6Mg==",
				"step": {"id": "T3Bwb3J0dW5pdHlTdGVwOjM=", "name": "Proposed", "stage": {"id": "T3Bwb3J0dW5pdHlTdGFnZToz", "name": "Proposed", "state": "Open"}}
			}
		}}}`)
	})

	t.Run("update", func(t *testing.T) {
		wantJSON(t, a.query(t, `mutation Assign($input: OpportunityUpdateInput!) {
			opportunities { update(input: $input) {
				`+errorFields+` opportunity { id account { id name } financialUnit { name ... on Currency { code symbol } } }
			} }
		}`, vars{"input": vars{"id": "T3Bwb3J0dW5pdHk6MQ==", "financialUnitId": "USD", "accountId": "T3JnYW5pc2F0aW9uOjI="}}), `{"opportunities": {"update": {
			"errors": [],
			"opportunity": {
				"id": "T3Bwb3J0dW5pdHk6MQ==",
				"account": {"id": "T3JnYW5pc2F0aW9uOjI=", "name": "Administrate"},
				"financialUnit": {"name": "U.S. Dollars", "code": "USD", "symbol": "$"}
			}
		}}}`)
	})

	const progress = `mutation Move($opportunity: ID!, $step: ID!) {
		opportunities { progress(input: {opportunityId: $opportunity, stepId: $step}) { ` + errorFields + ` opportunity { id step { id name } } } }
	}`
	t.Run("progress", func(t *testing.T) {
		wantJSON(t, a.query(t, progress, vars{"opportunity": "T3Bwb3J0dW5pdHk6Mg==", "step": "T3Bwb3J0dW5pdHlTdGVwOjQ="}), `{"opportunities": {"progress": {
			"errors": [], "opportunity": {"id": "T3Bwb3J0dW5pdHk6Mg==", "step": {"id": "T3Bwb3J0dW5pdHlTdGVwOjQ=", "name": "Opportunity"}}
		}}}`)
	})
	t.Run("progress without a transition", func(t *testing.T) {
		wantJSON(t, a.query(t, progress, vars{"opportunity": "T3Bwb3J0dW5pdHk6Mg==", "step": "T3Bwb3J0dW5pdHlTdGVwOjQ="}), `{"opportunities": {"progress": {
			"errors": [{
				"label": "Transition Not Found",
				"message": "Transition from step T3Bwb3J0dW5pdHlTdGVwOjQ= to step T3Bwb3J0dW5pdHlTdGVwOjQ= not found",
				"value": null
			}],
			"opportunity": null
		}}}`)
		// The first opportunity is still in "Proposed", from which no transition leads to Won.
		wantJSON(t, a.query(t, progress, vars{"opportunity": "T3Bwb3J0dW5pdHk6MQ==", "step": "T3Bwb3J0dW5pdHlTdGVwOjU="}), `{"opportunities": {"progress": {
			"errors": [{
				"label": "Transition Not Found",
				"message": "Transition from step T3Bwb3J0dW5pdHlTdGVwOjM= to step T3Bwb3J0dW5pdHlTdGVwOjU= not found",
				"value": null
			}],
			"opportunity": null
		}}}`)
	})

	const learner = `existingLearners: [], newLearners: [{firstName: "Melissa", lastName: "Green", email: "melissa@example.com"}]`
	for _, c := range []struct{ name, details, fragment, answer string }{
		{
			"course", `id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "199.90", courseDetails: {` + learner + `}`,
			`... on CourseTemplate { code title }`,
			`{"id": "T3Bwb3J0dW5pdHlJbnRlcmVzdDox", "item": {"id": "Q291cnNlVGVtcGxhdGU6MTE=", "__typename": "CourseTemplate", "code": "ABC-123", "title": "My New Course"}}`,
		},
		{
			// For an interest in an event, the documentation page selects a fragment on
			// CourseTemplate. The fragment on CourseTemplate is valid and adds no fields to the
			// response for an event.
			"event", `id: "Q291cnNlOjE=", reserve: true, quantity: 1, unitAmount: "199.90", eventDetails: {` + learner + `}`,
			`... on CourseTemplate { code title }`,
			`{"id": "T3Bwb3J0dW5pdHlJbnRlcmVzdDoy", "item": {"id": "Q291cnNlOjE=", "__typename": "Event"}}`,
		},
		{
			"learning path", `id: "TGVhcm5pbmdQYXRoOjE=", quantity: 1, unitAmount: "199.90", learningPathDetails: {` + learner + `}`,
			`... on LearningPath { code name }`,
			`{"id": "T3Bwb3J0dW5pdHlJbnRlcmVzdDoz", "item": {"id": "TGVhcm5pbmdQYXRoOjE=", "__typename": "LearningPath", "code": "LP-1", "name": "Workplace Safety"}}`,
		},
		{
			"training tokens", `id: "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2", quantity: 10, unitAmount: "19.90", trainingTokenDetails: {expiresAt: "2023-12-31T23:59:59"}`,
			`... on TrainingTokenType { name }`,
			`{"id": "T3Bwb3J0dW5pdHlJbnRlcmVzdDo0", "item": {"id": "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2", "__typename": "TrainingTokenType", "name": "Training Token"}}`,
		},
	} {
		t.Run("interest in "+c.name, func(t *testing.T) {
			wantJSON(t, a.query(t, `mutation { opportunities { addInterest(input: {opportunityId: "T3Bwb3J0dW5pdHk6Mg==", interestDetails: {`+c.details+`}}) {
				`+errorFields+` interests { id item { id __typename `+c.fragment+` } }
			} } }`, nil), `{"opportunities": {"addInterest": {"errors": [], "interests": [`+c.answer+`]}}}`)
		})
	}

	t.Run("search again", func(t *testing.T) {
		const learners = `"learners": {"edges": [{"node": {"firstName": "Melissa", "lastName": "Green", "email": "melissa@example.com", "contact": null}}]}`
		wantJSON(t, a.query(t, `{
			opportunities(filters: {field: regionName, operation: eq, value: "Dominican Republic"}) { edges { node {
				id value { grandTotal } interests { edges { node {
					__typename quantity unitAmount totalAmount reserve expiresAt opportunity { id }
					learners { edges { node { firstName lastName email contact { id } } } }
				} } }
			} } }
			node(id: "Q291cnNlOjE=") { ... on Event { maxPlaces bookedPlaces reserved remainingPlaces } }
		}`, nil), `{
			"opportunities": {"edges": [{"node": {"id": "T3Bwb3J0dW5pdHk6Mg==", "value": {"grandTotal": "798.70"}, "interests": {"edges": [
				{"node": {"__typename": "OpportunityInterest", "quantity": 1, "unitAmount": "199.90", "totalAmount": "199.90", "reserve": false, "expiresAt": null, "opportunity": {"id": "T3Bwb3J0dW5pdHk6Mg=="}, `+learners+`}},
				{"node": {"__typename": "OpportunityInterest", "quantity": 1, "unitAmount": "199.90", "totalAmount": "199.90", "reserve": true, "expiresAt": null, "opportunity": {"id": "T3Bwb3J0dW5pdHk6Mg=="}, `+learners+`}},
				{"node": {"__typename": "OpportunityInterest", "quantity": 1, "unitAmount": "199.90", "totalAmount": "199.90", "reserve": false, "expiresAt": null, "opportunity": {"id": "T3Bwb3J0dW5pdHk6Mg=="}, `+learners+`}},
				{"node": {"__typename": "OpportunityInterest", "quantity": 10, "unitAmount": "19.90", "totalAmount": "199.00", "reserve": false, "expiresAt": "2023-12-31T23:59:59", "opportunity": {"id": "T3Bwb3J0dW5pdHk6Mg=="}, "learners": {"edges": []}}}
			]}}}]},
			"node": {"maxPlaces": 12, "bookedPlaces": 4, "reserved": 1, "remainingPlaces": 7}
		}`)
	})
}

func TestAddInterestMayReturnAllInterests(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Assumptions: map[string]string{"addInterest.response": "all"}})
	id := a.create(t, "all")
	first := a.addCourse(t, id, 1, "1.00")
	payload := mustSucceed(t, a.mutate(t, "addInterest", `opportunityId: "`+id+`", interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 2, unitAmount: "2.00"}`, "interests { id quantity }"))
	if got := valueAt(t, payload, "interests"); len(got.([]any)) != 2 || valueAt(t, got, 0, "id") != first || valueAt(t, got, 1, "quantity") != 2.0 {
		t.Errorf("the response has %v, want both interests in order", got)
	}
}
