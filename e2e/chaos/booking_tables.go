package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// readBookings reads the objects that effects create from the sandbox's tables. earlierNames are
// the names of contacts before people renamed the contacts.
func readBookings(ctx context.Context, path string, earlierNames map[opportunity.ID][]string) (b audit.Bookings, err error) {
	db, err := openTables(path, "ro")
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = errors.Join(
		eachRow(ctx, db, `SELECT id, first_name || ' ' || last_name, coalesce(email_address, '') FROM contacts ORDER BY id`, func(row *sql.Rows) error {
			var key int64
			var name, email string
			err := row.Scan(&key, &name, &email)
			id := opportunity.ID(globalid.EncodeInt(globalid.Contact, key))
			b.Contacts = append(b.Contacts, audit.Contact{ID: id, Names: append([]string{name}, earlierNames[id]...), Email: email})
			return err
		}),
		eachRow(ctx, db, `SELECT l.event_id, coalesce(l.contact_id, 0), b.created_at FROM learners l JOIN registrations b ON b.id = l.registration_id WHERE NOT l.cancelled ORDER BY l.id`, func(row *sql.Rows) error {
			var event, contact, at int64
			err := row.Scan(&event, &contact, &at)
			b.Registrations = append(b.Registrations, audit.Registration{
				Event: opportunity.ID(globalid.EncodeInt(globalid.Event, event)), Contact: opportunity.ID(globalid.EncodeInt(globalid.Contact, contact)), At: time.UnixMicro(at).UTC(),
			})
			return err
		}),
		eachRow(ctx, db, `SELECT opportunity_id, lifecycle_state = 'Void' FROM invoices ORDER BY id`, func(row *sql.Rows) error {
			var record int64
			var i audit.Invoice
			err := row.Scan(&record, &i.Void)
			i.Record = opportunity.ID(globalid.EncodeInt(globalid.Opportunity, record))
			b.Invoices = append(b.Invoices, i)
			return err
		}),
		eachRow(ctx, db, `SELECT subject, contact_id, sent_at FROM mails WHERE subject LIKE 'rich-%' ORDER BY id`, func(row *sql.Rows) error {
			var subject string
			var contact, at int64
			err := row.Scan(&subject, &contact, &at)
			rule, record, _ := strings.Cut(subject, " ")
			b.Mails = append(b.Mails, audit.Mail{
				Record: opportunity.ID(record), Rule: rule, Contact: opportunity.ID(globalid.EncodeInt(globalid.Contact, contact)), At: time.UnixMicro(at).UTC(),
			})
			return err
		}),
	)
	return b, err
}

func readPeople(ctx context.Context, tx *sql.Tx, interests map[int64]*audit.Interest) error {
	return eachRow(ctx, tx, `SELECT interest_id, first_name || ' ' || last_name, coalesce(email_address, '') FROM interest_learners ORDER BY id`, func(row *sql.Rows) error {
		var interest int64
		var person audit.Person
		err := row.Scan(&interest, &person.Name, &person.Email)
		if i := interests[interest]; i != nil {
			i.People = append(i.People, person)
		}
		return err
	})
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func eachRow(ctx context.Context, from queryer, query string, scan func(*sql.Rows) error) error {
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("the sandbox's tables could not be read: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below returns the error that Close would return
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("the sandbox's tables could not be read: %w", err)
		}
	}
	return rows.Err()
}
