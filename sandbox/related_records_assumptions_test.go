package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

func relatedRecordAssumptionTests() map[assumptions.Name]assumptionTest {
	document := func(d string) func(*testing.T, *api) string {
		return func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, d)
		}
	}
	return map[assumptions.Name]assumptionTest{
		assumptions.AccountInputs: {document(`mutation { account { create(input: {name: "Meridian", website: "w"}) { account { website } errors { label } } } }`), map[string]string{
			"there": "w", "absent": "refused",
		}},
		assumptions.AccountMerged: {func(t *testing.T, a *api) string {
			t.Helper()
			three := globalid.EncodeInt(globalid.Account, 3)
			mustSucceed(t, a.mutateIn(t, "account", "merge", fmt.Sprintf(`input: {fromAccount: %q, toAccount: "T3JnYW5pc2F0aW9uOjI="}`, three), problems+" account { id }"))
			read := a.leavesOf(t, fmt.Sprintf(`{ node(id: %q) { ... on Account { name } } }`, three))
			label, _, _ := strings.Cut(refusalOf(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: %q`, oneOpportunity, three), "opportunity { id }")), ":")
			return read + label
		}, map[string]string{"gone": "Not Found", "leads": "Administrate"}},
		assumptions.AddressUsage: {document(`mutation { account { update(input: {accountId: "T3JnYW5pc2F0aW9uOjI=", postalAddresses: [{usage: "summer"}]}) { account { postalAddresses { usage } } errors { label } } } }`), map[string]string{
			"seen": "Invalid Value", "any": "summer",
		}},
		assumptions.AddressLines: {document(`mutation { account { update(input: {accountId: "T3JnYW5pc2F0aW9uOjI=", postalAddresses: [{usage: "billing", address: {lines: ["1", "2"]}}]}) { account { postalAddresses { address { lines } } } errors { label } } } }`), map[string]string{
			"list": "1 2", "absent": "refused",
		}},
		assumptions.ContactSearch: {func(t *testing.T, a *api) string {
			t.Helper()
			var found []string
			for _, filter := range []string{
				`operation: eq, value: "Melissa Green"`, `operation: like, value: "northern%"`, `operation: wordlike, value: "raman"`, `operation: like, value: "Melissa%Administrate%"`,
				`operation: ne, value: "Northern Lights Energy"`, `operation: isnull`,
			} {
				found = append(found, a.leavesOf(t, `{ contacts(filters: {field: byNameAccountOrEmail, `+filter+`}) { edges { node { firstName } } } }`))
			}
			return strings.Join(found, ", ")
		}, map[string]string{
			"joined": ", , Priya, Melissa, Priya Melissa Tomás Ingrid Nora, ", "each": "Melissa, Tomás Ingrid, Priya, , Priya Melissa Nora, ",
		}},
		assumptions.ContactStaff: {func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, `{ contacts(filters: {field: isStaff, operation: eq, value: "true"}) { edges { node { firstName isStaff } } }
				last: contacts(first: 1, order: [{field: isStaff, direction: desc}]) { edges { node { firstName } } } }`)
		}, map[string]string{"marked": "Priya true Priya", "users": "Nora true Nora"}},
		assumptions.ContactIndividual: {func(t *testing.T, a *api) string {
			t.Helper()
			mustSucceed(t, a.mutateIn(t, "account", "create", `input: {name: "Ada Byron", isIndividual: true}`, problems+" account { id }"))
			const one = `{personalName: {firstName: "Ada", lastName: "Byron"}, accountId: "T3JnYW5pc2F0aW9uOjQ="}`
			return a.leavesOf(t, `mutation { contact { createBatch(input: [`+one+`, `+one+`]) { errors { label } } } }`)
		}, map[string]string{"refused": "Invalid Value", "taken": ""}},
		assumptions.ContactBatch: {func(t *testing.T, a *api) string {
			t.Helper()
			answered := a.leavesOf(t, `mutation { contact { createBatch(input: [{personalName: {firstName: "New", lastName: "One"}}, null]) { contact { lastName } errors { label } } } }`)
			return answered + a.leavesOf(t, `{ contacts(filters: {field: name, operation: eq, value: "New One"}) { edges { node { firstName } } } }`)
		}, map[string]string{"each": "One Invalid ValueNew", "all": "Invalid Value Invalid Value"}},
		assumptions.ContactMiddleName: {document(`mutation { contact { createBatch(input: [{personalName: {firstName: "A", middleName: "B", lastName: "C"}}]) { contact { personalName { middleName } } errors { label } } } }`), map[string]string{
			"there": "B", "absent": "refused",
		}},
		assumptions.UserFields: {document(`{ users(filters: {field: firstName, operation: eq, value: "Nora"}) { edges { node { lastName } } } }`), map[string]string{
			"shown": "Whitfield", "absent": "refused",
		}},
		assumptions.CustomFieldKeys: {document(`mutation { opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6MQ==", attributes: {definitionKey: "k", value: "v"}}) { opportunity { attributes { value } } errors { label } } } }`), map[string]string{
			"any": "v", "defined": "Not Found",
		}},
		assumptions.CustomFieldTypes: {document(`{ customFieldTemplate(type: Opportunity) { customFieldDefinitions { label } } }`), map[string]string{
			"all": "Purchase order", "event": "refused",
		}},
		assumptions.MailAudience: {func(t *testing.T, a *api) string {
			t.Helper()
			a.registerContacts(t, eventOne, 1)
			return a.recipientsOf(t, "sendBulkLearnerAdhocEmail", `eventId: "Q291cnNlOjE=", `+joiningMail)
		}, map[string]string{"active": "priya.raman@harbour-street.example", "nobody": ""}},
		assumptions.LogList: {func(t *testing.T, a *api) string {
			t.Helper()
			const entry = `{originIdentifier: "o", nodeId: "Q291cnNlOjE=", message: "m", status: success}`
			write := func(declared, input string, v vars) string {
				t.Helper()
				return a.leavesOfVars(t, `mutation`+declared+` { externalLog { createExternalIntegrationLogs(input: `+input+`) { errors { label } entityIds } } }`, v)
			}
			one := vars{"originIdentifier": "o", "nodeId": "Q291cnNlOjE=", "message": "m", "status": "success"}
			return strings.Join([]string{
				write("", "["+entry+", "+entry+"]", nil), write("", entry, nil),
				write(`($in: [ExternalIntegrationLogCreateInput!]!)`, "$in", vars{"in": []any{one}}), write(`($in: ExternalIntegrationLogCreateInput!)`, "$in", vars{"in": one}),
			}, ", ")
		}, map[string]string{
			"list": "RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzox RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzoy, RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzoz, RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzo0, refused",
			"one":  "refused, RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzox, refused, RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzoy",
		}},
		assumptions.LogID: {document(`mutation { externalLog { createExternalIntegrationLog(input: {originIdentifier: "o", nodeId: "Q291cnNlOjE=", message: "m", status: success}) { entityId errors { label } } } }`), map[string]string{
			"there": "RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzox", "absent": "refused",
		}},
	}
}
