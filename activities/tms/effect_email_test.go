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
	"github.com/oppflow/oppflow/opportunity"
)

const mailing = `
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
	nora   = id("User", 1) // a user with a contact
	samuel = id("User", 2) // a user without a contact
)

// mail returns an effect that sends a mail.
func mail(record opportunity.ID, to opportunity.Recipient, template string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/x/after/1/email", Kind: opportunity.EffectEmail, Email: &opportunity.SendEmail{To: to, Template: template},
	}}
}

// people gives the record an owner and a contact.
func (r *room) people(record, owner, person opportunity.ID) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{
		ID: string(record), OwnerID: string(owner), ContactID: string(person), Currency: "GBP",
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requested()
}

// outbox returns the sent mails: to whom, and what.
func (r *room) outbox() []string {
	r.t.Helper()
	sent, err := r.box.Outbox(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var all []string
	for _, m := range sent {
		all = append(all, m.To+"\n"+m.Subject+"\n"+m.Body)
	}
	return all
}

func TestAMailTellsWhatTheRecordHolds(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(mailing)
	record := r.created("A-1")
	priced := interest(event, 2)
	priced.Interest.UnitAmount = amount(t, "199.90")
	r.apply(record, priced)
	r.people(record, nora, contact)
	in := mail(record, opportunity.ToContact, "offer")
	in.Number, in.Of, in.Region = 2, 3, opportunity.Named{ID: regionDR, Name: "Dominican Republic"}
	// The first requests find out the recipient and the sender. Then the record, the people,
	// the event and a name are read.
	done := r.ensure(in)
	r.want(done, 2+4+1, opportunity.ActMail)
	want := "melissa@example.com\nFirst Aid: reminder 2 of 3\n" +
		"<p>Dear Melissa Green &amp; Co,</p>\n<p>399.80 GBP in Dominican Republic, from Monday, 3 March 2031, 09:00 UTC<br>\n&lt;Nora&gt;</p>\n"
	if diff := cmp.Diff([]string{want}, r.outbox()); diff != "" {
		t.Error(diff)
	}

	in.Trace = done.trace
	r.want(r.ensure(in), 0) // the mail was sent
	in.Undo = true
	r.wantProblem(r.ensure(in), 0, "cannot be called back")
	r.want(r.ensure(mail(record, opportunity.ToOwner, "short")), 1+2+1, opportunity.ActMail) // the sender's address is known
	if all := r.outbox(); len(all) != 2 || !strings.HasPrefix(all[1], "nora.whitfield@training.example\n") {
		t.Errorf("to the owner: %q", all)
	}
}

func TestAMailThatCannotBeSentIsTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(mailing)
	record := r.created("A-1")
	r.requested()
	r.wantProblem(r.ensure(mail(record, opportunity.ToContact, "short")), 1, "no contact")
	r.wantProblem(r.ensure(mail(record, opportunity.ToOwner, "short")), 1, "no owner")
	r.wantProblem(r.ensure(mail(record, opportunity.ToOwner, "another")), 0, `no mail "another"`)
	r.people(record, samuel, contact)
	r.wantProblem(r.ensure(mail(record, opportunity.ToOwner, "short")), 1, "the owner has no contact, so cannot be mailed")
	// The API says why: the address of this mail is not verified.
	r.wantProblem(r.ensure(mail(record, opportunity.ToContact, "elsewhere")), 1+2+1, "verified", opportunity.ActMail)
	if all := r.outbox(); len(all) != 0 {
		t.Errorf("sent %q", all)
	}
}

func TestAMailWhoseAnswerIsLostIsNotSentAgain(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(mailing)
	record := r.created("A-1")
	r.people(record, nora, contact)
	r.lose()
	r.wantProblem(r.ensure(mail(record, opportunity.ToContact, "short")), 2+2+1, "unknown", opportunity.ActMail)
	if all := r.outbox(); len(all) != 1 {
		t.Errorf("sent %q", all)
	}
}

// Nothing is sent where the record cannot be read, and no operator is asked.
func TestAMailAboutWhatCannotBeReadIsNotSent(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(mailing)
	record := r.created("A-1")
	r.people(record, nora, contact)
	in := mail(record, opportunity.ToContact, "short")
	in.Act = &opportunity.Act{Kind: opportunity.ActMail, On: contact}
	r.status(http.StatusBadGateway)
	out := do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
	if out.Fate != opportunity.FateNotSent {
		t.Errorf("%+v", out)
	}
	r.answerInstead(nil)
	in.Opportunity = id(opportunity.TypeOpportunity, 99)
	out = do[activities.CarryOutResult](r, activities.CarryOutEffect, in)
	if out.Fate != opportunity.FateRejected || out.Error.Type != opportunity.NotFound {
		t.Errorf("of no record: %+v", out)
	}
}

func TestTheSendingAddressIsLookedUpAgain(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.follow(mailing)
	record := r.created("A-1")
	r.people(record, nora, contact)
	r.want(r.ensure(mail(record, opportunity.ToContact, "short")), 2+2+1, opportunity.ActMail)
	r.pass(9 * time.Minute)
	r.want(r.ensure(mail(record, opportunity.ToContact, "short")), 1+2+1, opportunity.ActMail)
	r.pass(2 * time.Minute)
	r.want(r.ensure(mail(record, opportunity.ToContact, "short")), 2+2+1, opportunity.ActMail)
}
