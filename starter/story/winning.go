package story

import (
	"context"
	"fmt"
	"strconv"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// made is the objects in the TMS that belong to a win.
type made struct {
	contact   administrate.Contact
	enrolment administrate.Enrolment
	billing   administrate.Billing
	tokens    int
}

// winning checks what the default playbook ensured when the opportunity was won. The documentation says, without an
// example, that a win comes with account, contacts, registrations and the invoice.
func winning() step {
	return step{
		name: "winning", say: "look at what the default playbook made of the win",
		do: func(ctx context.Context, s *stage) (err error) {
			s.made, err = persist(ctx, func() (made, error) { return s.lookAround(ctx) })
			return err
		},
		told: func(s *stage) string {
			state := "no invoice"
			if s.made.billing.Invoice != nil {
				state = "invoice " + s.made.billing.Invoice.State
			}
			return fmt.Sprintf("%s registered on %d event, places given back, %d tokens issued, %s", s.made.contact.Email, s.made.enrolment.Active, s.made.tokens, state)
		},
		expect: func(s *stage) []Check {
			invoice := administrate.Invoice{}
			if s.made.billing.Invoice != nil {
				invoice = *s.made.billing.Invoice
			}
			checks := []Check{
				{"contact", "Melissa Green", s.made.contact.FirstName + " " + s.made.contact.LastName},
				{"places on the event", "1", strconv.Itoa(s.made.enrolment.Active)},
				{"places held", "false", strconv.FormatBool(s.record.Reservations.Valid)},
				{"tokens", "10", strconv.Itoa(s.made.tokens)},
				{"invoice", "Draft", invoice.State},
				{"effects that wait for an operator", "0", strconv.Itoa(len(s.view.Working))},
			}
			for _, kind := range []opportunity.EffectKind{
				opportunity.EffectAccount, opportunity.EffectContacts, opportunity.EffectRegister, opportunity.EffectTokens, opportunity.EffectInvoice,
			} {
				checks = append(checks, Check{"effect " + string(kind), "stands", s.effect(kind)})
			}
			return checks
		},
	}
}

// effect returns in a word the state of the effects of a kind in the view.
func (s *stage) effect(kind opportunity.EffectKind) string {
	told := "not there"
	for _, effect := range s.view.Effects {
		switch {
		case effect.Kind != kind:
		case effect.How == opportunity.EffectDone, effect.How == opportunity.EffectThere:
			told = "stands"
		default:
			told = string(effect.How)
		}
	}
	return told
}

// lookAround reads these objects from the TMS.
func (s *stage) lookAround(ctx context.Context) (made, error) {
	var m made
	page, err := s.API.ContactsByEmail(ctx, melissa()[0].Email)
	if err != nil || len(page.Contacts) == 0 {
		return m, err
	}
	m.contact = page.Contacts[0]
	if m.enrolment, err = s.API.Enrolment(ctx, m.contact.ID, event); err != nil {
		return m, err
	}
	if m.billing, err = s.API.Billing(ctx, s.record.ID); err != nil {
		return m, err
	}
	issued, err := s.API.TokenIssues(ctx, s.record.ID)
	for _, issue := range issued.Issues {
		m.tokens += issue.Quantity
	}
	return m, err
}
