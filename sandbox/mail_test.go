package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

const (
	verifiedSender = `sendingAddressId: "U2VuZGluZ0VtYWlsQWRkcmVzczox"`
	joiningMail    = `templateId: "Q29tbXVuaWNhdGlvblRlbXBsYXRlOjE=", ` + verifiedSender
)

// recipientsOf sends a mail mutation, and returns the recipients of the mail in order, or the text
// of the refusal.
func (a *api) recipientsOf(t testing.TB, field, input string) string {
	t.Helper()
	before, err := a.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused := refusalOf(t, a.mutateIn(t, "bulkAdhocEmails", field, "input: {"+input+"}", problems))
	after, err := a.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var to []string
	for _, m := range after[len(before):] {
		to = append(to, m.To)
	}
	if refused != "" {
		to = append(to, strings.SplitN(refused, ":", 2)[0])
	}
	return strings.Join(to, " ")
}

// An empty list of learners means no learners, not all learners of the event.
func TestMailToNoLearnerReachesNobody(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	a.registerContacts(t, eventOne, 1)
	if got := a.recipientsOf(t, "sendBulkLearnerAdhocEmail", `eventId: "Q291cnNlOjE=", learnerIds: [], `+joiningMail); got != "" {
		t.Errorf("the mail went to %q", got)
	}
}

func TestMailNeedsItsEvent(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	const none = `eventId: "Q291cnNlOjk5", `
	for field, input := range map[string]string{
		"sendBulkContactAdhocEmail":        none + `contactIds: ["UGVyc29uOjE="], subject: "s", body: "b", ` + verifiedSender,
		"sendBulkLearnerAdhocEmail":        none + joiningMail,
		"sendBulkBookingContactAdhocEmail": none + joiningMail,
	} {
		if got := a.recipientsOf(t, field, input); got != "Not Found" {
			t.Errorf("%s: %q", field, got)
		}
	}
}

// By default an unreachable recipient makes the sandbox refuse the whole mail. With the value
// "skipped" of the assumption mail.recipient, the sandbox skips the recipient.
func TestMailToUnreachableRecipients(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][3]string{
		"refused": {"Invalid Value", "Not Found", "Not Found"},
		"skipped": {"priya.raman@harbour-street.example", "priya.raman@harbour-street.example", "priya.raman@harbour-street.example"},
	} {
		a := open(t, sandbox.Options{Assumptions: map[string]string{"mail.recipient": value}})
		a.mutateIn(t, "contact", "create", `input: {personalName: {firstName: "No", lastName: "Address"}}`, problems+" contact { id }")
		here, _ := a.registerContacts(t, eventOne, 1)
		for i, mail := range [3][2]string{
			{"sendBulkContactAdhocEmail", `contactIds: ["UGVyc29uOjE=", "UGVyc29uOjY="], subject: "s", body: "b", ` + verifiedSender},
			{"sendBulkContactAdhocEmail", `contactIds: ["UGVyc29uOjE=", "UGVyc29uOjk5"], subject: "s", body: "b", ` + verifiedSender},
			{"sendBulkLearnerAdhocEmail", fmt.Sprintf(`eventId: "Q291cnNlOjE=", learnerIds: [%q, "bGVhcm5lcjo5OQ=="], `, here[0]) + joiningMail},
		} {
			if got := a.recipientsOf(t, mail[0], mail[1]); got != want[i] {
				t.Errorf("%s, %s %s: %q, want %q", value, mail[0], mail[1], got, want[i])
			}
		}
	}
}

// The booker is the first learner of a registration, or the contact of the registration's opportunity.
func TestMailToBookers(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"learner": "priya.raman@harbour-street.example", "opportunity": "melissa@example.com"} {
		a := open(t, sandbox.Options{Catalogue: catalogueWinningWith(t, allTriggers), Assumptions: map[string]string{"mail.booker": value}})
		a.addItem(t, oneOpportunity, eventOne, 1, "10.00", `eventDetails: {existingLearners: ["UGVyc29uOjE="]}`)
		mustSucceed(t, a.mutate(t, "update", fmt.Sprintf(`id: %q, accountId: "T3JnYW5pc2F0aW9uOjI=", contactId: "UGVyc29uOjI="`, oneOpportunity), "opportunity { id }"))
		for _, step := range []string{stepOpportunity, stepWon} {
			if refused := a.progress(t, oneOpportunity, step); refused != "" {
				t.Fatal(refused)
			}
		}
		if got := a.recipientsOf(t, "sendBulkBookingContactAdhocEmail", `eventId: "Q291cnNlOjE=", `+joiningMail); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// The outbox contains personal mail, so it can be read only with the sandbox's own token.
func TestTheOutboxNeedsTheToken(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for bearer, status := range map[string]int{a.Token(): http.StatusOK, "another": http.StatusUnauthorized} {
		if answer := a.send(t, http.MethodGet, "/_sandbox/outbox", nil, http.Header{"Authorization": {"Bearer " + bearer}}); answer.status != status {
			t.Errorf("%q: %d %s", bearer, answer.status, answer.raw)
		}
	}
}
