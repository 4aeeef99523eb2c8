package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// restore makes a backup of Temporal's database, waits, deletes the database, and restores the
// database from the backup, as docs/restore.md says. No worker runs until the command `oppflow
// recover` has sent a message to every opportunity.
func (s *Experiment) restore(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // the end of the experiment must not cancel the restore
	server := s.parts.Server()
	database := filepath.Join(s.data, "temporal.db")
	kept := audit.Restore{Backup: time.Now().UTC()}
	if err := server.Stop(ctx); err != nil {
		s.reportProgress(err.Error()) // the server was killed instead of stopped, which is enough here
	}
	backup, unread := readFiles(database)
	made := time.Now().UTC()
	if err := errors.Join(unread, server.Start(ctx)); err != nil {
		return err
	}
	if err := sleep(ctx, s.options.HoldTime); err != nil {
		return err
	}
	for _, w := range s.workers {
		w.Kill()
	}
	server.Kill()
	kept.Restored = time.Now().UTC()
	if err := errors.Join(writeFiles(database, backup), server.Start(ctx)); err != nil {
		return err
	}
	s.mu.Lock()
	s.restores = append(s.restores, kept)
	s.mu.Unlock()
	if err := s.runCLI(ctx, "recover", "--backup", made.Format(time.RFC3339Nano)); err != nil {
		return err
	}
	if err := s.startWorkers(ctx); err != nil {
		return err
	}
	s.updateReport(func(r *Report) { r.Restores++ })
	return s.startMissing(ctx)
}

// readFiles reads a file and the files that SQLite stores beside the file.
func readFiles(path string) (map[string][]byte, error) {
	files, err := filepath.Glob(path + "*")
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	for _, file := range files {
		if content[file], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	if content[path] == nil {
		return nil, fmt.Errorf("the file %s does not exist", path)
	}
	return content, nil
}

func writeFiles(path string, content map[string][]byte) error {
	files, err := filepath.Glob(path + "*")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	for file, text := range content {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// startMissing starts again the opportunities that began after the backup.
func (s *Experiment) startMissing(ctx context.Context) error {
	for _, reference := range s.references() {
		_, err := s.temporal.DescribeWorkflow(ctx, lifecycle.WorkflowID(reference), "")
		if !isMissing(err) {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, 2*momentTimeout)
		err = s.disruptionSender().start(asking, Script{Reference: reference, Start: s.startOf(reference)})
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// skipAfterRestore sends skip for the question of an opportunity after a restore of Temporal's
// database. After a restore, a question can concern a lost message. The auditor treats a skipped
// request as a request that may have taken effect.
func (s *Experiment) skipAfterRestore(ctx context.Context, view opportunity.View) {
	s.mu.Lock()
	restored := len(s.restores) > 0
	s.mu.Unlock()
	if restored && view.Question != nil && view.Opportunity != "" {
		// If the signal fails, the next sample finds the question again and sends another skip.
		_ = s.client.Signal(ctx, view.Reference, opportunity.Skip{Request: view.Question.Request, Reason: "never mind"})
	}
}
