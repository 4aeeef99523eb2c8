package store

import (
	"context"
	"database/sql"
	"errors"
	"net/mail"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// The limits of an interest are assumed. These limits keep every sum of amounts, in hundredths,
// within 64 bits.
const (
	maxQuantity   = 100_000
	maxAmount     = 10_000_000_000
	maxGrandTotal = 10_000_000_000_000_000 // in units of the currency
)

// Interest is an item that the opportunity's customer may buy.
type Interest struct {
	ID            int64
	OpportunityID int64
	Item          Item
	Quantity      int
	UnitAmount    decimal.Decimal
	TotalAmount   decimal.Decimal
	// Reserve reports that the interest reserves places. After the expiry time of the opportunity's
	// reservations, the places are free again, but Reserve stays true.
	Reserve bool
	TaxID   *string
	// ExpiresAt is the local time at which training tokens expire.
	ExpiresAt *string
	// RegistrationID is the registration that a trigger created for the interest.
	RegistrationID *int64
}

// GlobalID returns the API's id of the interest.
func (i Interest) GlobalID() string { return globalid.EncodeInt(globalid.OpportunityInterest, i.ID) }

// Kind returns the __typename of the interest for the value "by-kind" of the assumption
// InterestType.
func (i Interest) Kind() string {
	switch i.Item.(type) {
	case CourseTemplate:
		return "OpportunityCourseInterest"
	case Event:
		return "OpportunityEventInterest"
	case LearningPath:
		return "OpportunityLearningPathInterest"
	default:
		return "OpportunityTrainingTokenInterest"
	}
}

// InterestPage is a page of interests.
type InterestPage = connection.Page[Interest]

// InterestEdge is an interest with its cursor.
type InterestEdge = connection.Edge[Interest]

// Learner is a person whom an interest names as a learner. The member Contact is nil for a learner
// who is not a contact.
type Learner struct {
	Contact   *Contact
	FirstName string
	LastName  string
	Email     *string
}

// LearnerPage is a page of learners.
type LearnerPage = connection.Page[Learner]

// LearnerEdge is a learner with its cursor.
type LearnerEdge = connection.Edge[Learner]

// AddInterest is the input of the method AddInterest.
type AddInterest struct {
	OpportunityID   string
	InterestDetails *InterestDetails
}

// InterestDetails describes a new interest. Only the details that belong to the kind of the item
// may be set, such as EventDetails for an event.
type InterestDetails struct {
	ID                   string
	Quantity             int
	UnitAmount           decimal.Decimal
	TaxID                *string
	Reserve              *bool
	CourseDetails        *LearnerDetails
	EventDetails         *LearnerDetails
	LearningPathDetails  *LearnerDetails
	TrainingTokenDetails *TokenDetails
}

// LearnerDetails names the learners of an interest: contacts by their id, and people who are not
// contacts yet.
type LearnerDetails struct {
	ExistingLearners []*string
	NewLearners      []*NewLearner
}

// NewLearner is a learner who is not a contact yet.
type NewLearner struct {
	FirstName string
	LastName  string
	Email     *string
}

// TokenDetails contains the local time at which training tokens expire. The expiry time may be in
// the past, as in the example of the documentation.
type TokenDetails struct {
	ExpiresAt *string
}

var interests = listing[Interest]{
	from: `interests i LEFT JOIN course_templates t ON t.id = i.course_template_id LEFT JOIN learning_paths l ON l.id = i.learning_path_id
		LEFT JOIN training_token_types k ON k.id = i.training_token_type_id
		LEFT JOIN events e ON e.id = i.event_id ` + eventJoins,
	columns: `i.id, i.opportunity_id, i.quantity, i.unit_amount, i.total_amount, i.reserve, i.tax_id, i.expires_at, i.registration_id,
		t.id, t.code, t.title, t.lifecycle_state, l.id, l.code, l.name, l.lifecycle_state, k.id, k.code, k.name,
		` + eventColumns,
	key: "i.id",
	fields: map[string]column{
		"id":            intKeyColumn("i.id", globalid.OpportunityInterest),
		"opportunityId": intKeyColumn("i.opportunity_id", globalid.Opportunity),
		"quantity":      {sql: "i.quantity", kind: integer},
		"unitAmount":    {sql: "i.unit_amount", kind: amount},
		"totalAmount":   {sql: "i.total_amount", kind: amount},
	},
	scan: scanInterest,
}

func scanInterest(row scanner) (Interest, error) {
	var i Interest
	var unit, total int64
	var t template
	var l struct {
		id                *int64
		code, name, state *string
	}
	var k struct{ id, code, name *string }
	var e optionalEvent
	err := row.Scan(append([]any{
		&i.ID, &i.OpportunityID, &i.Quantity, &unit, &total, &i.Reserve, &i.TaxID, &i.ExpiresAt, &i.RegistrationID,
		&t.id, &t.code, &t.title, &t.state, &l.id, &l.code, &l.name, &l.state, &k.id, &k.code, &k.name,
	}, e.dest()...)...)
	if err != nil {
		return i, err
	}
	i.UnitAmount, i.TotalAmount = fromCents(unit), fromCents(total)
	switch {
	case t.id != nil:
		i.Item = *t.get()
	case l.id != nil:
		i.Item = LearningPath{ID: *l.id, Code: *l.code, Name: *l.name, LifecycleState: *l.state}
	case k.id != nil:
		i.Item = TrainingTokenType{ID: *k.id, Code: k.code, Name: *k.name}
	case e.id != nil:
		i.Item = *e.get()
	}
	return i, nil
}

// InterestByKey returns the interest with the given key, or nil if no interest has the key.
func (s *Store) InterestByKey(ctx context.Context, id int64) (*Interest, error) {
	return interests.byKey(ctx, s.read, id)
}

// InterestsOfOpportunity returns the interests of an opportunity that match a search.
func (s *Store) InterestsOfOpportunity(ctx context.Context, opportunity int64, q Search) (*InterestPage, error) {
	return interests.page(ctx, s, q, scope{"i.opportunity_id", opportunity})
}

// InterestsOfEvent returns the interests in an event that match a search.
func (s *Store) InterestsOfEvent(ctx context.Context, event int64, q Search) (*InterestPage, error) {
	return interests.page(ctx, s, q, scope{"i.event_id", event})
}

var learners = listing[Learner]{
	from: `interest_learners n LEFT JOIN contacts p ON p.id = n.contact_id LEFT JOIN accounts a ON a.id = p.account_id`,
	columns: `n.first_name, n.last_name, n.email_address, p.id, p.first_name, p.last_name, p.email_address,
		a.id, a.name, a.email_address`,
	key: "n.id",
	scan: func(row scanner) (Learner, error) {
		var n Learner
		var contact optionalContact
		err := row.Scan(append([]any{&n.FirstName, &n.LastName, &n.Email}, contact.dest()...)...)
		n.Contact = contact.get()
		return n, err
	},
}

// LearnersOfInterest returns the learners whom an interest names, in the order of the input.
func (s *Store) LearnersOfInterest(ctx context.Context, interest int64, q Search) (*LearnerPage, error) {
	return learners.page(ctx, s, q, scope{"n.interest_id", interest})
}

// AddInterest adds an interest to an opportunity and returns the new interest.
func (s *Store) AddInterest(ctx context.Context, in AddInterest) ([]*Interest, error) {
	var answer []*Interest
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		o, err := opportunityByID(ctx, tx, "opportunityId", in.OpportunityID)
		if err != nil {
			return err
		}
		if o.Step.Stage.State != "Open" && s.choices.Is(assumptions.ClosedOpportunity, "refused") {
			return closedRefusal(o)
		}
		id, err := s.addInterest(ctx, tx, o.ID, in.InterestDetails)
		if err != nil {
			return err
		}
		if err := s.setUpdatedAt(ctx, tx, o.ID); err != nil {
			return err
		}
		tail, arg := " WHERE i.id = ?", id
		if s.choices.Is(assumptions.AddInterestResponse, "all") {
			tail, arg = " WHERE i.opportunity_id = ? ORDER BY i.id", o.ID
		}
		rows, err := interests.rows(ctx, tx, tail, arg)
		for n := range rows {
			answer = append(answer, &rows[n])
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *Store) addInterest(ctx context.Context, tx *sql.Tx, opportunity int64, d *InterestDetails) (int64, error) {
	item, err := s.sellableItem(ctx, tx, d.ID)
	if err != nil {
		return 0, err
	}
	details, err := s.learnerDetails(item, d)
	if err != nil {
		return 0, err
	}
	if d.Quantity < 1 || d.Quantity > maxQuantity {
		return 0, newRefusal(LabelInvalidValue, strconv.Itoa(d.Quantity), "quantity is %d, but must be between 1 and %d", d.Quantity, maxQuantity)
	}
	unit, err := s.toCents(d.UnitAmount)
	if err != nil {
		return 0, err
	}
	total, err := grandTotal(ctx, tx, opportunity)
	if err != nil {
		return 0, err
	}
	if total+unit*int64(d.Quantity) > maxGrandTotal*100 {
		return 0, newRefusal(LabelInvalidValue, d.UnitAmount.String(), "the grand total of the opportunity would exceed %d", int64(maxGrandTotal))
	}
	if d.TaxID != nil {
		if _, err := globalid.Parse(*d.TaxID); err != nil {
			return 0, newRefusal(LabelInvalidID, *d.TaxID, "taxId: %v", err)
		}
		if s.choices.Is(assumptions.InterestTax, "unknown") {
			return 0, notFound("Tax", *d.TaxID)
		}
	}
	reserve := d.Reserve != nil && *d.Reserve
	if reserve {
		if reserve, err = s.shouldReserve(ctx, tx, opportunity, item, d); err != nil {
			return 0, err
		}
	}
	var expiresAt *string
	if d.TrainingTokenDetails != nil {
		expiresAt = d.TrainingTokenDetails.ExpiresAt
	}
	// item.column is one of four constants, so the SQL contains no text of a request.
	result, err := tx.ExecContext(ctx, `INSERT INTO interests (opportunity_id, `+item.column+`, quantity, unit_amount, reserve, tax_id, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, opportunity, item.key, d.Quantity, unit, reserve, d.TaxID, expiresAt)
	if err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	if err == nil && reserve {
		err = s.setDefaultExpiry(ctx, tx, opportunity)
	}
	if err == nil && isMutant("an interest is added twice") && d.Quantity == 3 {
		_, err = tx.ExecContext(ctx, `INSERT INTO interests (opportunity_id, `+item.column+`, quantity, unit_amount, reserve) VALUES (?, ?, ?, ?, 0)`, opportunity, item.key, d.Quantity, unit)
	}
	if err != nil || details == nil {
		return id, err
	}
	return id, s.addLearners(ctx, tx, id, d.Quantity, details)
}

func (s *Store) shouldReserve(ctx context.Context, tx *sql.Tx, opportunity int64, item itemOfInterest, d *InterestDetails) (bool, error) {
	event, ok := item.key.(int64)
	if item.column == "event_id" && ok {
		if err := s.checkReservationNotExpired(ctx, tx, opportunity); err != nil {
			return false, err
		}
		return s.canReserve(ctx, tx, event, d.Quantity)
	}
	if s.choices.Is(assumptions.ReserveKind, "ignored") {
		return false, nil
	}
	return false, newRefusal(LabelDetails, d.ID, "reserve: places can be reserved only on an event, but %s is a %s", d.ID, item.name)
}

func (s *Store) checkReservationNotExpired(ctx context.Context, tx *sql.Tx, opportunity int64) error {
	if !s.choices.Is(assumptions.ReserveExpired, "refused") {
		return nil
	}
	var lapsed bool
	err := tx.QueryRowContext(ctx, `SELECT coalesce(reservations_valid_until <= ?, FALSE) FROM opportunities WHERE id = ?`, s.now().UnixMicro(), opportunity).Scan(&lapsed)
	if err == nil && lapsed {
		err = newRefusal(LabelInvalidValue, "", "reserve: the reservations of the opportunity have expired")
	}
	return err
}

type itemOfInterest struct {
	name   string
	column string // the column of the table interests that stores the key
	key    any
}

// sellableItem refuses an item that does not exist or is not published.
func (s *Store) sellableItem(ctx context.Context, q queryer, id string) (itemOfInterest, error) {
	parsed, err := globalid.Parse(id)
	if err != nil {
		return itemOfInterest{}, newRefusal(LabelInvalidID, id, "interestDetails.id: %v", err)
	}
	var item itemOfInterest
	var query string
	switch parsed.Type {
	case globalid.CourseTemplate:
		item, query = itemOfInterest{name: "Course Template", column: "course_template_id"}, `SELECT lifecycle_state FROM course_templates WHERE id = ?`
	case globalid.Event:
		item, query = itemOfInterest{name: "Event", column: "event_id"}, `SELECT lifecycle_state FROM events WHERE id = ?`
	case globalid.LearningPath:
		item, query = itemOfInterest{name: "Learning Path", column: "learning_path_id"}, `SELECT lifecycle_state FROM learning_paths WHERE id = ?`
	case globalid.TrainingTokenType:
		item, query = itemOfInterest{name: "Training Token Type", column: "training_token_type_id"}, `SELECT '`+published+`' FROM training_token_types WHERE id = ?`
	default:
		return item, newRefusal(LabelInvalidID, id, "interestDetails.id: %s is of type %s, not a course template, event, learning path or training token type", id, parsed.Type)
	}
	if item.key = parsed.Key; parsed.Type != globalid.TrainingTokenType {
		if item.key, err = intKey("interestDetails.id", id, parsed.Type); err != nil {
			return item, err
		}
	}
	var state string
	err = q.QueryRowContext(ctx, query, item.key).Scan(&state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return item, notFound(item.name, id)
	case err != nil:
		return item, err
	case state != published && (parsed.Type == globalid.CourseTemplate || !s.choices.Is(assumptions.InterestPublished, "courses")):
		return item, newRefusal(LabelNotPublished, id, "%s %s is %s, but only a published item can be the item of an interest", item.name, id, state)
	}
	return item, nil
}

// learnerDetails returns the learners of a new interest, or nil if the input names no learners.
func (s *Store) learnerDetails(item itemOfInterest, d *InterestDetails) (*LearnerDetails, error) {
	given := []struct {
		name, column string
		there        bool
		learners     *LearnerDetails
	}{
		{"courseDetails", "course_template_id", d.CourseDetails != nil, d.CourseDetails},
		{"eventDetails", "event_id", d.EventDetails != nil, d.EventDetails},
		{"learningPathDetails", "learning_path_id", d.LearningPathDetails != nil, d.LearningPathDetails},
		{"trainingTokenDetails", "training_token_type_id", d.TrainingTokenDetails != nil, nil},
	}
	var details *LearnerDetails
	for _, g := range given {
		if !g.there {
			continue
		}
		if g.column != item.column {
			if s.choices.Is(assumptions.InterestDetailsKind, "ignored") {
				continue
			}
			return nil, newRefusal(LabelDetails, d.ID, "the details %s are not allowed for the %s %s", g.name, item.name, d.ID)
		}
		details = g.learners
	}
	return details, nil
}

func (s *Store) addLearners(ctx context.Context, tx *sql.Tx, interest int64, quantity int, d *LearnerDetails) error {
	if len(d.ExistingLearners) > 0 && s.choices.Is(assumptions.InterestExisting, "empty") {
		return newRefusal(LabelInvalidValue, "", "existingLearners must be empty")
	}
	if n := len(d.ExistingLearners) + len(d.NewLearners); n > quantity && !s.choices.Is(assumptions.InterestLearners, "any") {
		return newRefusal(LabelInvalidValue, strconv.Itoa(n), "%d learners are named, but the quantity of the interest is %d", n, quantity)
	}
	insert := func(contact any, first, last string, email *string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO interest_learners (interest_id, contact_id, first_name, last_name, email_address)
			VALUES (?, ?, ?, ?, ?)`, interest, contact, first, last, email)
		return err
	}
	for i, id := range d.ExistingLearners {
		if id == nil {
			return newRefusal(LabelInvalidID, "", "existingLearners[%d] is null", i)
		}
		n, err := intKey("existingLearners["+strconv.Itoa(i)+"]", *id, globalid.Contact)
		if err != nil {
			return err
		}
		c, err := contacts.byKey(ctx, tx, n)
		if err != nil {
			return err
		}
		if c == nil {
			return notFound("Contact", *id)
		}
		if err := insert(c.ID, c.FirstName, c.LastName, c.EmailAddress); err != nil {
			return err
		}
	}
	for i, l := range d.NewLearners {
		if strings.TrimSpace(l.FirstName) == "" || strings.TrimSpace(l.LastName) == "" {
			return newRefusal(LabelInvalidValue, "", "newLearners[%d]: firstName and lastName must not be empty", i)
		}
		email := l.Email
		if email != nil && *email == "" {
			email = nil
		}
		if email != nil {
			if err := checkEmail("newLearners["+strconv.Itoa(i)+"]", *email); err != nil {
				return err
			}
		}
		if err := insert(nil, l.FirstName, l.LastName, email); err != nil {
			return err
		}
	}
	return nil
}

func checkEmail(field, address string) error {
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
		return newRefusal(LabelInvalidValue, address, "%s: email %q is not an e-mail address", field, address)
	}
	return nil
}

func fromCents(n int64) decimal.Decimal { return decimal.New(n, -2) }

// toCents checks a unit amount and returns the amount in hundredths.
func (s *Store) toCents(d decimal.Decimal) (int64, error) {
	// toCents checks the size of the amount first, because Shift and String would write all digits
	// of a huge exponent.
	if d.IsNegative() && !s.choices.Is(assumptions.InterestAmount, "any") || d.Abs().GreaterThan(decimal.NewFromInt(maxAmount)) {
		return 0, newRefusal(LabelInvalidValue, d.String(), "unitAmount is %s, but must be between 0 and %d", d, int64(maxAmount))
	}
	cents := d.Shift(2)
	if !cents.IsInteger() {
		return 0, newRefusal(LabelInvalidValue, d.String(), "unitAmount is %s, but must not have more than two decimal places", d)
	}
	return cents.IntPart(), nil
}
