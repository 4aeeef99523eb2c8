package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

const retention = 30 * 24 * time.Hour

func newPersistence(o options) (config.Persistence, error) {
	if o.postgres != "" {
		stores, err := postgresStores(o.postgres)
		return config.Persistence{
			DefaultStore: "temporal", VisibilityStore: "temporal_visibility", NumHistoryShards: postgresShards, DataStores: stores,
		}, err
	}
	database, err := newDatabase(o)
	return config.Persistence{
		DefaultStore: sqliteplugin.PluginName, VisibilityStore: sqliteplugin.PluginName, NumHistoryShards: 1,
		DataStores: map[string]config.DataStore{sqliteplugin.PluginName: {SQL: database}},
	}, err
}

// newDatabase creates the SQLite database with its schema and the namespace, if the database does
// not exist yet.
func newDatabase(o options) (*config.SQL, error) {
	database := memoryDatabase()
	if o.db != "" {
		database = fileDatabase(o.db)
		if err := createFile(o.db); err != nil {
			return nil, fmt.Errorf("--db %s: %w", o.db, err)
		}
		if err := protectFiles(o.db); err != nil {
			return nil, fmt.Errorf("--db %s: %w", o.db, err)
		}
	}
	namespace, err := sqlite.NewNamespaceConfig(clusterName, o.namespace, false, nil)
	if err != nil {
		return nil, err
	}
	namespace.Detail.Config.Retention = durationpb.New(retention)
	if err := sqlite.CreateNamespaces(database, namespace); err != nil {
		if o.db != "" {
			return nil, fmt.Errorf("--db %s: this file cannot be used as a Temporal database: %w", o.db, err)
		}
		return nil, err
	}
	return database, nil
}

func memoryDatabase() *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: "temporal",
		// All connections of the process share one database in memory. SQLite deletes the database
		// when the last connection closes.
		ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
	}
}

func fileDatabase(path string) *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: escapePath(path),
		ConnectAttributes: map[string]string{
			"mode": "rw",
			// With a write-ahead log, a committed transaction is not lost if the process is killed.
			"journal_mode": "wal",
			"synchronous":  "normal",
			"busy_timeout": "10000",
		},
	}
}

func escapePath(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// createFile creates a new database at path if the file is missing or empty. createFile creates all
// tables in a file with the suffix .new, and then renames that file to path. If the process is
// killed during createFile, no incomplete database exists at path.
func createFile(path string) error {
	switch empty, err := isEmpty(path); {
	case err != nil:
		return err
	case !empty:
		return nil
	}
	part := path + ".new"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, databaseMode)
	if err != nil {
		return fmt.Errorf("the file cannot be created: %w", err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	// SetupSchema opens a connection that stays open until the process ends. With the journal mode
	// wal, this unused connection would keep additional files open under the name before the
	// rename.
	err = sqlite.SetupSchema(&config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      escapePath(part),
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "delete"},
	})
	if err != nil {
		return fmt.Errorf("the file cannot be created: %w", err)
	}
	return os.Rename(part, path)
}

// databaseMode lets only the owner of the database read the database, because the histories in the
// database may contain personal data. SQLite gives the files of the write-ahead log the same mode.
const databaseMode = 0o600

// protectFiles sets databaseMode for all files of an existing database.
func protectFiles(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(path+suffix, databaseMode); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// isEmpty reports whether the file is missing or empty. isEmpty returns an error if the file has
// content but is not a SQLite database.
func isEmpty(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	header := make([]byte, 16)
	switch n, err := io.ReadFull(file, header); {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	case !bytes.Equal(header[:n], []byte("SQLite format 3\x00")):
		return false, errors.New("the file is not a SQLite database; give the path of another file")
	}
	return false, nil
}

// lockDatabase locks the database file, so that no other server uses the file while this server
// runs. Two servers that use the same file would corrupt the history shards in the file.
func (o *options) lockDatabase() (release func(), err error) {
	if o.db == "" {
		return func() {}, nil
	}
	release, err = lockFile(o.db + ".lock")
	switch {
	case errors.Is(err, errLocked):
		return nil, fmt.Errorf("--db %s: another server uses this file; stop the other server, or give the path of another file", o.db)
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("--db %s: the directory of this file does not exist; create the directory first", o.db)
	case err != nil:
		return nil, fmt.Errorf("--db %s: %w", o.db, err)
	}
	return release, nil
}

var errLocked = errors.New("the file is locked by another process")
