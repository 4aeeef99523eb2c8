package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox/assume"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// neighbourSwitches are the switches of the rows about accounts, contacts, users, mail and the integration log.
func neighbourSwitches() map[assume.Name]switched {
	document := func(d string) func(*testing.T, *api) string {
		return func(t *testing.T, a *api) string {
			t.Helper()
			return a.told(t, d)
		}
	}
	return map[assume.Name]switched{
		assume.AccountInputs: {document(`mutation { account { create(input: {name: "Meridian", website: "w"}) { account { website } errors { label } } } }`), map[string]string{
			"there": "w", "absent": "refused",
		}},
		assume.AccountMerged: {func(t *testing.T, a *api) string {
			t.Helper()
			three := globalid.EncodeInt(globalid.Account, 3)
			must(t, a.in(t, "account", "merge", fmt.Sprintf(`input: {fromAccount: %q, toAccount: "T3JnYW5pc2F0aW9uOjI="}`, three), problems+" account { id }"))
			read := a.told(t, fmt.Sprintf(`{ node(id: %q) { ... on Account { name } } }`, three))
			label, _, _ := strings.Cut(refusalOf(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: %q`, oneOpportunity, three), "opportunity { id }")), ":")
			return read + label
		}, map[string]string{"gone": "Not Found", "leads": "Administrate"}},
		assume.AddressUsage: {document(`mutation { account { update(input: {accountId: "T3JnYW5pc2F0aW9uOjI=", postalAddresses: [{usage: "summer"}]}) { account { postalAddresses { usage } } errors { label } } } }`), map[string]string{
			"seen": "Invalid Value", "any": "summer",
		}},
		assume.AddressLines: {document(`mutation { account { update(input: {accountId: "T3JnYW5pc2F0aW9uOjI=", postalAddresses: [{usage: "billing", address: {lines: ["1", "2"]}}]}) { account { postalAddresses { address { lines } } } errors { label } } } }`), map[string]string{
			"list": "1 2", "absent": "refused",
		}},
		assume.ContactIndividual: {func(t *testing.T, a *api) string {
			t.Helper()
			must(t, a.in(t, "account", "create", `input: {name: "Ada Byron", isIndividual: true}`, problems+" account { id }"))
			const one = `{personalName: {firstName: "Ada", lastName: "Byron"}, accountId: "T3JnYW5pc2F0aW9uOjQ="}`
			return a.told(t, `mutation { contact { createBatch(input: [`+one+`, `+one+`]) { errors { label } } } }`)
		}, map[string]string{"refused": "Invalid Value", "taken": ""}},
		assume.ContactBatch: {func(t *testing.T, a *api) string {
			t.Helper()
			answered := a.told(t, `mutation { contact { createBatch(input: [{personalName: {firstName: "New", lastName: "One"}}, null]) { contact { lastName } errors { label } } } }`)
			return answered + a.told(t, `{ contacts(filters: {field: name, operation: eq, value: "New One"}) { edges { node { firstName } } } }`)
		}, map[string]string{"each": "One Invalid ValueNew", "all": "Invalid Value Invalid Value"}},
		assume.ContactMiddleName: {document(`mutation { contact { createBatch(input: [{personalName: {firstName: "A", middleName: "B", lastName: "C"}}]) { contact { personalName { middleName } } errors { label } } } }`), map[string]string{
			"there": "B", "absent": "refused",
		}},
		assume.UserFields: {document(`{ users(filters: {field: firstName, operation: eq, value: "Nora"}) { edges { node { lastName } } } }`), map[string]string{
			"shown": "Whitfield", "absent": "refused",
		}},
		assume.CustomFieldKeys: {document(`mutation { opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6MQ==", attributes: {definitionKey: "k", value: "v"}}) { opportunity { attributes { value } } errors { label } } } }`), map[string]string{
			"any": "v", "defined": "Not Found",
		}},
		assume.CustomFieldTypes: {document(`{ customFieldTemplate(type: Opportunity) { customFieldDefinitions { label } } }`), map[string]string{
			"all": "Purchase order", "event": "refused",
		}},
		assume.MailAudience: {func(t *testing.T, a *api) string {
			t.Helper()
			a.registerContacts(t, eventOne, 1)
			return a.sentTo(t, "sendBulkLearnerAdhocEmail", `eventId: "Q291cnNlOjE=", `+joiningMail)
		}, map[string]string{"active": "priya.raman@harbour-street.example", "nobody": ""}},
		assume.LogID: {document(`mutation { externalLog { createExternalIntegrationLog(input: {originIdentifier: "o", nodeId: "Q291cnNlOjE=", message: "m", status: success}) { entityId errors { label } } } }`), map[string]string{
			"there": "RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzox", "absent": "refused",
		}},
	}
}
