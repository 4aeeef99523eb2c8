package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
)

func (a *api) findAll(t testing.TB, list, filter, selection string) string {
	t.Helper()
	return a.leavesOf(t, fmt.Sprintf(`{ %s(filters: [%s]) { edges { node { %s } } } }`, list, filter, selection))
}

// Observed (API notes 3.1): accounts have a legacyId, which is the number in the links of the TMS
// to accounts. Observed (API notes 5.1): accounts can be filtered by id, name, isIndividual,
// website, emailAddress, addressTown, createdAt and lastUpdatedAt.
func TestAccountsAreFound(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	now.advance(time.Hour)
	made := now.Now().Format(time.RFC3339)
	mustSucceed(t, a.mutateIn(t, "account", "create", `input: {name: "Ada Byron", isIndividual: true, website: "https://ada.example", emailAddress: "ada@example.com",
		postalAddresses: [{usage: "billing", address: {town: "Leeds"}}, {usage: "default", address: {town: "York"}}]}`, problems+" account { id }"))
	now.advance(time.Hour)
	changed := now.Now().Format(time.RFC3339)
	mustSucceed(t, a.mutateIn(t, "account", "update", `input: {accountId: "T3JnYW5pc2F0aW9uOjI=", emailAddress: "new@administrate.example"}`, problems+" account { id }"))
	for filter, want := range map[string]string{
		`{field: id, operation: eq, value: "T3JnYW5pc2F0aW9uOjQ="}`:                                    "4 Ada Byron",
		`{field: name, operation: eq, value: "Administrate"}`:                                          "2 Administrate",
		`{field: isIndividual, operation: eq, value: "true"}`:                                          "4 Ada Byron",
		`{field: website, operation: like, value: "%ada.example"}`:                                     "4 Ada Byron",
		`{field: emailAddress, operation: eq, value: "new@administrate.example"}`:                      "2 Administrate",
		`{field: addressTown, operation: eq, value: "York"}`:                                           "4 Ada Byron",
		`{field: addressTown, operation: eq, value: "Leeds"}`:                                          "",
		fmt.Sprintf(`{field: createdAt, operation: ge, value: %q}`, made):                              "4 Ada Byron",
		fmt.Sprintf(`{field: lastUpdatedAt, operation: ge, value: %q}`, changed):                       "2 Administrate",
		fmt.Sprintf(`{field: lastUpdatedAt, operation: lt, value: %q}`, made):                          "1 Harbour Street Clinic 3 Northern Lights Energy",
		`{field: isIndividual, operation: ne, value: "true"}, {field: addressTown, operation: isnull}`: "1 Harbour Street Clinic 2 Administrate 3 Northern Lights Energy",
	} {
		if got := a.findAll(t, "accounts", filter, "legacyId name"); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
}

// Observed (API notes 5.1): the input member postalAddresses replaces the whole list of postal
// addresses. Usages are default, billing and shipping. A postal address has the fields town,
// region, postcode, countryId, provinceCode and contactPerson. An empty list removes all addresses.
// A member of the account that the input does not contain stays unchanged.
func TestPostalAddressesAreReplaced(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const selection = `account { postalAddresses { usage address { town region postcode countryId provinceCode contactPerson } } }`
	update := func(more string) any {
		t.Helper()
		return valueAt(t, mustSucceed(t, a.mutateIn(t, "account", "update", `input: {accountId: "T3JnYW5pc2F0aW9uOjI="`+more+`}`, problems+" "+selection)), "account", "postalAddresses")
	}
	three := `, postalAddresses: [{usage: "default", address: {town: "York"}}, {usage: "billing"},
		{usage: "shipping", address: {town: "Leeds", region: "Yorkshire", postcode: "LS1", countryId: "GB", provinceCode: "WYK", contactPerson: "Ada"}}]`
	answer := `[{"usage": "default", "address": {"town": "York", "region": null, "postcode": null, "countryId": null, "provinceCode": null, "contactPerson": null}},
		{"usage": "billing", "address": null},
		{"usage": "shipping", "address": {"town": "Leeds", "region": "Yorkshire", "postcode": "LS1", "countryId": "GB", "provinceCode": "WYK", "contactPerson": "Ada"}}]`
	wantJSON(t, update(three), answer)
	wantJSON(t, update(`, emailAddress: "x@administrate.example"`), answer)
	wantJSON(t, update(`, postalAddresses: []`), `[]`)
}

// Observed (API notes 5.2): contacts can be filtered by id, firstName, lastName, name,
// emailAddress, byNameAccountOrEmail, isInstructor, isStaff, accountId, accountName, createdAt and
// lastUpdatedAt. Contacts have the fields personalName, isInstructor, isStaff and legacyId.
func TestContactsAreFound(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	now.advance(time.Hour)
	made := now.Now().Format(time.RFC3339)
	mustSucceed(t, a.mutateIn(t, "contact", "createBatch", `input: [{personalName: {firstName: "Ada", middleName: "King", lastName: "Byron"}, accountId: "T3JnYW5pc2F0aW9uOjI="}]`, problems+" contact { id }").([]any)[0])
	wantJSON(t, valueAt(t, a.query(t, `{ node(id: "UGVyc29uOjY=") { ... on Contact { legacyId firstName lastName emailAddress isInstructor isStaff personalName { firstName middleName lastName name } } } }`, nil), "node"),
		`{"legacyId": 6, "firstName": "Ada", "lastName": "Byron", "emailAddress": null, "isInstructor": false, "isStaff": false,
		  "personalName": {"firstName": "Ada", "middleName": "King", "lastName": "Byron", "name": "Ada Byron"}}`)
	for filter, want := range map[string]string{
		`{field: id, operation: eq, value: "UGVyc29uOjY="}`:                           "Ada",
		`{field: firstName, operation: eq, value: "Ada"}`:                             "Ada",
		`{field: lastName, operation: eq, value: "Green"}`:                            "Melissa",
		`{field: name, operation: eq, value: "Melissa Green"}`:                        "Melissa",
		`{field: emailAddress, operation: eq, value: "melissa@example.com"}`:          "Melissa",
		`{field: accountId, operation: eq, value: "T3JnYW5pc2F0aW9uOjI="}`:            "Melissa Ada",
		`{field: accountName, operation: eq, value: "Administrate"}`:                  "Melissa Ada",
		`{field: byNameAccountOrEmail, operation: like, value: "%green%"}`:            "Melissa",
		`{field: byNameAccountOrEmail, operation: wordlike, value: "administrate"}`:   "Melissa Ada",
		`{field: byNameAccountOrEmail, operation: like, value: "%@training.example"}`: "Nora",
		`{field: isStaff, operation: eq, value: "true"}`:                              "Nora",
		`{field: isInstructor, operation: eq, value: "true"}`:                         "",
		fmt.Sprintf(`{field: createdAt, operation: ge, value: %q}`, made):             "Ada",
		fmt.Sprintf(`{field: lastUpdatedAt, operation: ge, value: %q}`, made):         "Ada",
	} {
		if got := a.findAll(t, "contacts", filter, "firstName"); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
}

// Observed (API notes 5.2): the input of createBatch has the type [ContactCreateInput]!, so a
// variable of this type is accepted. A null entry in the batch is refused, and the other entries of
// the batch are not affected.
func TestContactsOfAVariable(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	ada := vars{"personalName": vars{"firstName": "Ada", "lastName": "Byron"}}
	for _, declared := range []string{"[ContactCreateInput]!", "[ContactCreateInput!]!"} {
		input := []any{ada}
		if !strings.Contains(declared, "t!") {
			input = append(input, nil)
		}
		data := a.query(t, `mutation ($input: `+declared+`) { contact { createBatch(input: $input) { contact { lastName } errors { label } } } }`, vars{"input": input})
		list := valueAt(t, data, "contact", "createBatch").([]any)
		wantJSON(t, list[0], `{"contact": {"lastName": "Byron"}, "errors": []}`)
		if len(list) != len(input) {
			t.Fatalf("%s: %v", declared, list)
		}
		if len(list) == 2 {
			wantJSON(t, list[1], `{"contact": null, "errors": [{"label": "Invalid Value"}]}`)
		}
	}
}

// Observed (API notes 5.6): a mail to a user is sent to the contact of the user. A user without a
// contact cannot receive mail.
func TestUsersAreMailedByTheirContacts(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for user, reached := range map[string]string{"Nora": "nora.whitfield@training.example", "Samuel": ""} {
		edges := valueAt(t, a.query(t, fmt.Sprintf(`{ users(filters: {field: firstName, operation: eq, value: %q}) { edges { node { contact { id } } } } }`, user), nil), "users", "edges").([]any)
		contact, there := valueAt(t, edges[0], "node", "contact").(map[string]any)
		if there != (reached != "") {
			t.Fatalf("%s: %v", user, edges)
		}
		if !there {
			continue
		}
		if got := a.recipientsOf(t, "sendBulkContactAdhocEmail", fmt.Sprintf(`contactIds: [%q], subject: "s", body: "b", `, contact["id"])+verifiedSender); got != reached {
			t.Errorf("%s: %q", user, got)
		}
	}
}

// Observed (API notes 5.7): entries of the integration log are permanent.
func TestLogEntriesStay(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Data: t.TempDir() + "/data.db"}
	a := open(t, o)
	mustSucceed(t, a.mutateIn(t, "externalLog", "createExternalIntegrationLog", `input: {originIdentifier: "oppflow", nodeId: "Q291cnNlOjE=", message: "held", status: success}`, problems+" entityId"))
	fields := valueAt(t, a.query(t, `{ __type(name: "ExternalLogMutations") { fields { name } } }`, nil), "__type", "fields")
	wantJSON(t, fields, `[{"name": "createExternalIntegrationLog"}, {"name": "createExternalIntegrationLogs"}]`)
	if got := open(t, o).leavesOf(t, `{ externalIntegrationLogs { edges { node { message } } } }`); got != "held" {
		t.Error(got)
	}
}
