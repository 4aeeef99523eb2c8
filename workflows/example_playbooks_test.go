package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/opportunity"
)

// These tests run the playbooks in playbook/examples in virtual time, through the activities of a
// worker, with the sandbox as the API.

func placesQuery(event int) string {
	return fmt.Sprintf(`{ event: node(id: %q) { ... on Event { reserved bookedPlaces } } opp: node(id: %q) { ... on Opportunity { step { name } isReservationValid } } }`,
		id("Course", event), recordID)
}

func TestPlacesAreReservedDuringAProposal(t *testing.T) {
	h := newTenantFixture(t, example(t, "reserve-on-proposal"))
	one := reserveFor(1, "Ada", "Ben")
	one.Interests[0].Reserve = false // the playbook reserves the places
	h.at(time.Minute, func() { h.update("i", "addInterests", one) })
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.at(2*time.Hour, func() {
		h.wantQuery(placesQuery(1), "{event:{bookedPlaces:0,reserved:2},opp:{isReservationValid:true,step:{name:Proposed}}}")
		view := h.view()
		if view.Reservation == nil || !view.Reservation.Valid || view.Reservation.Until.Sub(h.env.Now()) < 13*24*time.Hour {
			t.Errorf("the view tells of %+v", view.Reservation)
		}
	})
	h.at(24*time.Hour, func() { h.update("l", "progress", to("Lost")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "p", "l")
	h.wantQuery(placesQuery(1), "{event:{bookedPlaces:0,reserved:0},opp:{isReservationValid:false,step:{name:Lost}}}")
}

// The playbook makes no proposal for a sold-out event, in whichever form the API reports that the
// event is sold out.
func TestNothingIsProposedThatIsSoldOut(t *testing.T) {
	for _, short := range []string{"refused", "nothing"} {
		h := newTenantFixture(t, example(t, "reserve-on-proposal"), "reserve.short="+short)
		one := reserveFor(1, "Ada", "Ben", "Cai", "Dot", "Eve")
		one.Interests[0].Reserve = false
		h.at(time.Minute, func() { h.update("i", "addInterests", one) })
		h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
		h.at(3*time.Hour, func() {
			if got := h.results["p"].outcome; got.State != opportunity.Failed || got.Error.Label != "Effect Failed" {
				t.Errorf("%s: the move: %+v", short, got)
			}
			h.wantQuery(placesQuery(1), "{event:{bookedPlaces:0,reserved:0},opp:{isReservationValid:false,step:{name:Lead}}}")
			if attention := h.attention(); len(attention) > 0 {
				t.Errorf("%s: attention %v", short, attention)
			}
			h.update("c", "close", opportunity.Close{Reason: "over"})
		})
		h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	}
}

func TestThreeRemindersThenLost(t *testing.T) {
	h := newTenantFixture(t, example(t, "reminders"))
	h.at(time.Second, h.setPeople)
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("p")
	// The proposal is made on Monday 25 November at 10, and the first reminder is sent five
	// business days later.
	var want []string
	for n := range 3 {
		want = append(want, fmt.Sprintf("priya.raman@harbour-street.example: First Aid: are you still interested? %s", []string{"2041-12-02", "2041-12-04", "2041-12-06"}[n]))
	}
	outbox, err := h.sandbox.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, mail := range outbox {
		got = append(got, fmt.Sprint(mail.To, ": ", mail.Subject, " ", mail.SentAt.Format(time.DateOnly)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	if ended := h.ended(); ended.State != opportunity.Lost {
		t.Errorf("it ended as %+v", ended)
	}
	if now := h.env.Now().Format(time.DateOnly); now != "2041-12-10" {
		t.Errorf("it was lost on %s", now)
	}
}

func TestAnAnswerPostponesReminders(t *testing.T) {
	h := newTenantFixture(t, example(t, "reminders"))
	h.at(time.Second, h.setPeople)
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.at(8*24*time.Hour, func() { // after the first reminder
		if n := len(h.sentEmails()); n != 1 {
			t.Errorf("%d mails", n)
		}
		h.update("u", "updateDetails", opportunity.UpdateDetails{Name: "First Aid for ten"})
	})
	h.at(12*24*time.Hour, func() {
		if n := len(h.sentEmails()); n != 1 {
			t.Errorf("%d mails four days after the customer answered", n)
		}
		h.update("l", "progress", to("Lost"))
	})
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("p", "u", "l")
	if n := len(h.sentEmails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestAnOfferToTheWaitingList(t *testing.T) {
	for _, taken := range []bool{true, false} {
		h := newTenantFixture(t, example(t, "waitlist-offer"))
		one := reserveFor(1, "Ada")
		one.Interests[0].Reserve = false
		h.at(time.Second, h.setPeople)
		h.at(time.Minute, func() { h.update("i", "addInterests", one) })
		h.at(time.Hour, func() { h.update("p", "progress", to("Offered")) })
		h.at(2*time.Hour, func() {
			h.wantQuery(placesQuery(1), "{event:{bookedPlaces:0,reserved:1},opp:{isReservationValid:true,step:{name:Offered}}}")
		})
		mails := 3
		if taken {
			mails = 1
			h.at(24*time.Hour, func() { h.update("w", "progress", to("Won")) })
		}
		h.run(opportunity.Start{Name: "First Aid", Region: "UK", EntryStep: "Waitlist"}, nil)
		h.wantDone("i", "p")
		got := h.sentEmails()
		if !taken {
			mails = 2
			h.wantQuery(placesQuery(1), "{event:{bookedPlaces:0,reserved:0},opp:{isReservationValid:false,step:{name:Lost}}}")
		}
		if len(got) != mails {
			t.Errorf("taken %v: mails %q", taken, got)
		}
	}
}

func TestAnEventIsCancelled(t *testing.T) {
	h := newTenantFixture(t, example(t, "event-cancelled"))
	h.at(time.Second, h.setPeople)
	h.at(time.Minute, func() { h.update("i", "addInterests", reserveFor(1, "Ada")) })
	h.at(30*time.Hour, func() {
		if got := h.sentEmails(); len(got) != 0 {
			t.Errorf("mails before anything happened: %q", got)
		}
		h.execute(fmt.Sprintf(`mutation { event { update(eventId: %q, input: {lifecycleState: "cancelled"}) { errors { message } } } }`, id("Course", 1)))
	})
	h.at(7*24*time.Hour, func() { h.update("l", "progress", to("Lost")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "l")
	want := []string{"nora.whitfield@training.example: An event of First Aid was cancelled"}
	if diff := cmp.Diff(want, h.sentEmails()); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	h.wantQuery(fmt.Sprintf(`{ logs: node(id: %q) { id } }`, recordID), "{logs:{id:"+string(recordID)+"}}")
}

// The run reports a sold-out event while no places are reserved, and reports an expired reservation
// after the expiry.
func TestAnEventSellsOut(t *testing.T) {
	h := newTenantFixture(t, []byte(`
emails:
  news: { subject: "{{.Name}}: sold out", body: "Dear {{.Owner}}" }
  expiry: { subject: "{{.Name}}: expired", body: "Dear {{.Owner}}" }
reactions:
  - { name: sold, on: eventSoldOut, do: [ { email: { to: owner, use: news } } ] }
  - { name: expired, on: reservationExpired, do: [ { email: { to: owner, use: expiry } } ] }
`))
	wanted := reserveFor(1, "Ada")
	h.at(time.Second, h.setPeople)
	h.at(time.Minute, func() { h.update("i", "addInterests", wanted) })
	h.at(time.Hour, func() {
		// Other customers book all the other places of the event.
		h.execute(fmt.Sprintf(`mutation { event { update(eventId: %q, input: {maxPlaces: 1}) { errors { message } } } }`, id("Course", 1)))
	})
	h.at(10*24*time.Hour, func() {
		if got := h.sentEmails(); len(got) > 0 {
			t.Errorf("mails while places are held: %q", got)
		}
	})
	h.at(15*24*time.Hour, func() {
		h.execute(fmt.Sprintf(`mutation { event { update(eventId: %q, input: {maxPlaces: 0}) { errors { message } } } }`, id("Course", 1)))
	})
	h.at(20*24*time.Hour, func() { h.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
	h.at(40*24*time.Hour, func() { h.update("l", "progress", to("Lost")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "l")
	want := []string{"nora.whitfield@training.example: First Aid: expired", "nora.whitfield@training.example: First Aid: sold out"}
	if diff := cmp.Diff(want, h.sentEmails()); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

func TestAMailToTheLearners(t *testing.T) {
	h := newTenantFixture(t, []byte(`
emails: { welcome: { subject: "Welcome to {{.Name}}", body: "See you on {{.FirstStart}}" } }
transitions:
  - name: propose
    to: { step: Proposed }
    after:
      - contacts: {}
      - email: { to: learners, use: welcome }
`))
	h.at(time.Minute, func() { h.update("i", "addInterests", reserveFor(1, "Ada", "Ben")) })
	h.at(time.Hour, func() { h.update("p", "progress", to("Proposed")) })
	h.at(2*time.Hour, func() { h.update("l", "progress", to("Lost")) })
	h.run(opportunity.Start{Name: "First Aid", Region: "UK"}, nil)
	h.wantDone("i", "p", "l")
	want := []string{"ada@byrne.example: Welcome to First Aid", "ben@byrne.example: Welcome to First Aid"}
	if got := h.sentEmails(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("mails %q, want %q", got, want)
	}
}
