package chaos

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the driver of the sandbox's tables

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// mode is the value of SQLite's URI parameter mode, such as "ro".
func openTables(path string, mode string) (*sql.DB, error) {
	query := url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)"}}
	return sql.Open("sqlite", "file://"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+query.Encode())
}

const recordsQuery = `SELECT o.id, o.name, o.account_id, o.currency_code, s.name, g.state, o.reservations_valid_until, coalesce(a.value, '')
	FROM opportunities o JOIN steps s ON s.id = o.step_id JOIN stages g ON g.id = s.stage_id
	LEFT JOIN opportunity_attributes a ON a.opportunity_id = o.id AND a.definition_key = ? ORDER BY o.id`

const interestsQuery = `SELECT i.id, i.opportunity_id, i.course_template_id, i.event_id, i.learning_path_id, i.training_token_type_id,
	i.quantity, i.unit_amount, i.reserve, (SELECT count(*) FROM interest_learners l WHERE l.interest_id = i.id) FROM interests i ORDER BY i.id`

func readRecords(ctx context.Context, path, mark string) (list []audit.Record, err error) {
	db, err := openTables(path, "ro")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// Both queries run in one transaction, so both results show the same state of the tables.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("the sandbox's tables could not be read: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	records, places, err := readOpportunities(ctx, tx, mark)
	if err != nil {
		return nil, fmt.Errorf("the sandbox's tables could not be read: %w", err)
	}
	if err := readInterests(ctx, tx, records, places); err != nil {
		return nil, fmt.Errorf("the sandbox's tables could not be read: %w", err)
	}
	return records, nil
}

// readOpportunities returns the records without their interests, and the index of each record by
// its key.
func readOpportunities(ctx context.Context, tx *sql.Tx, mark string) ([]audit.Record, map[int64]int, error) {
	rows, err := tx.QueryContext(ctx, recordsQuery, mark)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }() // Err below returns the error that Close would return
	var records []audit.Record
	places := map[int64]int{}
	for rows.Next() {
		var r audit.Record
		var id int64
		var account, until *int64
		if err := rows.Scan(&id, &r.Name, &account, &r.Currency, &r.Step, &r.State, &until, &r.ReferenceTag); err != nil {
			return nil, nil, err
		}
		r.ID = opportunity.ID(globalid.EncodeInt(globalid.Opportunity, id))
		if account != nil {
			r.Account = opportunity.ID(globalid.EncodeInt(globalid.Account, *account))
		}
		if until != nil {
			at := time.UnixMicro(*until).UTC()
			r.ReservedUntil = &at
		}
		places[id] = len(records)
		records = append(records, r)
	}
	return records, places, rows.Err()
}

func readInterests(ctx context.Context, tx *sql.Tx, records []audit.Record, places map[int64]int) error {
	rows, err := tx.QueryContext(ctx, interestsQuery)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below returns the error that Close would return
	for rows.Next() {
		var i audit.Interest
		var on int64
		var course, event, path *int64
		var token *string
		if err := rows.Scan(&i.Key, &on, &course, &event, &path, &token, &i.Quantity, &i.UnitAmount, &i.Reserve, &i.Learners); err != nil {
			return err
		}
		i.ID = opportunity.ID(globalid.EncodeInt(globalid.OpportunityInterest, i.Key))
		switch {
		case course != nil:
			i.Item = opportunity.ID(globalid.EncodeInt(globalid.CourseTemplate, *course))
		case event != nil:
			i.Item = opportunity.ID(globalid.EncodeInt(globalid.Event, *event))
		case path != nil:
			i.Item = opportunity.ID(globalid.EncodeInt(globalid.LearningPath, *path))
		case token != nil:
			i.Item = opportunity.ID(globalid.Encode(globalid.TrainingTokenType, *token))
		}
		if at, ok := places[on]; ok {
			records[at].Interests = append(records[at].Interests, i)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	byKey := map[int64]*audit.Interest{}
	for r := range records {
		for i := range records[r].Interests {
			byKey[records[r].Interests[i].Key] = &records[r].Interests[i]
		}
	}
	return readPeople(ctx, tx, byKey)
}

// If several lines have the same request number, only the last of these lines counts.
func readRequestLog(path string) ([]requestlog.Entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	byNumber := map[int64]requestlog.Entry{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var entry requestlog.Entry
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Number > 0 {
			byNumber[entry.Number] = entry
		}
	}
	var entries []requestlog.Entry
	for _, entry := range byNumber {
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(x, y requestlog.Entry) int { return int(x.Number - y.Number) })
	return entries, lines.Err()
}
