package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"modernc.org/sqlite"
)

// migratedDatabase returns a database in memory that has all migrations and no rows. A copy of the
// database's pages takes a hundredth of the time of the migrations.
var migratedDatabase = sync.OnceValues(func() (*sql.Conn, error) {
	ctx := context.Background()
	s := &Store{}
	err := s.openMemory(ctx)
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s.keepAlive, nil
})

func copyMigrated(ctx context.Context, source string) error {
	from, err := migratedDatabase()
	if err != nil {
		return err
	}
	// A connection of the SQLite driver allows only one call at a time, so the method Raw locks the
	// connection.
	err = from.Raw(func(connection any) error {
		copier, ok := connection.(interface {
			NewBackup(source string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("the database driver with the connection type %T cannot copy a database", connection)
		}
		backup, err := copier.NewBackup(source)
		if err != nil {
			return err
		}
		_, err = backup.Step(-1)
		return errors.Join(err, backup.Finish())
	})
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return ctx.Err()
}
