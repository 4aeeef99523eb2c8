package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// readyReport is the content of the ready file.
type readyReport struct {
	Temporal string `json:"temporal"`     // host:port
	UI       string `json:"ui,omitempty"` // URL; none with --headless
}

// writeReady writes the file in one step, so a reader always finds the whole file.
func writeReady(path string, r readyReport) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	_, err = part.Write(append(content, '\n'))
	err = errors.Join(err, part.Close())
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		_ = os.Remove(part.Name())
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

// removeReady removes the file of this or an earlier run. An empty path means no file.
func removeReady(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}
