package administrate

import (
	"context"

	"github.com/oppflow/oppflow/administrate/transport"
)

// Registration is the booking of one or more learners on an event.
type Registration struct {
	ID      string // documented (API notes 3.4)
	Account *Ref   // documented (API notes 5.3); nil when there is none
	// OpportunityID is the id of the opportunity that the registration belongs to (observed, API
	// notes 4.1 and 5.3). OpportunityID is empty for a registration that RegisterContacts created
	// (observed, API notes 4.6).
	OpportunityID string
}

// RegistrationPage is one page of the registrations on an event.
type RegistrationPage struct {
	Registrations []Registration
	Count         int    // the number of all registrations on the event
	NextCursor    string // the cursor of the next page, empty on the last one
}

// EventRegistrations reads one page of up to 100 registrations on an event. The page follows the
// cursor after; an empty cursor selects the first page. No filter of registrations by opportunity
// was observed. To find the registrations of an opportunity, read the registrations on every event
// that an interest of the opportunity is about. EventRegistrations fails with NotFoundError when no
// event has the id eventID.
func (c *Client) EventRegistrations(ctx context.Context, eventID, after string) (RegistrationPage, error) {
	b := newBuilder(&c.assumed)
	page, err := findOne(ctx, c, b, "EventRegistrations", "events", recordKindEvent, eventID,
		"registrations("+b.pageArguments(after)+") { edges { node { id account { "+selectRef+" } sourceOpportunity { id } } } "+
			selectPageInfo+" }",
		func(a struct {
			Registrations *connection[registrationDTO] `json:"registrations"`
		},
		) (rowPage[Registration], error) {
			if a.Registrations == nil {
				return rowPage[Registration]{}, transport.ErrMalformedValue
			}
			return mapRows(*a.Registrations, registrationDTO.registration)
		})
	return RegistrationPage{Registrations: page.rows, Count: page.count, NextCursor: page.nextCursor}, err
}

type registrationDTO struct {
	ID                string  `json:"id"`
	Account           *refDTO `json:"account"`
	SourceOpportunity *idRef  `json:"sourceOpportunity"`
}

func (r registrationDTO) registration() (Registration, error) {
	out := Registration{ID: r.ID, OpportunityID: r.SourceOpportunity.id()}
	if r.Account != nil {
		account := r.Account.ref()
		out.Account = &account
	}
	return out, requireID(r.ID)
}
