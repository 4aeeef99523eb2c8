package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ready is what the ready file says.
type ready struct {
	Temporal string `json:"temporal"`     // host:port
	UI       string `json:"ui,omitempty"` // URL; none with --headless
}

// writeReady puts the file in its place in one step, so that who finds it finds all of it.
func writeReady(path string, r ready) error {
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

// removeReady removes what this or an earlier run left. No path is no file.
func removeReady(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}
