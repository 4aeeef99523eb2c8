package tms_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const emailPlaybook = `
emails:
  offer:
    subject: "{{.Name}}: reminder {{.Number}} of {{.Of}}"
    body: |
      Dear {{.Contact}} & Co,

      {{.Value}} {{.Currency}} in {{.Region}}, from {{.FirstStart}}
      <{{.Owner}}>
  short: { subject: "Hello", body: "Hello" }
  elsewhere: { subject: "Hello", body: "Hello", from: U2VuZGluZ0VtYWlsQWRkcmVzczoy }
`

var (
	userWithContact    = id("User", 1)
	userWithoutContact = id("User", 2)
)

func emailEffect(record opportunity.ID, to exchange.Recipient, template string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/x/after/1/email", Kind: opportunity.EffectEmail, Settings: exchange.NewSettings(exchange.SendEmail{To: to, Template: template}),
	}}
}

func (r *fixture) setPeople(record, owner, person opportunity.ID) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{
		ID: string(record), OwnerID: string(owner), ContactID: string(person), Currency: "GBP",
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

func (r *fixture) outbox() []string {
	r.t.Helper()
	sent, err := r.sandbox.Outbox(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var all []string
	for _, m := range sent {
		all = append(all, m.To+"\n"+m.Subject+"\n"+m.Body)
	}
	return all
}

func TestEmailIsRenderedFromTheRecord(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	priced := interest(event, 2)
	priced.Interest.UnitAmount = amount(t, "199.90")
	r.apply(record, priced)
	r.setPeople(record, userWithContact, contact)
	in := emailEffect(record, exchange.ToContact, "offer")
	in.Number, in.Of, in.Region = 2, 3, opportunity.Ref{ID: regionDR, Name: "Dominican Republic"}
	// The first requests of the effect read the recipient and the sender. The later requests of the
	// effect read the record, the people, the event and a name.
	done := r.runEffect(in)
	r.wantEffect(done, 2+4+1, exchange.RequestEmail)
	want := "melissa@example.com\nFirst Aid: reminder 2 of 3\n" +
		"<p>Dear Melissa Green &amp; Co,</p>\n<p>399.80 GBP in Dominican Republic, from Monday, 3 March 2031, 09:00 GMT<br>\n&lt;Nora&gt;</p>\n"
	if diff := cmp.Diff([]string{want}, r.outbox()); diff != "" {
		t.Error(diff)
	}

	in.UndoEntry = done.undoEntry
	r.wantEffect(r.runEffect(in), 0) // the mail was sent
	in.Undo = true
	r.wantProblem(r.runEffect(in), 0, "cannot be recalled")
	r.wantEffect(r.runEffect(emailEffect(record, exchange.ToOwner, "short")), 1+2+1, exchange.RequestEmail) // the sender's address is in the cache
	if all := r.outbox(); len(all) != 2 || !strings.HasPrefix(all[1], "nora.whitfield@training.example\n") {
		t.Errorf("to the owner: %q", all)
	}
}

func TestEmailThatCannotBeSentIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	r.requestCount()
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToContact, "short")), 1, "no contact")
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToOwner, "short")), 1, "no owner")
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToOwner, "another")), 0, `no mail "another"`)
	r.setPeople(record, userWithoutContact, contact)
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToOwner, "short")), 1, "the owner of the opportunity has no contact to send the mail to")
	// The API's error says that the sender address of this mail is not verified.
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToContact, "elsewhere")), 1+2+1, "verified", exchange.RequestEmail)
	if all := r.outbox(); len(all) != 0 {
		t.Errorf("sent %q", all)
	}
}

// A follow-up whose last action sends no mail has more actions than mails. A plan of an earlier
// version of Oppflow counts only the actions.
func TestAMailHasItsNumberAmongTheMails(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	r.setPeople(record, userWithContact, contact)
	for _, mail := range []exchange.SendEmail{{Number: 2, Of: 3}, {}} {
		in := emailEffect(record, exchange.ToOwner, "offer")
		in.Number, in.Of = 3, 4
		changeSettings(&in.Effect, func(s *exchange.SendEmail) { s.Number, s.Of = mail.Number, mail.Of })
		if done := r.runEffect(in); done.problem != "" {
			t.Fatal(done.problem)
		}
	}
	sent, err := r.sandbox.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range sent {
		got = append(got, m.Subject)
	}
	if diff := cmp.Diff([]string{"First Aid: reminder 2 of 3", "First Aid: reminder 3 of 4"}, got); diff != "" {
		t.Error(diff)
	}
}

const fallbackPlaybook = `
emails:
  plain: { subject: "Places of {{.Name}} for {{.Contact}}", body: "Dear {{.Owner}}," }
  office: { subject: "Hello", body: "Dear {{.Owner}},", fallback: Priya.Raman@harbour-street.example }
  nowhere: { subject: "Hello", body: "Hello", fallback: nobody@harbour-street.example }
`

// A mail whose recipient cannot get mail goes to the next person who can: the account's owner, then
// the contact with the fallback address.
func TestAMailFallsBack(t *testing.T) {
	const nora, priya = "nora.whitfield@training.example", "priya.raman@harbour-street.example"
	ownedAccount, freeAccount := id(opportunity.TypeAccount, 3), id(opportunity.TypeAccount, 2)
	for name, c := range map[string]struct {
		account, owner opportunity.ID
		to             exchange.Recipient
		template       string
		want           string // the address and the body
		requests       int
	}{
		"no owner, but the account has one":          {ownedAccount, "", exchange.ToOwner, "plain", nora + " Dear Nora,", 3 + 4},
		"an owner without a contact":                 {ownedAccount, userWithoutContact, exchange.ToOwner, "plain", nora + " Dear Nora,", 3 + 4},
		"the account's owner goes before the office": {ownedAccount, "", exchange.ToOwner, "office", nora + " Dear Nora,", 3 + 4},
		"nobody but the office":                      {freeAccount, "", exchange.ToOwner, "office", priya + " Dear ,", 4 + 4},
		"no account":                                 {"", "", exchange.ToOwner, "office", priya + " Dear ,", 3 + 3},
		"no contact":                                 {ownedAccount, "", exchange.ToContact, "office", priya + " Dear ,", 3 + 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, tms.ReferenceTag{})
			r.loadPlaybook(fallbackPlaybook)
			record := r.createRecord("A-1")
			if c.account != "" {
				r.setAccount(record, c.account)
			}
			if c.owner != "" {
				r.setPeople(record, c.owner, "")
			}
			r.requestCount()
			r.wantEffect(r.runEffect(emailEffect(record, c.to, c.template)), c.requests, exchange.RequestEmail)
			sent, err := r.sandbox.Outbox(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(sent) != 1 || sent[0].To+" "+strings.TrimSuffix(strings.TrimPrefix(sent[0].Body, "<p>"), "</p>\n") != c.want {
				t.Errorf("sent %+v, want %s", sent, c.want)
			}
		})
	}
}

// The subject that the operator reads names no person.
func TestAMailWithoutARecipientNamesItsSubject(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(fallbackPlaybook)
	record := r.createRecord("A-1")
	r.setPeople(record, "", contact)
	const subject = `the mail "Places of First Aid for" was not sent: `
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToOwner, "plain")), 2, subject+"the opportunity has no owner to send the mail to")
	r.setAccount(record, id(opportunity.TypeAccount, 2))
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToOwner, "plain")), 3, subject+"the opportunity has no owner to send the mail to, and its account has no owner")
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToOwner, "nowhere")), 3, "no contact in the TMS has the fallback address of the mail")
}

// Each learner gets a mail. When one of the learners has no contact, nobody gets the mail, and an
// operator decides.
func TestAMailToTheLearners(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	r.requestCount()
	person := func(email string) exchange.Attendee {
		return exchange.Attendee{Person: &opportunity.Learner{FirstName: "Some", LastName: "One", Email: email}}
	}
	known := exchange.Attendee{Contact: id(opportunity.TypeContact, 3)}
	in := emailEffect(record, exchange.ToLearners, "short")
	r.wantProblem(r.runEffect(in), 1, "no learner is named in the interests of the opportunity")
	in.Attendees = []exchange.Attendee{person("Melissa@example.com"), person("nobody@example.com"), known}
	r.wantProblem(r.runEffect(in), 2, "1 of 3 learners have no contact to send the mail to")
	in.Attendees = []exchange.Attendee{person("Melissa@example.com"), known, {Contact: contact}}
	r.wantEffect(r.runEffect(in), 3+3, exchange.RequestEmail)
	in.Attendees = []exchange.Attendee{known}
	r.wantEffect(r.runEffect(in), 1+3, exchange.RequestEmail)
	sent, err := r.sandbox.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range sent {
		got = append(got, m.To)
	}
	const tomas = "tomas.byrne@northern-lights.example"
	if diff := cmp.Diff([]string{"melissa@example.com", tomas, tomas}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAMailWhoseAnswerIsLostIsNotSentAgain(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	r.setPeople(record, userWithContact, contact)
	r.loseNextAnswer()
	r.wantProblem(r.runEffect(emailEffect(record, exchange.ToContact, "short")), 2+2+1, "unknown", exchange.RequestEmail)
	if all := r.outbox(); len(all) != 1 {
		t.Errorf("sent %q", all)
	}
}

func TestEmailIsNotSentWhenTheRecordCannotBeRead(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	r.setPeople(record, userWithContact, contact)
	in := emailEffect(record, exchange.ToContact, "short")
	in.Request = &exchange.EffectRequest{Kind: exchange.RequestEmail, Target: contact}
	r.respondWithStatus(http.StatusBadGateway)
	out := mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if out.Status != exchange.StatusNotSent {
		t.Errorf("%+v", out)
	}
	r.interceptRequests(nil)
	in.Opportunity = id(opportunity.TypeOpportunity, 99)
	out = mustRunActivity[activities.ExecuteResult](r, activities.ExecuteEffect, in)
	if out.Status != exchange.StatusRejected || out.Error.Type != opportunity.NotFound {
		t.Errorf("of no record: %+v", out)
	}
}

func TestTheSendingAddressIsLookedUpAgain(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.loadPlaybook(emailPlaybook)
	record := r.createRecord("A-1")
	r.setPeople(record, userWithContact, contact)
	r.wantEffect(r.runEffect(emailEffect(record, exchange.ToContact, "short")), 2+2+1, exchange.RequestEmail)
	r.advanceClock(9 * time.Minute)
	r.wantEffect(r.runEffect(emailEffect(record, exchange.ToContact, "short")), 1+2+1, exchange.RequestEmail)
	r.advanceClock(2 * time.Minute)
	r.wantEffect(r.runEffect(emailEffect(record, exchange.ToContact, "short")), 2+2+1, exchange.RequestEmail)
}
