package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// everything is a query that reads all state that mutations can change.
const everything = `{
	opportunities { edges { node {
		id name region { id } account { id } financialUnit { id } step { id } attributes { definitionKey value } updatedAt
		isReservationValid reservationsValidUntil
		interests { edges { node { id quantity totalAmount learners { edges { node { lastName } } } } } }
	} } }
}`

// Documented (API notes 3.5): every refusal has the documented form: an error {label message
// value}, a null object and the HTTP status 200. Observed (API notes 3.5): a refused mutation
// changes nothing. Documented (API notes 3.5): A refusal with the label "Transition Not Found"
// names both steps by their ids. The opportunity of the test is Opportunity:1, in the step
// "Proposed".
func TestRefusals(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const opportunity, template, event = "T3Bwb3J0dW5pdHk6MQ==", "Q291cnNlVGVtcGxhdGU6MTE=", "Q291cnNlOjE="
	tokens := globalid.Encode(globalid.TrainingTokenType, "8848a3b38adf45db8ff60fafcbd3b3f6")
	path := globalid.EncodeInt(globalid.LearningPath, 1)
	uk := globalid.Encode(globalid.Region, "UK")
	interest := func(item, rest string) string {
		return fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, %s}`, opportunity, item, rest)
	}
	const one = `quantity: 1, unitAmount: "1.00"`
	const until = `reservationsValidUntil: "2030-01-01T00:00:00Z"`
	type row struct{ name, mutation, input, label, says string }
	rows := []row{
		{"create in an unknown region", "create", `name: "x", regionId: "` + globalid.Encode(globalid.Region, "XX") + `"`, "Not Found", "Region"},
		{"create in what is no region", "create", `name: "x", regionId: "` + opportunity + `"`, "Invalid ID", "regionId"},
		{"create with a bare region", "create", `name: "x", regionId: "UK"`, "Invalid ID", "regionId"},
		{"create without a region", "create", `name: "x", regionId: ""`, "Invalid ID", "empty"},
		{"create with a number for a region", "create", `name: "x", regionId: 5`, "Invalid ID", "regionId"},
		{"create without a name", "create", `name: "", regionId: "` + uk + `"`, "Invalid Value", "name"},
		{"create with a blank name", "create", `name: " \t", regionId: "` + uk + `"`, "Invalid Value", "name"},
		{"create in an unknown currency", "create", `name: "x", regionId: "` + uk + `", financialUnitId: "ZZZ"`, "Not Found", "ZZZ"},
		{"create in a currency by global id", "create", `name: "x", regionId: "` + uk + `", financialUnitId: "` + globalid.Encode(globalid.Currency, "USD") + `"`, "Not Found", "such as USD"},
		{"create for an unknown account", "create", `name: "x", regionId: "` + uk + `", accountId: "` + globalid.EncodeInt(globalid.Account, 99) + `"`, "Not Found", "Account"},
		{"create at an unknown step", "create", `name: "x", regionId: "` + uk + `", entryStepId: "` + globalid.EncodeInt(globalid.OpportunityStep, 99) + `"`, "Not Found", "Step"},
		{"create at a step that is no entry", "create", `name: "x", regionId: "` + uk + `", entryStepId: "` + globalid.EncodeInt(globalid.OpportunityStep, 5) + `"`, "Invalid Value", "entry step"},
		{"create with a blank attribute", "create", `name: "x", regionId: "` + uk + `", attributes: [{definitionKey: "a", value: "b"}, {definitionKey: " ", value: "x"}]`, "Invalid Value", "definitionKey"},

		{"update nothing that is", "update", `id: "` + globalid.EncodeInt(globalid.Opportunity, 99) + `", name: "x"`, "Not Found", "Opportunity"},
		{"update what is no opportunity", "update", `id: "` + event + `", name: "x"`, "Invalid ID", "id: "},
		{"update with a malformed id", "update", `id: "???", name: "x"`, "Invalid ID", "not base64"},
		{"update to no name", "update", `id: "` + opportunity + `", name: ""`, "Invalid Value", "name"},
		{"update name and a bad currency", "update", `id: "` + opportunity + `", name: "changed", financialUnitId: "usd"`, "Not Found", "usd"},
		{"update name and a bad account", "update", `id: "` + opportunity + `", name: "changed", financialUnitId: "EUR", accountId: "` + uk + `"`, "Invalid ID", "accountId"},
		{"update name and a bad attribute", "update", `id: "` + opportunity + `", name: "changed", attributes: [{definitionKey: "k", value: "v"}, {definitionKey: ""}]`, "Invalid Value", "definitionKey"},

		{"progress nothing that is", "progress", `opportunityId: "` + globalid.EncodeInt(globalid.Opportunity, 99) + `", stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="`, "Not Found", "Opportunity"},
		{"progress to where no transition leads", "progress", `opportunityId: "` + opportunity + `", stepId: "T3Bwb3J0dW5pdHlTdGVwOjU="`, "Transition Not Found", "Transition from step T3Bwb3J0dW5pdHlTdGVwOjM= to step T3Bwb3J0dW5pdHlTdGVwOjU= not found"},
		{"progress to the same step", "progress", `opportunityId: "` + opportunity + `", stepId: "T3Bwb3J0dW5pdHlTdGVwOjM="`, "Transition Not Found", "Transition from step T3Bwb3J0dW5pdHlTdGVwOjM= to step T3Bwb3J0dW5pdHlTdGVwOjM= not found"},
		{"progress to an unknown step", "progress", `opportunityId: "` + opportunity + `", stepId: "` + globalid.EncodeInt(globalid.OpportunityStep, 99) + `"`, "Not Found", "Step"},
		{"progress to a stage", "progress", `opportunityId: "` + opportunity + `", stepId: "T3Bwb3J0dW5pdHlTdGFnZToz"`, "Invalid ID", "OpportunityStage"},

		{"interest of nothing that is", "addInterest", `opportunityId: "` + globalid.EncodeInt(globalid.Opportunity, 99) + `", interestDetails: {id: "` + template + `", ` + one + `}`, "Not Found", "Opportunity"},
		{"interest in an unknown template", "addInterest", interest(globalid.EncodeInt(globalid.CourseTemplate, 99), one), "Not Found", "Course Template"},
		{"interest in an unpublished template", "addInterest", interest(globalid.EncodeInt(globalid.CourseTemplate, 13), one), "Not Published", "draft"},
		{"interest in an unknown event", "addInterest", interest(globalid.EncodeInt(globalid.Event, 99), one), "Not Found", "Event"},
		{"interest in a cancelled event", "addInterest", interest(globalid.EncodeInt(globalid.Event, 3), one), "Not Published", "cancelled"},
		{"interest in an unknown path", "addInterest", interest(globalid.EncodeInt(globalid.LearningPath, 99), one), "Not Found", "Learning Path"},
		{"interest in an unpublished path", "addInterest", interest(globalid.EncodeInt(globalid.LearningPath, 2), one), "Not Published", "draft"},
		{"interest in an unknown token type", "addInterest", interest(globalid.Encode(globalid.TrainingTokenType, strings.Repeat("0", 32)), one), "Not Found", "Training Token Type"},
		{"interest in an account", "addInterest", interest("T3JnYW5pc2F0aW9uOjI=", one), "Invalid ID", "Organisation"},
		{"interest in a malformed id", "addInterest", interest("11", one), "Invalid ID", "interestDetails.id"},
		{"interest in a key that is no number", "addInterest", interest(globalid.Encode(globalid.CourseTemplate, "eleven"), one), "Invalid ID", "not a positive number"},
		{"no quantity", "addInterest", interest(template, `quantity: 0, unitAmount: "1.00"`), "Invalid Value", "quantity is 0"},
		{"negative quantity", "addInterest", interest(template, `quantity: -1, unitAmount: "1.00"`), "Invalid Value", "quantity is -1"},
		{"huge quantity", "addInterest", interest(template, `quantity: 2147483647, unitAmount: "1.00"`), "Invalid Value", "quantity"},
		{"negative amount", "addInterest", interest(template, `quantity: 1, unitAmount: "-0.01"`), "Invalid Value", "unitAmount"},
		{"three places", "addInterest", interest(template, `quantity: 1, unitAmount: "1.005"`), "Invalid Value", "two decimal places"},
		{"three places as a number", "addInterest", interest(template, `quantity: 1, unitAmount: 1.005`), "Invalid Value", "two decimal places"},
		{"more places than a float has", "addInterest", interest(template, `quantity: 1, unitAmount: 1.0000000000000000001`), "Invalid Value", "two decimal places"},
		{"huge amount", "addInterest", interest(template, `quantity: 1, unitAmount: "1e60"`), "Invalid Value", "unitAmount"},
		{"tiny amount", "addInterest", interest(template, `quantity: 1, unitAmount: "1e-60"`), "Invalid Value", "two decimal places"},
		{"malformed tax", "addInterest", interest(template, one+`, taxId: "VAT"`), "Invalid ID", "taxId"},
		{"reserve a course", "addInterest", interest(template, one+`, reserve: true`), "Details Do Not Fit", "reserve"},
		{"event details for a course", "addInterest", interest(template, one+`, eventDetails: {}`), "Details Do Not Fit", "eventDetails"},
		{"course details for an event", "addInterest", interest(event, one+`, courseDetails: {}`), "Details Do Not Fit", "courseDetails"},
		{"token details for a path", "addInterest", interest(path, one+`, trainingTokenDetails: {}`), "Details Do Not Fit", "trainingTokenDetails"},
		{"path details for tokens", "addInterest", interest(tokens, one+`, learningPathDetails: {}`), "Details Do Not Fit", "learningPathDetails"},
		{"right and wrong details", "addInterest", interest(event, one+`, eventDetails: {}, courseDetails: {}`), "Details Do Not Fit", "courseDetails"},
		{"more learners than places", "addInterest", interest(template, one+`, courseDetails: {newLearners: [{firstName: "A", lastName: "B"}, {firstName: "C", lastName: "D"}]}`), "Invalid Value", "2 learners"},
		{"an unknown contact", "addInterest", interest(template, one+`, courseDetails: {existingLearners: ["`+globalid.EncodeInt(globalid.Contact, 99)+`"]}`), "Not Found", "Contact"},
		{"an account as a learner", "addInterest", interest(template, one+`, courseDetails: {existingLearners: ["T3JnYW5pc2F0aW9uOjI="]}`), "Invalid ID", "existingLearners[0]"},
		{"null as a learner", "addInterest", interest(template, one+`, courseDetails: {existingLearners: [null]}`), "Invalid ID", "existingLearners[0]"},
		{"a learner without a name", "addInterest", interest(template, one+`, courseDetails: {newLearners: [{firstName: "A", lastName: ""}]}`), "Invalid Value", "newLearners[0]"},
		{"a second learner with a bad address", "addInterest", interest(template, `quantity: 2, unitAmount: "1.00", courseDetails: {newLearners: [{firstName: "A", lastName: "B", email: "a@example.com"}, {firstName: "C", lastName: "D", email: "nobody"}]}`), "Invalid Value", "nobody"},

		{"extend nothing that is", "extendReservations", `opportunityId: "` + globalid.EncodeInt(globalid.Opportunity, 99) + `", ` + until, "Not Found", "Opportunity"},
		{"extend an event", "extendReservations", `opportunityId: "` + event + `", ` + until, "Invalid ID", "opportunityId"},
	}
	before := a.query(t, everything, nil)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			object := "opportunity"
			selection := "opportunity { id }"
			if r.mutation == "addInterest" {
				object, selection = "interests", "interests { id }"
			}
			payload := a.mutate(t, r.mutation, r.input, selection)
			if valueAt(t, payload, object) != nil {
				t.Errorf("%s is %v beside an error, want null", object, valueAt(t, payload, object))
			}
			errors := valueAt(t, payload, "errors").([]any)
			if len(errors) != 1 {
				t.Fatalf("errors are %v, want one", errors)
			}
			label, message := valueAt(t, errors, 0, "label"), valueAt(t, errors, 0, "message").(string)
			if label != r.label || !strings.Contains(message, r.says) || strings.Contains(message, "\n") {
				t.Errorf("refused with %v: %q, want %s with %q on one line", label, message, r.label, r.says)
			}
		})
	}
	if after := a.query(t, everything, nil); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("refusals changed the records:\n%v\n%v", before, after)
	}
	// The next opportunity has the id 2, because the refused create mutations used no ids.
	if id := a.create(t, "next"); id != "T3Bwb3J0dW5pdHk6Mg==" {
		t.Errorf("the next opportunity is %s", id)
	}
}

// Documented (API notes 3.5): errors at the top level of the response are about the whole document.
// If the API rejects a document, the response has no data, and no mutation of the document runs.
func TestDocumentsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const before = `first: opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6MQ==", name: "changed"}) { errors { label } } }`
	literal := func(details string) string {
		return `mutation {` + before + ` second: opportunities { addInterest(input: {
			opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", ` + details + `}}) { errors { label } } } }`
	}
	whole := `mutation($details: OpportunityInterestDetailsInput!) {` + before + ` second: opportunities { addInterest(input: {
		opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: $details}) { errors { label } } } }`
	extend := `mutation($until: TimeZonedDateTime!) {` + before + ` second: opportunities { extendReservations(input: {
		opportunityId: "T3Bwb3J0dW5pdHk6MQ==", reservationsValidUntil: $until}) { errors { label } } } }`
	details := func(more vars) vars {
		d := vars{"id": "Q291cnNlVGVtcGxhdGU6MTE=", "quantity": 1, "unitAmount": "1.00"}
		for k, v := range more {
			d[k] = v
		}
		return vars{"details": d}
	}
	for name, c := range map[string]struct {
		document string
		v        vars
		says     string
	}{
		"amount that is a word":            {literal(`quantity: 1, unitAmount: "much"`), nil, "much"},
		"amount that is true":              {literal(`quantity: 1, unitAmount: true`), nil, "Decimal"},
		"amount that is null":              {literal(`quantity: 1, unitAmount: null`), nil, "Decimal!"},
		"amount with a comma":              {literal(`quantity: 1, unitAmount: "199,90"`), nil, "199,90"},
		"amount left out":                  {literal(`quantity: 1`), nil, "unitAmount"},
		"quantity that is a fraction":      {literal(`quantity: 1.5, unitAmount: "1"`), nil, "Int"},
		"quantity that is a string":        {literal(`quantity: "1", unitAmount: "1"`), nil, "Int"},
		"quantity beyond 32 bits":          {literal(`quantity: 3000000000, unitAmount: "1"`), nil, "32"},
		"expiry with a zone":               {literal(`quantity: 1, unitAmount: "1", trainingTokenDetails: {expiresAt: "2023-12-31T23:59:59Z"}`), nil, "no time zone"},
		"expiry on no day":                 {literal(`quantity: 1, unitAmount: "1", trainingTokenDetails: {expiresAt: "2023-02-30T00:00:00"}`), nil, "2023-02-30"},
		"unknown member":                   {literal(`quantity: 1, unitAmount: "1", colour: "red"`), nil, "colour"},
		"variable: amount":                 {whole, details(vars{"unitAmount": "much"}), "much"},
		"variable: amount that is a list":  {whole, details(vars{"unitAmount": []any{"1"}}), "Decimal"},
		"variable: quantity beyond":        {whole, details(vars{"quantity": 3000000000}), "32"},
		"variable: quantity left out":      {whole, vars{"details": vars{"id": "x", "unitAmount": "1"}}, "$details.quantity: must be defined"},
		"variable: expiry":                 {whole, details(vars{"trainingTokenDetails": vars{"expiresAt": "tomorrow"}}), "tomorrow"},
		"variable: unknown member":         {whole, details(vars{"colour": "red"}), "$details.colour: unknown field"},
		"variable: missing":                {whole, vars{}, "details"},
		"variable: time without an offset": {extend, vars{"until": "2030-01-01T00:00:00"}, "offset"},
		"variable: time that is a number":  {extend, vars{"until": 5}, "TimeZonedDateTime"},
		"unknown field":                    {`mutation {` + before + ` opportunities { win { errors { label } } } }`, nil, "win"},
		"syntax":                           {`mutation {` + before, nil, "Expected"},
		"a subscription":                   {`subscription { x }`, nil, ""},
		"no operation":                     {`fragment F on Opportunity { id }`, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := a.post(t, c.document, c.v)
			if answer.status != http.StatusOK || answer.hasData() || len(answer.Errors) == 0 || !strings.Contains(answer.Errors[0].Message, c.says) {
				t.Errorf("status %d: %s\nwant errors with %q and no data", answer.status, answer.raw, c.says)
			}
		})
	}
	if name := valueAt(t, a.query(t, `{ node(id: "T3Bwb3J0dW5pdHk6MQ==") { ... on Opportunity { name } } }`, nil), "node", "name"); name == "changed" {
		t.Error("a mutation of a refused document took effect")
	}
}

// Mutation fields at the root of a document run in order, and each field commits separately. The
// fields after a refused field still run.
func TestMutationsRunInOrder(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for round := range 20 {
		id := a.create(t, fmt.Sprint("round ", round))
		data := a.query(t, `mutation($id: ID!) {
			a: opportunities { progress(input: {opportunityId: $id, stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="}) { opportunity { step { name } } } }
			b: opportunities { progress(input: {opportunityId: $id, stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="}) { errors { label } opportunity { id } } }
			c: opportunities { update(input: {id: $id, name: "renamed"}) { opportunity { name step { name } } } }
			d: opportunities { progress(input: {opportunityId: $id, stepId: "T3Bwb3J0dW5pdHlTdGVwOjU="}) { opportunity { name step { stage { state } } } } }
		}`, vars{"id": id})
		wantJSON(t, data, `{
			"a": {"progress": {"opportunity": {"step": {"name": "Opportunity"}}}},
			"b": {"progress": {"errors": [{"label": "Transition Not Found"}], "opportunity": null}},
			"c": {"update": {"opportunity": {"name": "renamed", "step": {"name": "Opportunity"}}}},
			"d": {"progress": {"opportunity": {"name": "renamed", "step": {"stage": {"state": "Won"}}}}}
		}`)
	}
}

func TestAmountsAreReadExactly(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const tail = `{ errors { message } interests { unitAmount totalAmount } } } }`
	const start = ` { opportunities { addInterest(input: {opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 3, unitAmount: `
	for name, c := range map[string]struct {
		document string
		v        vars
		unit     string
	}{
		"string":           {`mutation` + start + `"199.90"}})` + tail, nil, "199.90"},
		"whole string":     {`mutation` + start + `"5"}})` + tail, nil, "5.00"},
		"float literal":    {`mutation` + start + `9999999999.99}})` + tail, nil, "9999999999.99"},
		"int literal":      {`mutation` + start + `7}})` + tail, nil, "7.00"},
		"exponent":         {`mutation` + start + `1.5e2}})` + tail, nil, "150.00"},
		"string variable":  {`mutation($a: Decimal!)` + start + `$a}})` + tail, vars{"a": "0.10"}, "0.10"},
		"number variable":  {`mutation($a: Decimal!)` + start + `$a}})` + tail, vars{"a": 0.1}, "0.10"},
		"default string":   {`mutation($a: Decimal! = "0.30")` + start + `$a}})` + tail, nil, "0.30"},
		"default float":    {`mutation($a: Decimal! = 0.30)` + start + `$a}})` + tail, nil, "0.30"},
		"default int":      {`mutation($a: Decimal! = 3)` + start + `$a}})` + tail, nil, "3.00"},
		"default not used": {`mutation($a: Decimal! = 3.5)` + start + `$a}})` + tail, vars{"a": 4}, "4.00"},
	} {
		t.Run(name, func(t *testing.T) {
			data := a.query(t, c.document, c.v)
			if errors := valueAt(t, data, "opportunities", "addInterest", "errors").([]any); len(errors) > 0 {
				t.Fatal(errors)
			}
			if got := valueAt(t, data, "opportunities", "addInterest", "interests", 0, "unitAmount"); got != c.unit {
				t.Errorf("unitAmount is %v, want %q", got, c.unit)
			}
		})
	}
	// An invalid amount is refused even if binary floating point would round the amount to a valid
	// amount.
	for name, document := range map[string]string{
		"literal": `mutation` + start + `0.3000000000000000001}})` + tail,
		"default": `mutation($a: Decimal! = 0.3000000000000000001)` + start + `$a}})` + tail,
		"object":  `mutation($d: OpportunityInterestDetailsInput! = {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: 0.3000000000000000001}) { opportunities { addInterest(input: {opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: $d})` + tail,
	} {
		errors := valueAt(t, a.query(t, document, nil), "opportunities", "addInterest", "errors").([]any)
		if len(errors) != 1 || !strings.Contains(valueAt(t, errors, 0, "message").(string), "0.3000000000000000001") {
			t.Errorf("%s: %v", name, errors)
		}
	}
}

// Up to the upper bound of the value, grandTotal is exact.
func TestLargestValue(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const largest = `opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 100000, unitAmount: 10000000000}`
	for range 10 {
		mustSucceed(t, a.mutate(t, "addInterest", largest, "interests { id }"))
	}
	errors := valueAt(t, a.mutate(t, "addInterest", `opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: {id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "0.01"}`, "interests { id }"), "errors").([]any)
	if len(errors) != 1 {
		t.Error("a hundredth above the largest value was accepted")
	}
	wantJSON(t, a.query(t, `{ node(id: "T3Bwb3J0dW5pdHk6MQ==") { ... on Opportunity { value { grandTotal } interests { pageInfo { totalRecords } } } } }`, nil),
		`{"node": {"value": {"grandTotal": "10000000000000000.00"}, "interests": {"pageInfo": {"totalRecords": 10}}}}`)
}

func TestUpdateChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const fields = `opportunity { name account { name } financialUnit { name } region { name } attributes { definitionKey value } }`
	id := valueAt(t, mustSucceed(t, a.mutate(t, "create", `name: "as made", regionId: "`+globalid.Encode(globalid.Region, "IE")+`", accountId: "T3JnYW5pc2F0aW9uOjI=", attributes: [{definitionKey: "source", value: "web"}, {definitionKey: "reference", value: "A-1"}]`, "opportunity { id }")), "opportunity", "id").(string)
	wantJSON(t, valueAt(t, mustSucceed(t, a.mutate(t, "update", `id: "`+id+`", name: null`, fields)), "opportunity"),
		`{"name": "as made", "account": {"name": "Administrate"}, "financialUnit": {"name": "Euros"}, "region": {"name": "Ireland"}, "attributes": [{"definitionKey": "reference", "value": "A-1"}, {"definitionKey": "source", "value": "web"}]}`)
	wantJSON(t, valueAt(t, mustSucceed(t, a.mutate(t, "update", `id: "`+id+`", financialUnitId: "GBP", attributes: [{definitionKey: "source", value: null}, {definitionKey: "reference", value: "A-2"}, {definitionKey: "new", value: ""}]`, fields)), "opportunity"),
		`{"name": "as made", "account": {"name": "Administrate"}, "financialUnit": {"name": "Pounds Sterling"}, "region": {"name": "Ireland"}, "attributes": [{"definitionKey": "new", "value": ""}, {"definitionKey": "reference", "value": "A-2"}]}`)
	wantJSON(t, valueAt(t, mustSucceed(t, a.mutate(t, "update", `id: "`+id+`", name: "renamed", accountId: "`+globalid.EncodeInt(globalid.Account, 3)+`"`, fields)), "opportunity"),
		`{"name": "renamed", "account": {"name": "Northern Lights Energy"}, "financialUnit": {"name": "Pounds Sterling"}, "region": {"name": "Ireland"}, "attributes": [{"definitionKey": "new", "value": ""}, {"definitionKey": "reference", "value": "A-2"}]}`)
}

func TestTextIsKept(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for _, text := range []string{`quotes " and ' and \`, "lines\nand\ttabs", "ÄÖÜ 日本語 🎓", "nul \x00 inside", strings.Repeat("long ", 2000), "'; DROP TABLE opportunities; --", "$name {braces}"} {
		data := a.query(t, `mutation($n: String!) { opportunities { create(input: {name: $n, regionId: "UmVnaW9uOkRS", attributes: {definitionKey: $n, value: $n}}) { errors { message } opportunity { id } } } }`, vars{"n": text})
		id := valueAt(t, data, "opportunities", "create", "opportunity", "id")
		data = a.query(t, `query($n: String!) { opportunities(filters: {field: name, operation: eq, value: $n}) { edges { node { id name attributes { definitionKey value } } } } }`, vars{"n": text})
		node := valueAt(t, data, "opportunities", "edges", 0, "node")
		if valueAt(t, node, "id") != id || valueAt(t, node, "name") != text || valueAt(t, node, "attributes", 0, "value") != text || valueAt(t, node, "attributes", 0, "definitionKey") != text {
			t.Errorf("%q came back as %q", text, node)
		}
	}
}

func TestLearners(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	payload := mustSucceed(t, a.mutate(t, "addInterest", `opportunityId: "T3Bwb3J0dW5pdHk6MQ==", interestDetails: {
		id: "Q291cnNlOjE=", quantity: 3, unitAmount: "1.00", taxId: "VGF4OjE=", eventDetails: {
			existingLearners: ["UGVyc29uOjI="], newLearners: [{firstName: "Ana", lastName: "Lopes", email: "ana@example.com"}, {firstName: "Bo", lastName: "Chen"}]
		}}`, `interests { taxId learners { edges { node { firstName lastName email contact { id account { name } } } } pageInfo { totalRecords } } }`))
	wantJSON(t, valueAt(t, payload, "interests"), `[{"taxId": "VGF4OjE=", "learners": {"pageInfo": {"totalRecords": 3}, "edges": [
		{"node": {"firstName": "Melissa", "lastName": "Green", "email": "melissa@example.com", "contact": {"id": "UGVyc29uOjI=", "account": {"name": "Administrate"}}}},
		{"node": {"firstName": "Ana", "lastName": "Lopes", "email": "ana@example.com", "contact": null}},
		{"node": {"firstName": "Bo", "lastName": "Chen", "email": null, "contact": null}}
	]}}]`)
}
