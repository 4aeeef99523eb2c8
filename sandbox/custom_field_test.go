package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

// Observed (API notes 3.6): customFieldTemplate with the argument type lists the definitions of a
// type, each with key, label and type. The key of a definition is an id of the type
// CustomFieldDefinition (API notes 3.4). A custom value is a text with the key of a definition.
func TestCustomFields(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	wantJSON(t, a.query(t, `{ customFieldTemplate(type: Event) { customFieldDefinitions { key label type } } }`, nil),
		`{"customFieldTemplate": {"customFieldDefinitions": [{"key": "Q3VzdG9tRmllbGREZWZpbml0aW9uOjM=", "label": "Catering ordered", "type": "checkbox"}]}}`)
	named := a.mutateIn(t, "event", "registerNamedLearners", `input: [{eventId: "Q291cnNlOjI=", contactId: "UGVyc29uOjE=", customFieldValues: [
		{definitionKey: "Q3VzdG9tRmllbGREZWZpbml0aW9uOjI=", value: "vegan"}, {definitionKey: "mine", value: "true"}]}]`,
		problems+" learners { customFieldValues { definitionKey value definition { key label } } }").([]any)
	wantJSON(t, valueAt(t, mustSucceed(t, named[0]), "learners", 0, "customFieldValues"), `[
		{"definitionKey": "Q3VzdG9tRmllbGREZWZpbml0aW9uOjI=", "value": "vegan", "definition": {"key": "Q3VzdG9tRmllbGREZWZpbml0aW9uOjI=", "label": "Diet"}},
		{"definitionKey": "mine", "value": "true", "definition": null}]`)
}

// A mutation that is refused because of a custom field's key creates no opportunity and registers
// no learner.
func TestCustomFieldsThatAreNotThere(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Assumptions: map[string]string{"custom-field.keys": "defined"}})
	before := a.state(t)
	for _, key := range []string{"mine", "Q3VzdG9tRmllbGREZWZpbml0aW9uOjk=", "Q3VzdG9tRmllbGREZWZpbml0aW9uOjM="} {
		value := fmt.Sprintf(`[{definitionKey: %q, value: "x"}]`, key)
		made := a.mutate(t, "create", `name: "x", regionId: "UmVnaW9uOlVL", attributes: `+value, "opportunity { id }")
		named := a.mutateIn(t, "event", "registerNamedLearners", `input: [{eventId: "Q291cnNlOjI=", contactId: "UGVyc29uOjE=", customFieldValues: `+value+`}]`, problems+" learners { id }").([]any)
		for _, payload := range []any{made, named[0]} {
			if refused := refusalOf(t, payload); !strings.HasPrefix(refused, "Not Found") {
				t.Errorf("%s: %q", key, refused)
			}
		}
	}
	if after := a.state(t); after != before {
		t.Errorf("something is left behind:\n%s\n%s", before, after)
	}
	mustSucceed(t, a.mutate(t, "create", `name: "x", regionId: "UmVnaW9uOlVL", attributes: [{definitionKey: "Q3VzdG9tRmllbGREZWZpbml0aW9uOjE=", value: "7"}]`, "opportunity { id }"))
}

// Documented (API notes 5.2): in the previous API, e-mail addresses are unique. With the header
// X-Duped-Email: yes, a new contact may have the e-mail address of another contact.
func TestDuplicateEmailByHeader(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Assumptions: map[string]string{"contact.email": "header"}})
	for header, want := range map[string]string{"": "Invalid Value", "no": "Invalid Value", "yes": ""} {
		for _, mutation := range []string{"create(input: %s)", "createBatch(input: [%s])"} {
			document := `mutation { contact { it: ` + fmt.Sprintf(mutation, `{personalName: {firstName: "M", lastName: "G"}, emailAddresses: [{address: "melissa@example.com"}]}`) + ` { errors { label } } } }`
			answer := a.send(t, http.MethodPost, "/graphql", strings.NewReader(fmt.Sprintf(`{"query": %q}`, document)), http.Header{
				"Content-Type": {"application/json"}, "Authorization": {"Bearer " + a.Token()}, "X-Duped-Email": {header},
			})
			if got := leaves(answer.Data); got != want || len(answer.Errors) > 0 {
				t.Errorf("%q, %s: %q %s", header, mutation, got, answer.raw)
			}
		}
	}
}
