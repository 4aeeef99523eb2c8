package store

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/sandbox/assumptions"
)

func tables(t *testing.T, s *Store) string {
	t.Helper()
	var made string
	if err := s.read.QueryRowContext(t.Context(), `SELECT group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), char(10))
		FROM (SELECT * FROM sqlite_master ORDER BY type, name)`).Scan(&made); err != nil {
		t.Fatal(err)
	}
	return made
}

// Databases in memory are copies of migratedDatabase. The copies have the same tables as a database
// in a file. A row in one database does not appear in another database, even if the other database
// is opened later.
func TestInMemoryDatabasesAreIndependent(t *testing.T) {
	opened := func(path string) *Store {
		s, err := Open(t.Context(), path, time.Now, assumptions.Choices{})
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	all := make([]*Store, 8)
	var opening sync.WaitGroup
	for i := range all {
		opening.Go(func() {
			if all[i] = opened(""); all[i] == nil {
				return
			}
			if err := all[i].SetSetting(t.Context(), "number", strings.Repeat("x", i)); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
	file, late := opened(filepath.Join(t.TempDir(), "data.db")), opened("")
	if t.Failed() {
		t.FailNow()
	}
	for i, s := range append(all, late) {
		if diff := cmp.Diff(tables(t, file), tables(t, s)); diff != "" {
			t.Errorf("database %d differs from one in a file (-file +memory):\n%s", i, diff)
		}
		number, err := s.Setting(t.Context(), "number")
		if want := strings.Repeat("x", i%len(all)); err != nil || number != want {
			t.Errorf("database %d has %q, want %q: %v", i, number, want, err)
		}
	}
}
