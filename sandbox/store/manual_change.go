package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// InterestEdit contains the new values of an interest; a nil member does not change the interest.
type InterestEdit struct {
	Quantity   *int             `json:"quantity"`
	UnitAmount *decimal.Decimal `json:"unitAmount"`
}

// EditInterestManually edits an interest as a person does in the TMS. The API cannot edit
// interests.
func (s *Store) EditInterestManually(ctx context.Context, id string, edit InterestEdit) error {
	return s.changeInterestManually(ctx, id, func(ctx context.Context, tx *sql.Tx, i *Interest) error {
		var cents *int64
		if edit.UnitAmount != nil {
			n, err := s.toCents(*edit.UnitAmount)
			if err != nil {
				return err
			}
			cents = &n
		}
		if edit.Quantity != nil && (*edit.Quantity < 1 || *edit.Quantity > maxQuantity) {
			return newRefusal(LabelInvalidValue, strconv.Itoa(*edit.Quantity), "quantity is %d, but must be between 1 and %d", *edit.Quantity, maxQuantity)
		}
		_, err := tx.ExecContext(ctx, `UPDATE interests SET quantity = coalesce(?, quantity), unit_amount = coalesce(?, unit_amount) WHERE id = ?`,
			edit.Quantity, cents, i.ID)
		return err
	})
}

// RemoveInterestManually removes an interest and its learners as a person does in the TMS. The API
// cannot remove interests. RemoveInterestManually refuses an interest that is on an invoice, or for
// which the TMS has issued training tokens.
func (s *Store) RemoveInterestManually(ctx context.Context, id string) error {
	return s.changeInterestManually(ctx, id, func(ctx context.Context, tx *sql.Tx, i *Interest) error {
		var used bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM invoice_lines WHERE interest_id = ?1) OR EXISTS (SELECT 1 FROM token_issues WHERE interest_id = ?1)`, i.ID).Scan(&used)
		if err != nil {
			return err
		}
		if used {
			return newRefusal(LabelInvalidValue, id, "interest %s cannot be removed, because the interest is on an invoice, or because the TMS has issued the training tokens of the interest", id)
		}
		for _, query := range []string{`DELETE FROM interest_learners WHERE interest_id = ?`, `DELETE FROM interests WHERE id = ?`} {
			if _, err := tx.ExecContext(ctx, query, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) changeInterestManually(ctx context.Context, id string, change func(context.Context, *sql.Tx, *Interest) error) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		key, err := intKey("interest", id, globalid.OpportunityInterest)
		if err != nil {
			return err
		}
		i, err := interests.byKey(ctx, tx, key)
		if err != nil {
			return err
		}
		if i == nil {
			return notFound("Interest", id)
		}
		if err := change(ctx, tx, i); err != nil {
			return err
		}
		return s.setUpdatedAt(ctx, tx, i.OpportunityID)
	})
}

// RenameContactManually gives a contact another name as a person does in the TMS. The API cannot
// rename contacts.
func (s *Store) RenameContactManually(ctx context.Context, id, firstName, lastName string) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		c, err := contactByID(ctx, tx, "contact", id)
		if err != nil {
			return err
		}
		if strings.TrimSpace(firstName) == "" || strings.TrimSpace(lastName) == "" {
			return newRefusal(LabelInvalidValue, "", "firstName and lastName must not be empty")
		}
		_, err = tx.ExecContext(ctx, `UPDATE contacts SET first_name = ?, last_name = ?, updated_at = ? WHERE id = ?`, firstName, lastName, s.now().UnixMicro(), c.ID)
		return err
	})
}
