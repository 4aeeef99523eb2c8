package administrate

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate/transport"
)

// EventLearner is a person's place on an event.
type EventLearner struct {
	ID        string
	ContactID string // empty when the API returns no contact
	// OpportunityID is the id of the opportunity that registered the learner, or empty if
	// RegisterContacts registered the learner. Only EnrolmentSources reads OpportunityID.
	OpportunityID string
}

// Enrolment says whether a contact has a place on an event.
type Enrolment struct {
	Active    int // the number of the contact's places that were not cancelled
	Cancelled int
	// Learners contains the first 100 places that were not cancelled.
	Learners []EventLearner
}

// Enrolment reads whether a contact already has a place on an event. Enrolment filters learners by
// contactId and eventId and reads totalRecords, as a query in Administrate's own code does
// (observed, API notes 5.3). A second root field of the request counts the cancelled places, with
// the filter isCancelled (observed, API notes 5.3).
func (c *Client) Enrolment(ctx context.Context, contactID, eventID string) (Enrolment, error) {
	b := newBuilder(&c.assumed)
	b.location = "Enrolment"
	both := "{field: contactId, operation: eq, value: " + b.bindRequired("contactID", "contactId", "String", contactID) + "}, " +
		"{field: eventId, operation: eq, value: " + b.bindRequired("eventID", "eventId", "String", eventID) + "}"
	const cancelled = "{field: isCancelled, operation: eq, value: %q}"
	b.root(`active: learners(filters: [%s, `+cancelled+`], first: 100) { edges { node { id contact { id } } } %s }`, both, "false", selectPageInfo)
	b.root(`cancelled: learners(filters: [%s, `+cancelled+`], first: 1) { pageInfo { totalRecords } }`, both, "true")
	doc, err := b.document("query", "Enrolment")
	if err != nil {
		return Enrolment{}, err
	}
	var got struct {
		Active    *connection[eventLearnerDTO] `json:"active"`
		Cancelled *struct {
			PageInfo pageInfoDTO `json:"pageInfo"`
		} `json:"cancelled"`
	}
	if err := c.Read(ctx, doc, &got); err != nil {
		return Enrolment{}, err
	}
	if got.Active == nil || got.Cancelled == nil {
		return Enrolment{}, transport.MalformedResponse(doc.Name)
	}
	page, err := mapRows(*got.Active, eventLearnerDTO.learner)
	if err != nil {
		return Enrolment{}, transport.MalformedResponse(doc.Name)
	}
	return Enrolment{Active: page.count, Cancelled: got.Cancelled.PageInfo.TotalRecords, Learners: page.rows}, nil
}

// LearnerPage is one page of the places that Enrolments found and that were not cancelled.
type LearnerPage struct {
	Learners   []EventLearner
	NextCursor string // the cursor of the next page, empty on the last one
	// ShowsSources says whether the request read the OpportunityID of each place.
	ShowsSources bool
}

// Enrolments reads one page of up to 100 places of the contacts on an event, without cancelled
// places. The list contactIDs has 1 to MaxEntries entries. The page follows the cursor after; an
// empty cursor selects the first page. The filters by eventId, contactId and isCancelled are
// observed (API notes 5.3). A filter with several values is observed, but not for the field
// contactId (API notes 3.3).
func (c *Client) Enrolments(ctx context.Context, eventID string, contactIDs []string, after string) (LearnerPage, error) {
	return c.enrolments(ctx, "Enrolments", eventID, contactIDs, after, selectLearner)
}

const selectLearner = "id contact { id }"

func (c *Client) enrolments(ctx context.Context, name, eventID string, contactIDs []string, after, selection string) (LearnerPage, error) {
	b := newBuilder(&c.assumed)
	b.location = name
	event := "{field: eventId, operation: eq, value: " + b.bindRequired("eventID", "eventId", "String", eventID) + "}"
	arguments := "filters: [" + event + ", " + b.inFilter("contactId", "contactIDs", contactIDs) +
		`, {field: isCancelled, operation: eq, value: "false"}], ` + b.pageArguments(after)
	page, err := findRows(ctx, c, b, name, "learners", arguments, selection, eventLearnerDTO.learner)
	return LearnerPage{Learners: page.rows, NextCursor: page.nextCursor}, err
}

// EnrolmentSources returns the same page as Enrolments, and also sets OpportunityID of each
// learner, see Assumptions.LearnerRegistration. If the assumption LearnerRegistration is off,
// EnrolmentSources does not set OpportunityID, and ShowsSources is false.
func (c *Client) EnrolmentSources(ctx context.Context, eventID string, contactIDs []string, after string) (LearnerPage, error) {
	selection := selectLearner
	if c.assumed.LearnerRegistration != Off {
		selection += " source: " + string(c.assumed.LearnerRegistration) + " { sourceOpportunity { id } }"
	}
	page, err := c.enrolments(ctx, "EnrolmentSources", eventID, contactIDs, after, selection)
	page.ShowsSources = err == nil && c.assumed.LearnerRegistration != Off
	return page, err
}

// Price is an amount of money.
type Price struct {
	Amount   decimal.Decimal // sent exactly, with at least two decimal places
	Currency string          // sent as financialUnitId: only the code, as for opportunities
}

// RegisterContacts books a place on an event for each of the contacts. The members are observed
// (API notes 5.3). A registration by RegisterContacts belongs to no opportunity and uses none of
// the places that are reserved for an opportunity (observed, API notes 4.6). A person who also has
// a reserved place occupies two places until the reservation is released or expires.
type RegisterContacts struct {
	EventID    string
	ContactIDs []string // 1 to MaxEntries
	Notes      string   // optional
	Price      *Price   // the price of one place; optional
}

// RegisterContactsResult is the result of RegisterContacts.
type RegisterContactsResult struct {
	// Learners are the new places. If a contact has no entry in Learners, the API registered no
	// place for the contact.
	Learners []EventLearner
	// BookedPlaces is the number of booked places of the event after the registration, nil when the
	// response does not contain this number.
	BookedPlaces *int
	// RemainingPlaces is the number of remaining places of the event after the registration.
	// RemainingPlaces may be negative, and is nil when the response does not contain the number.
	RemainingPlaces *int
}

// RegisterContacts sends one mutation registerContacts. The API accepts a second registration of
// the same contact on the same event, so call Enrolment first.
func (c *Client) RegisterContacts(ctx context.Context, r RegisterContacts) (RegisterContactsResult, error) {
	sent, err := c.sendStandalone(ctx, "RegisterContacts", r.build)
	if err != nil {
		return RegisterContactsResult{}, err
	}
	var payload struct {
		Learners []eventLearnerDTO `json:"learners"`
		Event    *struct {
			BookedPlaces    *int `json:"bookedPlaces"`
			RemainingPlaces *int `json:"remainingPlaces"`
		} `json:"event"`
	}
	if err := sent.decodePayload(&payload); err != nil {
		return RegisterContactsResult{}, err
	}
	learners, err := sent.registeredLearners(payload.Learners)
	if err != nil {
		return RegisterContactsResult{}, err
	}
	out := RegisterContactsResult{Learners: learners}
	if payload.Event != nil {
		out.BookedPlaces, out.RemainingPlaces = payload.Event.BookedPlaces, payload.Event.RemainingPlaces
	}
	return out, nil
}

func (r RegisterContacts) build(b *builder) standaloneMutation {
	b.checkEntryCount("ContactIDs", len(r.ContactIDs))
	contacts := make([]string, len(r.ContactIDs))
	for i, id := range r.ContactIDs {
		contacts[i] = b.bindRequired(fmt.Sprintf("ContactIDs[%d]", i), "contact", "ID", id)
	}
	in := object{"contacts: " + list(contacts)}
	if r.Notes != "" {
		in.set("notes", b.bindText("Notes", "notes", "String", r.Notes))
	}
	if r.Price != nil {
		if r.Price.Currency == "" {
			b.invalid("Price.Currency", "the currency of the price is missing")
		}
		in.set("financialUnitId", b.literal("Price.Currency", r.Price.Currency))
		in.set("amount", b.amount("Price.Amount", r.Price.Amount))
	}
	return standaloneMutation{
		namespace: "event", field: "registerContacts",
		arguments: "eventId: " + b.bindRequired("EventID", "eventId", "ID", r.EventID) + ", input: " + in.String(),
		selection: "event { id bookedPlaces remainingPlaces } learners { id contact { id } }",
	}
}

// CancelLearner cancels a learner's place (observed, API notes 5.3). The response contains only a
// list of errors, so call Enrolment to check that the place is cancelled.
func (c *Client) CancelLearner(ctx context.Context, learnerID string) error {
	return c.changeLearner(ctx, "CancelLearner", "cancel", learnerID)
}

// ReactivateLearner restores a place that was cancelled with CancelLearner (observed, API notes
// 5.3).
func (c *Client) ReactivateLearner(ctx context.Context, learnerID string) error {
	return c.changeLearner(ctx, "ReactivateLearner", "reactivate", learnerID)
}

func (c *Client) changeLearner(ctx context.Context, name, field, learnerID string) error {
	r, err := c.sendStandalone(ctx, name, func(b *builder) standaloneMutation {
		return standaloneMutation{
			namespace: "learner", field: field,
			arguments: "input: {learnerId: " + b.bindRequired("learnerID", "learnerId", "ID", learnerID) + "}",
		}
	})
	if err != nil {
		return err
	}
	var payload struct{}
	return r.decodePayload(&payload)
}

type eventLearnerDTO struct {
	ID      string `json:"id"`
	Contact *idRef `json:"contact"`
	Source  *struct {
		SourceOpportunity *idRef `json:"sourceOpportunity"`
	} `json:"source"`
}

func (l eventLearnerDTO) learner() (EventLearner, error) {
	learner := EventLearner{ID: l.ID, ContactID: l.Contact.id()}
	if l.Source != nil {
		learner.OpportunityID = l.Source.SourceOpportunity.id()
	}
	return learner, requireID(l.ID)
}

func (r standaloneResponse) registeredLearners(answers []eventLearnerDTO) ([]EventLearner, error) {
	if len(answers) == 0 {
		return nil, r.outcomeUnknown("the response contains neither errors nor a learner")
	}
	out := make([]EventLearner, len(answers))
	for i, a := range answers {
		l, err := a.learner()
		if err != nil {
			return nil, r.outcomeUnknown("the response does not have the expected form")
		}
		out[i] = l
	}
	return out, nil
}
