// Package readyfile contains the protocol by which a program reports to its parent process that the
// program is ready. When a program is ready, the program writes a Report to the file that
// --ready-file names. The module of Oppflow and the module devserver contain the same source of
// this package, because neither module imports the other module.
package readyfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/moby/sys/atomicwriter"
)

// Report is the content of a ready file, as one JSON object. A program sets the fields of Report
// for the services that the program offers.
type Report struct {
	// Temporal is the address of the Temporal server, host:port. UI is the URL of the Web UI of the
	// Temporal server.
	Temporal  string `json:"temporal,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	UI        string `json:"ui,omitempty"`
	// URL is the GraphQL endpoint of the sandbox. Token is the Bearer token that the sandbox
	// accepts.
	URL   string `json:"url,omitempty"`
	Token string `json:"token,omitempty"`
	// TokenURL is the token endpoint of the sandbox. ClientID, ClientSecret and RefreshToken are the
	// credentials that the token endpoint accepts.
	TokenURL     string `json:"tokenUrl,omitempty"`
	ClientID     string `json:"clientId,omitempty"`
	ClientSecret string `json:"clientSecret,omitempty"`
	RefreshToken string `json:"refreshToken,omitempty"`
}

// Write writes the report to the file in one step, so that a reader never reads an incomplete
// report. Only the user of the program may read the file, because a report may contain secrets.
// Without a path Write does nothing.
func Write(path string, report Report) error {
	if path == "" {
		return nil
	}
	content, err := json.Marshal(report)
	if err == nil {
		err = atomicwriter.WriteFile(path, append(content, '\n'), 0o600)
	}
	if file := new(os.PathError); errors.As(err, &file) {
		err = file.Err // without the path of the temporary file
	}
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, err)
	}
	return nil
}

// Read returns the report of a program from its ready file. The error of Read is os.ErrNotExist
// while the program is not ready.
func Read(path string) (report Report, err error) {
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &report)
	}
	return report, err
}

// Remove removes the ready file of an earlier run of the program, if the file exists. Without a
// path Remove does nothing.
func Remove(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("ready file: %w", err)
	}
	return nil
}
