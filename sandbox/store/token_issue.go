package store

import "context"

// TokenIssue is a number of training tokens that were issued to an account together.
type TokenIssue struct {
	TokenType TrainingTokenType
	Quantity  int
	// ExpiresAt is a local time without a time zone.
	ExpiresAt *string
}

// TokenIssues returns the training tokens that were issued for an opportunity, in the order of
// issue.
func (s *Store) TokenIssues(ctx context.Context, opportunity int64) ([]*TokenIssue, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT k.id, k.code, k.name, n.quantity, n.expires_at FROM token_issues n
		JOIN training_token_types k ON k.id = n.training_token_type_id WHERE n.opportunity_id = ? ORDER BY n.id`, opportunity)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	issues := []*TokenIssue{}
	for rows.Next() {
		var n TokenIssue
		if err := rows.Scan(&n.TokenType.ID, &n.TokenType.Code, &n.TokenType.Name, &n.Quantity, &n.ExpiresAt); err != nil {
			return nil, err
		}
		issues = append(issues, &n)
	}
	return issues, rows.Err()
}

// ContactOfOpportunity returns the contact of an opportunity, or nil if the opportunity has no
// contact.
func (s *Store) ContactOfOpportunity(ctx context.Context, opportunity int64) (*Contact, error) {
	return contacts.first(ctx, s.read, " WHERE p.id = (SELECT o.contact_id FROM opportunities o WHERE o.id = ?)", opportunity)
}
