// Package store keeps the data of the sandbox in SQLite.
//
// All writes use one connection, so writers in this process wait for each other and never get
// "database is locked". Each transaction acquires SQLite's write lock when the transaction begins.
// Readers see the last commit.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/oppflow/oppflow/sandbox/assumptions"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockWait is how long a connection waits if another process has locked the database file.
const lockWait = 30 * time.Second

// Store is the database of one sandbox. A Store is safe for concurrent use.
type Store struct {
	write *sql.DB
	read  *sql.DB
	// Without keepAlive, SQLite would delete a database in memory when another connection closes.
	keepAlive *sql.Conn
	// source is the data source name of a database in memory for the SQLite driver.
	source  string
	now     func() time.Time
	choices assumptions.Choices
}

// Open opens the database file at path and migrates its schema. If path is "", the database is in
// memory until Close. now is the clock that decides whether reservations and tokens have expired.
func Open(ctx context.Context, path string, now func() time.Time, choices assumptions.Choices) (*Store, error) {
	s := &Store{now: now, choices: choices}
	var err error
	if path == "" {
		if err = s.openMemory(ctx); err == nil {
			err = copyMigrated(ctx, s.source)
		}
	} else {
		if err = s.openFile(ctx, path); err == nil {
			err = s.migrate(ctx)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openFile(ctx context.Context, path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("data file %s: %w", path, err)
	}
	// Only the owner can read the new file, because the file contains the token and learners' names.
	created, err := os.OpenFile(absolute, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	if err := created.Close(); err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	file := "file://" + (&url.URL{Path: filepath.ToSlash(absolute)}).EscapedPath()
	pragmas := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()), "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)",
	}}
	writing := url.Values{"_pragma": pragmas["_pragma"], "_txlock": {"immediate"}}
	if s.write, err = sql.Open("sqlite", file+"?"+writing.Encode()); err != nil {
		return fmt.Errorf("data file %s: %w", path, err)
	}
	s.write.SetMaxOpenConns(1)
	if err := s.write.PingContext(ctx); err != nil {
		return fmt.Errorf("data file %s: %w", path, err)
	}
	reading := url.Values{"_pragma": append(pragmas["_pragma"], "query_only(1)")}
	if s.read, err = sql.Open("sqlite", file+"?"+reading.Encode()); err != nil {
		return fmt.Errorf("data file %s: %w", path, err)
	}
	s.read.SetMaxOpenConns(8)
	s.read.SetMaxIdleConns(8)
	return nil
}

// Reads and writes share one connection, because separate connections to a database in memory would
// wait for each other's locks.
func (s *Store) openMemory(ctx context.Context) error {
	name := make([]byte, 16)
	if _, err := rand.Read(name); err != nil {
		return fmt.Errorf("a name for the database in memory could not be generated: %w", err)
	}
	// busy_timeout makes SQLite wait for the lock of an abandoned connection that is still closing.
	query := url.Values{
		"vfs": {"memdb"}, "_txlock": {"immediate"},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()), "foreign_keys(1)"},
	}
	s.source = "file:/" + hex.EncodeToString(name) + "?" + query.Encode()
	db, err := sql.Open("sqlite", s.source)
	if err != nil {
		return fmt.Errorf("database in memory: %w", err)
	}
	s.write, s.read = db, db
	db.SetMaxOpenConns(2)
	if s.keepAlive, err = db.Conn(ctx); err != nil {
		return fmt.Errorf("database in memory: %w", err)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, files)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Close closes the database. Close deletes a database that is in memory.
func (s *Store) Close() error {
	var errs []error
	if s.keepAlive != nil {
		errs = append(errs, s.keepAlive.Close())
	}
	if s.read != nil && s.read != s.write {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the database responds.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// inTransaction runs f in a transaction that is committed if f returns nil. If ctx ends, a
// transaction that has begun continues to its end.
func (s *Store) inTransaction(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err = f(ctx, tx)
	if err == nil {
		err = writeCommitMarker(ctx, tx)
	}
	if err != nil {
		if undo := tx.Rollback(); undo != nil {
			return errors.Join(err, fmt.Errorf("roll back: %w", undo))
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Setting returns the value of a setting of the database, or "" if the setting was never set.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	return readSetting(ctx, s.read, name)
}

// SetSetting stores the value of a setting of the database.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	return s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error { return setSetting(ctx, tx, name, value) })
}

func readSetting(ctx context.Context, q queryer, name string) (string, error) {
	var value string
	err := q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func setSetting(ctx context.Context, tx *sql.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`, name, value)
	return err
}

func optionalTime(micro *int64) *time.Time {
	if micro == nil {
		return nil
	}
	t := time.UnixMicro(*micro).UTC()
	return &t
}

func nullIfZero[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
