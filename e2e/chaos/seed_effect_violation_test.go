package chaos

import (
	"context"
	"slices"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
)

// cancelLearner cancels a learner of a won record whose effects have ended. The auditor must have
// compared the learner, so cancelLearner asks the auditor which learners the auditor misses.
func (b evidenceCopy) cancelLearner(ctx context.Context) (opportunity.Reference, error) {
	for n, registration := range b.evidence.Bookings.Registrations {
		without := *b.evidence
		without.Bookings.Registrations = slices.Delete(slices.Clone(b.evidence.Bookings.Registrations), n, n+1)
		for _, v := range audit.Audit(without, b.tolerances) {
			if v.Kind != audit.EffectMissing {
				continue
			}
			_, err := b.tables.ExecContext(ctx, `UPDATE learners SET cancelled = 1 WHERE event_id = ? AND contact_id = ?`, numericKey(registration.Event), numericKey(registration.Contact))
			return v.Reference, err
		}
	}
	return "", errNoTarget
}

func (b evidenceCopy) secondInvoice(ctx context.Context) (opportunity.Reference, error) {
	for _, invoice := range b.evidence.Bookings.Invoices {
		for _, r := range b.evidence.Records {
			if r.ID != invoice.Record {
				continue
			}
			_, err := b.tables.ExecContext(ctx, `INSERT INTO invoices (opportunity_id, account_id, region_id, currency_code, created_at)
				SELECT opportunity_id, account_id, region_id, currency_code, created_at FROM invoices WHERE opportunity_id = ? LIMIT 1`, numericKey(r.ID))
			return r.ReferenceTag, err
		}
	}
	return "", errNoTarget
}

// registerStranger registers a contact of the catalogue, whom no message names, on an event.
func (b evidenceCopy) registerStranger(ctx context.Context) error {
	made, err := b.tables.ExecContext(ctx, `INSERT INTO registrations (event_id, created_at) VALUES (1, 1)`)
	if err != nil {
		return err
	}
	id, err := made.LastInsertId()
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `INSERT INTO learners (registration_id, event_id, contact_id, updated_at) VALUES (?, 1, 1, 1)`, id)
	}
	return err
}
