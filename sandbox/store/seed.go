package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/oppflow/oppflow/sandbox/catalogue"
)

// settingCatalogue is the name of the setting that says which catalogue Seed last wrote into the
// database: "default" or "file".
const settingCatalogue = "catalogue"

const settingCurrency = "currency"

// SeededFrom returns which catalogue Seed last wrote into the database: "default", "file", or ""
// for a new database.
func (s *Store) SeededFrom(ctx context.Context) (string, error) {
	return s.Setting(ctx, settingCatalogue)
}

// Seed writes the catalogue into the database. Seed adds or updates the entries of the catalogue in
// the database, and replaces all transitions. Seed does not overwrite an account that the API
// changed or merged. If UpdateEvent has changed an event, Seed does not overwrite the event's
// fields that EventUpdate contains. Entries that the catalogue no longer contains stay in the
// database, because opportunities may refer to these entries. Seed writes the catalogue's
// opportunities only into a new database.
func (s *Store) Seed(ctx context.Context, c *catalogue.Catalogue, from string) error {
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := readSetting(ctx, tx, settingCatalogue)
		if err != nil {
			return err
		}
		w := &seeder{tx: tx, now: s.now().UnixMicro(), statements: map[string]*sql.Stmt{}}
		w.catalogue(ctx, c)
		if before == "" {
			w.opportunities(ctx, c)
		}
		if w.err != nil {
			return w.err
		}
		if len(c.Currencies) > 0 {
			if err := setSetting(ctx, tx, settingCurrency, c.Currencies[0].Code); err != nil {
				return err
			}
		}
		return setSetting(ctx, tx, settingCatalogue, from)
	})
	if err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	return nil
}

// After its first error, seeder writes nothing more and keeps the error in err.
type seeder struct {
	tx         *sql.Tx
	now        int64
	err        error
	statements map[string]*sql.Stmt
}

func (w *seeder) exec(ctx context.Context, query string, args ...any) {
	if w.err != nil {
		return
	}
	statement := w.statements[query]
	if statement == nil {
		if statement, w.err = w.tx.PrepareContext(ctx, query); w.err != nil {
			return
		}
		w.statements[query] = statement
	}
	_, w.err = statement.ExecContext(ctx, args...)
}

func (w *seeder) catalogue(ctx context.Context, c *catalogue.Catalogue) {
	for _, r := range c.Currencies {
		w.exec(ctx, `INSERT INTO currencies (code, name, symbol) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, symbol = excluded.symbol`, r.Code, r.Name, r.Symbol)
	}
	for _, r := range c.Regions {
		w.exec(ctx, `INSERT INTO regions (id, name, currency_code) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, currency_code = excluded.currency_code`, r.ID, r.Name, r.Currency)
	}
	for _, r := range c.Stages {
		w.exec(ctx, `INSERT INTO stages (id, name, state) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, state = excluded.state`, r.ID, r.Name, r.State)
	}
	// In the table steps, the column entry contains the position of an entry step in the catalogue,
	// counted from 1. The value 0 means that the step is not an entry step.
	w.exec(ctx, `UPDATE steps SET entry = 0`)
	for i, r := range c.Steps {
		rank := 0
		if r.Entry {
			rank = i + 1
		}
		w.exec(ctx, `INSERT INTO steps (id, name, stage_id, entry) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, stage_id = excluded.stage_id, entry = excluded.entry`, r.ID, r.Name, r.Stage, rank)
	}
	w.exec(ctx, `DELETE FROM transitions`)
	for _, r := range c.Transitions {
		w.exec(ctx, `INSERT INTO transitions (from_step_id, to_step_id) VALUES (?, ?)`, r.From, r.To)
		for _, attribute := range r.Required {
			w.exec(ctx, `INSERT INTO transition_requirements (from_step_id, to_step_id, attribute) VALUES (?, ?, ?)`, r.From, r.To, attribute)
		}
		for _, kind := range r.Triggers {
			w.exec(ctx, `INSERT INTO transition_triggers (from_step_id, to_step_id, kind) VALUES (?, ?, ?)`, r.From, r.To, kind)
		}
	}
	for _, r := range c.Accounts {
		w.exec(ctx, `INSERT INTO accounts (id, name, email_address, is_individual, created_at, updated_at) SELECT ?1, ?2, ?3, ?4, ?5, ?5
			WHERE NOT EXISTS (SELECT 1 FROM merged_accounts WHERE id = ?1)
			ON CONFLICT DO UPDATE SET name = excluded.name, email_address = excluded.email_address, is_individual = excluded.is_individual
				WHERE NOT accounts.changed`, r.ID, r.Name, nullIfZero(r.Email), r.Individual, w.now)
	}
	for _, r := range c.Contacts {
		w.exec(ctx, `INSERT INTO contacts (id, account_id, first_name, last_name, email_address, is_instructor, is_staff, created_at, updated_at)
			VALUES (?1, coalesce((SELECT merged_to FROM merged_accounts WHERE id = ?2), ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?8)
			ON CONFLICT DO UPDATE SET account_id = excluded.account_id, first_name = excluded.first_name,
				last_name = excluded.last_name, email_address = excluded.email_address,
				is_instructor = excluded.is_instructor, is_staff = excluded.is_staff`,
			r.ID, nullIfZero(r.Account), r.FirstName, r.LastName, nullIfZero(r.Email), r.Instructor, r.Staff, w.now)
	}
	w.people(ctx, c)
	w.items(ctx, c)
}

func (w *seeder) people(ctx context.Context, c *catalogue.Catalogue) {
	for _, r := range c.Users {
		w.exec(ctx, `INSERT INTO users (id, first_name, last_name, contact_id) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET first_name = excluded.first_name, last_name = excluded.last_name, contact_id = excluded.contact_id`,
			r.ID, r.FirstName, r.LastName, nullIfZero(r.Contact))
	}
	for _, r := range c.Accounts {
		w.exec(ctx, `UPDATE accounts SET owner_id = ? WHERE id = ? AND NOT changed`, nullIfZero(r.Owner), r.ID)
	}
	for _, r := range c.SendingAddresses {
		w.exec(ctx, `INSERT INTO sending_addresses (id, name, address, verified) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, address = excluded.address, verified = excluded.verified`, r.ID, r.Name, r.Address, r.Verified)
	}
	for _, r := range c.CustomFields {
		w.exec(ctx, `INSERT INTO custom_field_definitions (id, type, label, kind) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET type = excluded.type, label = excluded.label, kind = excluded.kind`, r.ID, r.Type, r.Label, r.Kind)
	}
	for _, r := range c.Templates {
		w.exec(ctx, `INSERT INTO communication_templates (id, name, subject, body) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, subject = excluded.subject, body = excluded.body`, r.ID, r.Name, r.Subject, r.Body)
	}
}

func (w *seeder) items(ctx context.Context, c *catalogue.Catalogue) {
	for _, r := range c.CourseTemplates {
		w.exec(ctx, `INSERT INTO course_templates (id, code, title, lifecycle_state) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET code = excluded.code, title = excluded.title, lifecycle_state = excluded.lifecycle_state`,
			r.ID, r.Code, r.Title, r.State)
	}
	for _, r := range c.Events {
		w.event(ctx, r)
	}
	for _, r := range c.LearningPaths {
		w.exec(ctx, `INSERT INTO learning_paths (id, code, name, lifecycle_state) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET code = excluded.code, name = excluded.name, lifecycle_state = excluded.lifecycle_state`,
			r.ID, r.Code, r.Name, r.State)
	}
	for _, r := range c.TrainingTokenTypes {
		w.exec(ctx, `INSERT INTO training_token_types (id, code, name) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET code = excluded.code, name = excluded.name`, r.ID, nullIfZero(r.Code), r.Name)
	}
}

func (w *seeder) opportunities(ctx context.Context, c *catalogue.Catalogue) {
	for _, r := range c.Opportunities {
		w.exec(ctx, `INSERT INTO opportunities (id, name, region_id, account_id, currency_code, step_id, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, r.Name, r.Region, nullIfZero(r.Account), r.Currency, r.Step, w.now, w.now)
	}
}
