package story

import (
	"context"
	"fmt"
	"strconv"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

type winObjects struct {
	contact      administrate.Contact
	registration administrate.Enrolment
	invoice      administrate.Billing
	tokens       int
}

// winning returns the step of the story that checks what the default playbook ensured when the
// opportunity was won. The documentation says, without an example, that a win includes the account,
// the contacts, the registrations and the invoice.
func winning() step {
	return step{
		name: "winning", description: "check the effects of the default playbook after the opportunity is won",
		action: func(ctx context.Context, s *session) (err error) {
			s.winObjects, err = retry(ctx, func() (winObjects, error) { return s.readWinObjects(ctx) })
			return err
		},
		text: func(s *session) string {
			state := "no invoice"
			if s.winObjects.invoice.Invoice != nil {
				state = "invoice " + s.winObjects.invoice.Invoice.State
			}
			return fmt.Sprintf("%s registered on %d event, places released, %d tokens issued, %s", s.winObjects.contact.Email, s.winObjects.registration.Active, s.winObjects.tokens, state)
		},
		expect: func(s *session) []Check {
			invoice := administrate.Invoice{}
			if s.winObjects.invoice.Invoice != nil {
				invoice = *s.winObjects.invoice.Invoice
			}
			checks := []Check{
				{"contact", "Melissa Green", s.winObjects.contact.FirstName + " " + s.winObjects.contact.LastName},
				{"places on the event", "1", strconv.Itoa(s.winObjects.registration.Active)},
				{"places reserved", "false", strconv.FormatBool(s.record.Reservations.Valid)},
				{"tokens", "10", strconv.Itoa(s.winObjects.tokens)},
				{"invoice", "Draft", invoice.State},
				{"effects that wait for an operator", "0", strconv.Itoa(len(s.view.RunningEffects))},
			}
			for _, kind := range []opportunity.EffectKind{
				opportunity.EffectAccount, opportunity.EffectContacts, opportunity.EffectRegister, opportunity.EffectTokens, opportunity.EffectInvoice,
			} {
				checks = append(checks, Check{"effect " + string(kind), "ensured", s.effect(kind)})
			}
			return checks
		},
	}
}

// effect returns one word for the effect results of a kind in the view: "missing", "ensured", or
// the outcome of an effect.
func (s *session) effect(kind opportunity.EffectKind) string {
	outcome := "missing"
	for _, effect := range s.view.EffectResults {
		switch {
		case effect.Kind != kind:
		case effect.Outcome == opportunity.EffectDone, effect.Outcome == opportunity.EffectUnchanged:
			outcome = "ensured"
		default:
			outcome = string(effect.Outcome)
		}
	}
	return outcome
}

func (s *session) readWinObjects(ctx context.Context) (winObjects, error) {
	var m winObjects
	page, err := s.API.ContactsByEmail(ctx, exampleLearners()[0].Email)
	if err != nil || len(page.Contacts) == 0 {
		return m, err
	}
	m.contact = page.Contacts[0]
	if m.registration, err = s.API.Enrolment(ctx, m.contact.ID, event); err != nil {
		return m, err
	}
	if m.invoice, err = s.API.Billing(ctx, s.record.ID); err != nil {
		return m, err
	}
	issued, err := s.API.TokenIssues(ctx, s.record.ID)
	for _, issue := range issued.Issues {
		m.tokens += issue.Quantity
	}
	return m, err
}
