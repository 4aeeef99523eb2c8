package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

func (a *api) mutateIn(t testing.TB, namespace, field, arguments, selection string) any {
	t.Helper()
	data := a.query(t, fmt.Sprintf("mutation { %s { it: %s(%s) { %s } } }", namespace, field, arguments, selection), nil)
	return valueAt(t, data, namespace, "it")
}

const problems = "errors { label message value }"

// Documented (API notes 5.1): account.create returns account and errors; the input of
// account.update contains the account's id as accountId. Observed (API notes 5.1): the input member
// postalAddresses replaces all postal addresses of the account. Accounts have the fields website,
// isIndividual, owner and contacts.
func TestAccounts(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	made := a.mutateIn(t, "account", "create", `input: {name: "Meridian", emailAddress: "a@meridian.example", ownerId: "VXNlcjox"}`, problems+" account { id name owner { fullName contact { emailAddress } } isIndividual postalAddresses { usage } }")
	wantJSON(t, mustSucceed(t, made), `{"errors": [], "account": {"id": "T3JnYW5pc2F0aW9uOjQ=", "name": "Meridian", "owner": {"fullName": "Nora Whitfield", "contact": {"emailAddress": "nora.whitfield@training.example"}}, "isIndividual": false, "postalAddresses": []}}`)
	for _, usage := range []string{"billing", "shipping"} {
		changed := a.mutateIn(t, "account", "update", fmt.Sprintf(`input: {accountId: "T3JnYW5pc2F0aW9uOjQ=", website: "https://meridian.example", postalAddresses: [{usage: %q, address: {lines: ["1 High Street"], town: "Leeds"}}]}`, usage),
			problems+" account { name emailAddress website postalAddresses { usage address { lines town postcode } } }")
		wantJSON(t, valueAt(t, mustSucceed(t, changed), "account"), fmt.Sprintf(`{"name": "Meridian", "emailAddress": "a@meridian.example", "website": "https://meridian.example",
			"postalAddresses": [{"usage": %q, "address": {"lines": ["1 High Street"], "town": "Leeds", "postcode": null}}]}`, usage))
	}
	for arguments, refused := range map[string]string{
		`input: {accountId: "T3JnYW5pc2F0aW9uOjk5", name: "x"}`:                             "Not Found",
		`input: {accountId: "T3JnYW5pc2F0aW9uOjQ=", name: " "}`:                             "Invalid Value",
		`input: {accountId: "T3JnYW5pc2F0aW9uOjQ=", ownerId: "VXNlcjo5"}`:                   "Not Found",
		`input: {accountId: "T3JnYW5pc2F0aW9uOjQ=", ownerId: "T3JnYW5pc2F0aW9uOjQ="}`:       "Invalid ID",
		`input: {accountId: "T3JnYW5pc2F0aW9uOjQ=", website: "kept?", ownerId: "VXNlcjo5"}`: "Not Found",
	} {
		if got := refusalOf(t, a.mutateIn(t, "account", "update", arguments, problems+" account { id }")); !strings.HasPrefix(got, refused) {
			t.Errorf("%s: %q", arguments, got)
		}
	}
	wantJSON(t, valueAt(t, a.query(t, `{ node(id: "T3JnYW5pc2F0aW9uOjQ=") { ... on Account { website contacts { pageInfo { totalRecords } } } } }`, nil), "node"),
		`{"website": "https://meridian.example", "contacts": {"pageInfo": {"totalRecords": 0}}}`)
}

// Observed (API notes 5.1): a merge assigns everything that belongs to the first account to the
// second account.
func TestMergedAccountsStayMerged(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Data: t.TempDir() + "/data.db"}
	a := open(t, o)
	id := a.create(t, "theirs")
	three := globalid.EncodeInt(globalid.Account, 3)
	mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: %q`, id, three), "opportunity { id }"))
	merged := a.mutateIn(t, "account", "merge", fmt.Sprintf(`input: {fromAccount: %q, toAccount: "T3JnYW5pc2F0aW9uOjI="}`, three), problems+" account { contacts { pageInfo { totalRecords } } }")
	wantJSON(t, valueAt(t, mustSucceed(t, merged), "account", "contacts", "pageInfo", "totalRecords"), "3")
	for _, arguments := range []string{`input: {fromAccount: %q, toAccount: "T3JnYW5pc2F0aW9uOjI="}`, `input: {fromAccount: "T3JnYW5pc2F0aW9uOjI=", toAccount: %q}`} {
		if refused := refusalOf(t, a.mutateIn(t, "account", "merge", fmt.Sprintf(arguments, three), problems+" account { id }")); !strings.HasPrefix(refused, "Not Found") {
			t.Error(refused)
		}
	}
	if refused := refusalOf(t, a.mutateIn(t, "account", "merge", `input: {fromAccount: "T3JnYW5pc2F0aW9uOjI=", toAccount: "T3JnYW5pc2F0aW9uOjI="}`, problems+" account { id }")); !strings.HasPrefix(refused, "Invalid Value") {
		t.Error(refused)
	}
	a.mutateIn(t, "account", "update", `input: {accountId: "T3JnYW5pc2F0aW9uOjI=", name: "Renamed"}`, problems+" account { id }")
	b := open(t, o)
	wantJSON(t, valueAt(t, b.query(t, `query ($id: ID!, $three: ID!) { node(id: $id) { ... on Opportunity { account { name contacts { pageInfo { totalRecords } } } } } gone: node(id: $three) { id } }`,
		vars{"id": id, "three": three}), "node", "account"), `{"name": "Renamed", "contacts": {"pageInfo": {"totalRecords": 3}}}`)
	if gone := valueAt(t, b.query(t, `query ($three: ID!) { node(id: $three) { id } }`, vars{"three": three}), "node"); gone != nil {
		t.Errorf("the merged account exists again: %v", gone)
	}
}

// Observed (API notes 3.5, 5.2): contact.createBatch returns a list with an entry {contact, errors}
// for each contact. Several contacts may have the same e-mail address, so a search by address may
// find several contacts. Observed (API notes 5.1): the account of an individual cannot have a
// second contact.
func TestContacts(t *testing.T) {
	t.Parallel()
	for value, second := range map[string]string{"shared": "", "unique": "Invalid Value"} {
		a := open(t, sandbox.Options{Assumptions: map[string]string{"contact.email": value}})
		a.mutateIn(t, "account", "create", `input: {name: "Ada Byron", isIndividual: true}`, problems+" account { id }")
		list := a.mutateIn(t, "contact", "createBatch", `input: [
			{personalName: {firstName: "Ada", lastName: "Byron"}, accountId: "T3JnYW5pc2F0aW9uOjQ=", emailAddresses: [{usage: "other", address: "o@example.com"}, {usage: "primary", address: "ada@example.com"}]},
			{personalName: {firstName: "Ada", lastName: "Twice"}, emailAddresses: [{address: "ada@example.com"}]},
			{personalName: {firstName: "Too", lastName: "Many"}, accountId: "T3JnYW5pc2F0aW9uOjQ="},
			{personalName: {firstName: "", lastName: "Nobody"}},
			{personalName: {firstName: "No", lastName: "Address"}, emailAddresses: [{address: "not one"}]},
			{personalName: {firstName: "No", lastName: "Account"}, accountId: "T3JnYW5pc2F0aW9uOjk5"}
		]`, problems+" contact { personalName { name } emailAddress account { name } }").([]any)
		wantJSON(t, valueAt(t, list[0], "contact"), `{"personalName": {"name": "Ada Byron"}, "emailAddress": "ada@example.com", "account": {"name": "Ada Byron"}}`)
		for i, refused := range []string{"", second, "Invalid Value", "Invalid Value", "Invalid Value", "Not Found"} {
			if got := refusalOf(t, list[i]); !strings.HasPrefix(got, refused) || (got == "") != (refused == "") {
				t.Errorf("%s, entry %d: %q", value, i, got)
			}
		}
		found := valueAt(t, a.query(t, `{ contacts(filters: {field: emailAddress, operation: eq, value: "ada@example.com"}) { pageInfo { totalRecords } } }`, nil), "contacts", "pageInfo", "totalRecords")
		if many := found == 2.0; many != (second == "") {
			t.Errorf("%s: %v found", value, found)
		}
	}
}

// Observed (API notes 5.5, 4.1): a user has a contact. An opportunity has an owner and a contact.
func TestUsersAndOwners(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	wantJSON(t, a.query(t, `{ users { edges { node { id fullName contact { id } } } } }`, nil),
		`{"users": {"edges": [{"node": {"id": "VXNlcjox", "fullName": "Nora Whitfield", "contact": {"id": "UGVyc29uOjU="}}}, {"node": {"id": "VXNlcjoy", "fullName": "Samuel Okafor", "contact": null}}]}}`)
	made := a.mutate(t, "create", `name: "owned", regionId: "UmVnaW9uOlVL", ownerId: "VXNlcjox"`, "opportunity { id owner { fullName } contact { id } }")
	wantJSON(t, valueAt(t, mustSucceed(t, made), "opportunity"), `{"id": "T3Bwb3J0dW5pdHk6Mg==", "owner": {"fullName": "Nora Whitfield"}, "contact": null}`)
	changed := a.mutate(t, "update", `id: "T3Bwb3J0dW5pdHk6Mg==", ownerId: "VXNlcjoy", contactId: "UGVyc29uOjI="`, "opportunity { owner { fullName } contact { lastName } }")
	wantJSON(t, valueAt(t, mustSucceed(t, changed), "opportunity"), `{"owner": {"fullName": "Samuel Okafor"}, "contact": {"lastName": "Green"}}`)
	for _, wrong := range []string{`ownerId: "VXNlcjo5"`, `contactId: "UGVyc29uOjk5"`} {
		if refused := refusalOf(t, a.mutate(t, "update", `id: "T3Bwb3J0dW5pdHk6Mg==", `+wrong, "opportunity { id }")); !strings.HasPrefix(refused, "Not Found") {
			t.Errorf("%s: %q", wrong, refused)
		}
	}
}

// Observed (API notes 5.6): a client sends mail from a verified address to contacts, to an event's
// learners or to the learners' bookers. The text of the mail is in the request or in a template.
// The sandbox keeps sent mail in an outbox that tests can read.
func TestMailGoesToTheOutbox(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	wantJSON(t, a.query(t, `{ sendingEmailAddresses { edges { node { id verified } } } communicationTemplates(filters: {field: name, operation: eq, value: "Joining instructions"}) { edges { node { id } } } }`, nil),
		`{"sendingEmailAddresses": {"edges": [{"node": {"id": "U2VuZGluZ0VtYWlsQWRkcmVzczox", "verified": true}}, {"node": {"id": "U2VuZGluZ0VtYWlsQWRkcmVzczoy", "verified": false}}]},
		  "communicationTemplates": {"edges": [{"node": {"id": "Q29tbXVuaWNhdGlvblRlbXBsYXRlOjE="}}]}}`)
	learners, _ := a.registerContacts(t, eventOne, 1, 2)
	a.registerContacts(t, eventOne, 3)
	a.changeLearner(t, "cancel", learners[1])
	const from = `sendingAddressId: "U2VuZGluZ0VtYWlsQWRkcmVzczox"`
	const template = `templateId: "Q29tbXVuaWNhdGlvblRlbXBsYXRlOjE=", ` + from
	for _, mail := range []struct{ namespace, field, input, to string }{
		{"contactAdhocEmails", "sendContactAdhocEmail", `contactId: "UGVyc29uOjI=", subject: "Hello", body: "you", ccList: ["x@example.com"], ` + from, "melissa@example.com"},
		{"bulkAdhocEmails", "sendBulkContactAdhocEmail", `contactIds: ["UGVyc29uOjE=", "UGVyc29uOjQ="], subject: "Hello", body: "all", eventId: "Q291cnNlOjE=", ` + from, "priya.raman@harbour-street.example ingrid.solberg@northern-lights.example"},
		{"bulkAdhocEmails", "sendBulkLearnerAdhocEmail", `eventId: "Q291cnNlOjE=", audience: "active", ` + template, "priya.raman@harbour-street.example tomas.byrne@northern-lights.example"},
		{"bulkAdhocEmails", "sendBulkLearnerAdhocEmail", `eventId: "Q291cnNlOjE=", audience: "passed", ` + template, ""},
		{"bulkAdhocEmails", "sendBulkLearnerAdhocEmail", `eventId: "Q291cnNlOjE=", learnerIds: [], ` + template, ""},
		{"bulkAdhocEmails", "sendBulkLearnerAdhocEmail", fmt.Sprintf(`eventId: "Q291cnNlOjE=", learnerIds: [%q, %q], `, learners[0], learners[1]) + template, "priya.raman@harbour-street.example"},
		{"bulkAdhocEmails", "sendBulkBookingContactAdhocEmail", `eventId: "Q291cnNlOjE=", ` + template, "priya.raman@harbour-street.example tomas.byrne@northern-lights.example"},
	} {
		before, err := a.Outbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mustSucceed(t, a.mutateIn(t, mail.namespace, mail.field, "input: {"+mail.input+"}", problems))
		after, err := a.Outbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var to []string
		for _, m := range after[len(before):] {
			to = append(to, m.To)
			if m.From != "office@training.example" || m.Subject == "" || m.Body == "" || !m.SentAt.Equal(now.Now()) {
				t.Errorf("%s: %+v", mail.field, m)
			}
		}
		if got := strings.Join(to, " "); got != mail.to {
			t.Errorf("%s %s went to %q, want %q", mail.field, mail.input, got, mail.to)
		}
	}
	all, err := a.Outbox(t.Context())
	if err != nil || all[0].CC[0] != "x@example.com" || all[1].Event != eventOne || all[0].Contact != "UGVyc29uOjI=" {
		t.Errorf("%+v, %v", all, err)
	}
	a.mutateIn(t, "contact", "create", `input: {personalName: {firstName: "No", lastName: "Address"}}`, problems+" contact { id }")
	for input, refused := range map[string]string{
		`contactId: "UGVyc29uOjI=", sendingAddressId: "U2VuZGluZ0VtYWlsQWRkcmVzczoy"`: "Invalid Value", // not verified
		`contactId: "UGVyc29uOjI=", sendingAddressId: "U2VuZGluZ0VtYWlsQWRkcmVzczo5"`: "Not Found",
		`contactId: "UGVyc29uOjk5", ` + from:                                          "Not Found",
		`contactId: "UGVyc29uOjY=", ` + from:                                          "Invalid Value", // no e-mail address
	} {
		got := refusalOf(t, a.mutateIn(t, "contactAdhocEmails", "sendContactAdhocEmail", `input: {subject: "x", body: "y", `+input+"}", problems))
		if !strings.HasPrefix(got, refused) {
			t.Errorf("%s: %q", input, got)
		}
	}
	if left, _ := a.Outbox(t.Context()); len(left) != len(all) {
		t.Errorf("%d mails, there were %d", len(left), len(all))
	}
	if answer := a.send(t, http.MethodGet, "/_sandbox/outbox", nil, http.Header{"Authorization": {"Bearer " + a.Token()}}); answer.status != 200 || strings.Count(answer.raw, `"sentAt"`) != len(all) {
		t.Errorf("%d %s", answer.status, answer.raw)
	}
}

// Observed (API notes 5.7): an entry of the integration log is about one object, or about a whole
// type of objects. In an entry about a type, the id has an empty key. A client can write one entry
// with the singular mutation, or several entries with the plural mutation. No mutation deletes an
// entry.
func TestExternalIntegrationLogs(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	one := a.mutateIn(t, "externalLog", "createExternalIntegrationLog", `input: {originIdentifier: "oppflow", nodeId: "Q291cnNlOjE=", message: "held", status: success, payload: "{\"a\":1}", internalLogMetadata: {category: "c"}}`, problems+" entityId")
	wantJSON(t, mustSucceed(t, one), `{"errors": [], "entityId": "RXh0ZXJuYWxJbnRlZ3JhdGlvbkxvZzox"}`)
	more := a.mutateIn(t, "externalLog", "createExternalIntegrationLogs", `input: [{originIdentifier: "oppflow", nodeId: "T3JnYW5pc2F0aW9uOg==", message: "x", status: partial},
		{originIdentifier: "oppflow", nodeId: "T3Bwb3J0dW5pdHk6MQ==", message: "x", status: failed}, {originIdentifier: "oppflow", nodeId: "T3Bwb3J0dW5pdHk6OTk=", message: "x", status: failed}]`, problems+" entityIds")
	if refused := refusalOf(t, more); !strings.HasPrefix(refused, "Not Found") || len(valueAt(t, more, "entityIds").([]any)) != 2 {
		t.Errorf("%v", more)
	}
	for input, refused := range map[string]string{`nodeId: "x"`: "Invalid ID", `nodeId: "Q291cnNlOjE=", payload: "{"`: "Invalid Value"} {
		if got := refusalOf(t, a.mutateIn(t, "externalLog", "createExternalIntegrationLog", `input: {originIdentifier: "o", message: "m", status: failed, `+input+"}", problems+" entityId")); !strings.HasPrefix(got, refused) {
			t.Errorf("%s: %q", input, got)
		}
	}
	wantJSON(t, valueAt(t, a.query(t, `{ externalIntegrationLogs(filters: {field: nodeId, operation: eq, value: "Q291cnNlOjE="}) { edges { node { originIdentifier message status payload } } } }`, nil), "externalIntegrationLogs", "edges"),
		`[{"node": {"originIdentifier": "oppflow", "message": "held", "status": "success", "payload": "{\"a\":1}"}}]`)
	refusing := open(t, sandbox.Options{Assumptions: map[string]string{"log.opportunity": "refused"}})
	if got := refusalOf(t, refusing.mutateIn(t, "externalLog", "createExternalIntegrationLog", `input: {originIdentifier: "o", message: "m", status: failed, nodeId: "T3Bwb3J0dW5pdHk6MQ=="}`, problems+" entityId")); !strings.HasPrefix(got, "Invalid ID") {
		t.Error(got)
	}
}

// A part that an assumption removes is not in the schema.
func TestAbsentPartsAreRejected(t *testing.T) {
	t.Parallel()
	for row, document := range map[string]string{
		"opportunity.people": `mutation { opportunities { create(input: {name: "x", regionId: "UmVnaW9uOlVL", ownerId: "VXNlcjox"}) { errors { label } } } }`,
		"contact.create":     `mutation { contact { create(input: {personalName: {firstName: "x", lastName: "y"}}) { errors { label } } } }`,
		"log.read":           `{ externalIntegrationLogs { edges { node { id } } } }`,
	} {
		there := open(t, sandbox.Options{})
		there.query(t, document, nil)
		absent := open(t, sandbox.Options{Assumptions: map[string]string{row: "absent"}})
		if answer := absent.post(t, document, nil); len(answer.Errors) != 1 || answer.hasData() {
			t.Errorf("%s: %s", row, answer.raw)
		}
	}
}
