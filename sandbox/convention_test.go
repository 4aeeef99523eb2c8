package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

// members returns the member names of an input type in the schema. For any other type, members
// returns each field with its arguments, as "field(argument argument)".
func (a *api) members(t testing.TB, typ string) []string {
	t.Helper()
	data := a.query(t, `query ($t: String!) { __type(name: $t) { inputFields { name } fields { name args { name } } } }`, vars{"t": typ})
	kind, ok := valueAt(t, data, "__type").(map[string]any)
	if !ok {
		t.Fatalf("there is no type %s", typ)
	}
	var found []string
	for _, list := range []any{kind["inputFields"], kind["fields"]} {
		fields, _ := list.([]any)
		for _, field := range fields {
			name := valueAt(t, field, "name").(string)
			if of, isField := field.(map[string]any)["args"].([]any); isField {
				var names []string
				for _, argument := range of {
					names = append(names, valueAt(t, argument, "name").(string))
				}
				name += "(" + strings.Join(names, " ") + ")"
			}
			found = append(found, name)
		}
	}
	return found
}

// Documented and observed (API notes 3.1): mutations are grouped in GraphQL namespaces. Some
// GraphQL namespaces have a plural name, and the other GraphQL namespaces have a singular name.
func TestNamespacesOfMutations(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	got := a.members(t, "Mutation")
	slices.Sort(got)
	known := []string{
		"account()", "bulkAdhocEmails()", "contact()", "contactAdhocEmails()", "event()", "externalLog()", "invoices()", "learner()", "opportunities()", "registration()",
	}
	if !slices.Equal(got, known) {
		t.Errorf("the namespaces are %q", got)
	}
}

// Observed (API notes 3.1): most mutations have input as their only argument; event.update and
// event.registerContacts also have the argument eventId.
func TestMutationsTakeOneInput(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	beside := map[string]string{"EventMutations.update": "(eventId input)", "EventMutations.registerContacts": "(eventId input)"}
	for _, namespace := range []string{
		"AccountMutations", "BulkAdhocEmailMutations", "ContactMutations", "ContactAdhocEmailMutations", "EventMutations", "ExternalLogMutations",
		"InvoiceMutations", "LearnerMutations", "OpportunityMutations", "RegistrationMutations",
	} {
		for _, field := range a.members(t, namespace) {
			name, arguments, _ := strings.Cut(field, "(")
			want := beside[namespace+"."+name]
			if want == "" {
				want = "(input)"
			}
			if "("+arguments != want {
				t.Errorf("%s.%s, want %s", namespace, field, want)
			}
		}
	}
}

// Documented and observed (API notes 3.1): each mutation has its own name for the input member with
// the id of the changed object. The member is id in opportunities.update, opportunityId in progress
// and addInterest, and accountId in account.update. Observed (API notes 5.3, 5.4): the member is
// learnerId in mutations of learners and invoiceId in mutations of invoices.
func TestInputsNameTheirTarget(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for input, key := range map[string]string{
		"OpportunityUpdateInput": "id", "OpportunityProgressInput": "opportunityId", "OpportunityAddInterestInput": "opportunityId",
		"AccountUpdateInput": "accountId", "LearnerUpdateInput": "learnerId", "InvoiceUpdateInput": "invoiceId",
	} {
		members := a.members(t, input)
		for _, other := range []string{"id", "opportunityId", "learnerId", "invoiceId"} {
			if slices.Contains(members, other) != (other == key) {
				t.Errorf("%s has %q, want %s to name the target", input, members, key)
			}
		}
		if !slices.Contains(members, key) {
			t.Errorf("%s has %q, want %s", input, members, key)
		}
	}
}

// Observed (API notes 3.1): a client reads an object with the field node or with a filter. The
// query root has no field such as event(id:).
func TestThereAreNoSingularFieldsAtTheRoot(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for _, field := range []string{"event", "opportunity", "account", "contact", "learner", "registration", "invoice", "opportunityStep"} {
		if answer := a.post(t, `{ `+field+`(id: "Q291cnNlOjE=") { id } }`, nil); answer.status != http.StatusOK || answer.hasData() || len(answer.Errors) == 0 {
			t.Errorf("%s: %d %s", field, answer.status, answer.raw)
		}
	}
}
