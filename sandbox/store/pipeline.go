package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/catalogue"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Progress is the input of ProgressOpportunity.
type Progress struct {
	OpportunityID string
	StepID        string
}

type failingTriggerKey struct{}

// WithFailingTrigger returns a context in which triggers of the given kind fail. With the kind "",
// every trigger fails.
func WithFailingTrigger(ctx context.Context, kind string) context.Context {
	return context.WithValue(ctx, failingTriggerKey{}, kind)
}

// ProgressOpportunity takes an opportunity over a transition and runs the triggers of the
// transition. If a trigger fails, ProgressOpportunity changes nothing.
func (s *Store) ProgressOpportunity(ctx context.Context, in Progress) (*Opportunity, error) {
	return s.changeOpportunity(ctx, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		o, err := opportunityByID(ctx, tx, "opportunityId", in.OpportunityID)
		if err != nil {
			return 0, err
		}
		to, err := s.transition(ctx, tx, o, in.StepID)
		if err != nil {
			return 0, err
		}
		if err := s.checkRequired(ctx, tx, o, to); err != nil {
			return 0, err
		}
		kinds, err := queryTexts(ctx, tx, `SELECT kind FROM transition_triggers WHERE from_step_id = ? AND to_step_id = ?`, o.Step.ID, to)
		if err != nil {
			return 0, err
		}
		for _, kind := range catalogue.Triggers() {
			if !slices.Contains(kinds, kind) {
				continue
			}
			if err := s.trigger(ctx, tx, o.ID, kind); err != nil && !isMutant("a transition ignores a failed trigger") {
				return 0, err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE opportunities SET step_id = ? WHERE id = ?`, to, o.ID); err != nil {
			return 0, err
		}
		return o.ID, s.setUpdatedAt(ctx, tx, o.ID)
	})
}

// transition returns the key of the target step. transition refuses a target step to which no
// transition leads from the current step.
func (s *Store) transition(ctx context.Context, tx *sql.Tx, o *Opportunity, id string) (int64, error) {
	to, err := intKey("stepId", id, globalid.OpportunityStep)
	if err != nil {
		return 0, err
	}
	step, err := steps.byKey(ctx, tx, to)
	if err != nil {
		return 0, err
	}
	if step == nil {
		if s.choices.Is(assumptions.ProgressUnknown, "transition") {
			return 0, transitionNotFound(o.Step.ID, to)
		}
		return 0, notFound("Step", id)
	}
	if o.Step.Stage.State != "Open" && s.choices.Is(assumptions.ClosedOpportunity, "refused") {
		return 0, closedRefusal(o)
	}
	var allowed bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM transitions WHERE from_step_id = ? AND to_step_id = ?)`, o.Step.ID, to).Scan(&allowed)
	if err == nil && !allowed {
		err = transitionNotFound(o.Step.ID, to)
	}
	return to, err
}

func closedRefusal(o *Opportunity) error {
	return newRefusal(LabelClosed, o.GlobalID(), "Opportunity %s is %s, but only an open opportunity accepts transitions and interests", o.GlobalID(), o.Step.Stage.State)
}

// checkRequired refuses a transition if a required value is empty (documented: the TMS blocks the
// transition and shows the missing fields).
func (s *Store) checkRequired(ctx context.Context, tx *sql.Tx, o *Opportunity, to int64) error {
	required, err := queryTexts(ctx, tx, `SELECT attribute FROM transition_requirements WHERE from_step_id = ? AND to_step_id = ? ORDER BY attribute`, o.Step.ID, to)
	if err != nil {
		return err
	}
	var missing []string
	for _, attribute := range required {
		there, err := hasRequired(ctx, tx, o.ID, attribute)
		if err != nil {
			return err
		}
		if !there {
			missing = append(missing, attribute)
		}
	}
	if len(missing) == 0 || isMutant("a transition ignores missing attributes") {
		return nil
	}
	if s.choices.Is(assumptions.MissingAttributes, "first") {
		missing = missing[:1]
	}
	return newRefusal(LabelRequired, strings.Join(missing, ", "), "Required attributes are empty: %s", strings.Join(missing, ", "))
}

// The argument attribute is account, contact, owner or interests; any other text is the key of an
// attribute.
func hasRequired(ctx context.Context, q queryer, opportunity int64, attribute string) (bool, error) {
	query := map[string]string{
		"account":   `SELECT account_id IS NOT NULL FROM opportunities WHERE id = ?`,
		"contact":   `SELECT contact_id IS NOT NULL FROM opportunities WHERE id = ?`,
		"owner":     `SELECT owner_id IS NOT NULL FROM opportunities WHERE id = ?`,
		"interests": `SELECT EXISTS (SELECT 1 FROM interests WHERE opportunity_id = ?)`,
	}[attribute]
	args := []any{opportunity}
	if query == "" {
		query = `SELECT EXISTS (SELECT 1 FROM opportunity_attributes WHERE opportunity_id = ? AND definition_key = ? AND trim(value) <> '')`
		args = append(args, attribute)
	}
	var there bool
	err := q.QueryRowContext(ctx, query, args...).Scan(&there)
	return there, err
}

// trigger reads the opportunity again from the database, because the previous trigger may have
// changed the opportunity.
func (s *Store) trigger(ctx context.Context, tx *sql.Tx, opportunity int64, kind string) error {
	if failing, ok := ctx.Value(failingTriggerKey{}).(string); ok && (failing == "" || failing == kind) {
		return newRefusal(LabelTrigger, kind, "Trigger %s failed: a fault of the sandbox caused this failure", kind)
	}
	o, err := opportunities.byKey(ctx, tx, opportunity)
	if err != nil {
		return err
	}
	switch kind {
	case "account":
		err = s.createAccountFrom(ctx, tx, o)
	case "contact":
		err = s.createContactsFrom(ctx, tx, o)
	case "registration":
		err = s.registerInterests(ctx, tx, o)
	case "token":
		err = s.issueTokens(ctx, tx, o)
	default:
		err = s.draftInvoice(ctx, tx, o)
	}
	var refused *RefusalError
	if errors.As(err, &refused) {
		refused.Label, refused.Message = LabelTrigger, fmt.Sprintf("Trigger %s failed: %s", kind, refused.Message)
	}
	return err
}

func (s *Store) createAccountFrom(ctx context.Context, tx *sql.Tx, o *Opportunity) error {
	if o.Account != nil {
		return nil
	}
	if s.choices.Is(assumptions.TriggerAccount, "reused") {
		var id int64
		err := tx.QueryRowContext(ctx, `SELECT id FROM accounts WHERE name = ? ORDER BY id LIMIT 1`, o.Name).Scan(&id)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE opportunities SET account_id = ? WHERE id = ?`, id, o.ID)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	made, err := tx.ExecContext(ctx, `INSERT INTO accounts (name, created_at, updated_at) VALUES (?1, ?2, ?2)`, o.Name, s.now().UnixMicro())
	if err != nil {
		return err
	}
	id, err := made.LastInsertId()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE opportunities SET account_id = ? WHERE id = ?`, id, o.ID)
	return err
}

// If the opportunity has no contact, the contact of the first learner becomes the contact of the
// opportunity.
func (s *Store) createContactsFrom(ctx context.Context, tx *sql.Tx, o *Opportunity) error {
	var account any
	if o.Account != nil {
		account = o.Account.ID
	}
	found, err := newLearners(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	for _, n := range found {
		id, err := s.contactOf(ctx, tx, n, account)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE interest_learners SET contact_id = ? WHERE id = ?`, id, n.id); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE opportunities SET contact_id = (SELECT n.contact_id FROM interest_learners n
		JOIN interests i ON i.id = n.interest_id WHERE i.opportunity_id = ?1 AND n.contact_id IS NOT NULL ORDER BY n.id LIMIT 1)
		WHERE id = ?1 AND contact_id IS NULL`, o.ID)
	return err
}

type unknownLearner struct {
	id          int64
	first, last string
	email       *string
}

func newLearners(ctx context.Context, q queryer, opportunity int64) ([]unknownLearner, error) {
	rows, err := q.QueryContext(ctx, `SELECT n.id, n.first_name, n.last_name, n.email_address FROM interest_learners n
		JOIN interests i ON i.id = n.interest_id WHERE i.opportunity_id = ? AND n.contact_id IS NULL ORDER BY n.id`, opportunity)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []unknownLearner
	for rows.Next() {
		var n unknownLearner
		if err := rows.Scan(&n.id, &n.first, &n.last, &n.email); err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	return found, rows.Err()
}

// contactOf returns the contact with the learner's e-mail address within the account, or creates a
// contact for the learner.
func (s *Store) contactOf(ctx context.Context, tx *sql.Tx, n unknownLearner, account any) (int64, error) {
	if n.email != nil && !s.choices.Is(assumptions.TriggerContact, "made") {
		var id int64
		err := tx.QueryRowContext(ctx, `SELECT id FROM contacts WHERE email_address = ? AND account_id IS ? ORDER BY id LIMIT 1`, *n.email, account).Scan(&id)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return id, err
		}
	}
	made, err := tx.ExecContext(ctx, `INSERT INTO contacts (account_id, first_name, last_name, email_address, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)`,
		account, n.first, n.last, n.email, s.now().UnixMicro())
	if err != nil {
		return 0, err
	}
	return made.LastInsertId()
}

// For each interest in training tokens, issueTokens issues the tokens once.
func (s *Store) issueTokens(ctx context.Context, tx *sql.Tx, o *Opportunity) error {
	var wanted bool
	const open = `FROM interests i WHERE i.opportunity_id = ? AND i.training_token_type_id IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM token_issues k WHERE k.interest_id = i.id)`
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 `+open+`)`, o.ID).Scan(&wanted); err != nil || !wanted {
		return err
	}
	if o.Account == nil && s.choices.Is(assumptions.TriggerToken, "skipped") {
		return nil
	}
	if o.Account == nil {
		return newRefusal(LabelTrigger, "", "training tokens are issued to an account, but the opportunity has no account")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO token_issues (opportunity_id, interest_id, account_id, training_token_type_id, quantity, expires_at)
		SELECT i.opportunity_id, i.id, ?, i.training_token_type_id, i.quantity, i.expires_at `+open+` ORDER BY i.id`, o.Account.ID, o.ID)
	return err
}

func queryTexts(ctx context.Context, q queryer, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		found = append(found, text)
	}
	return found, rows.Err()
}
