// Command schema writes the JSON Schemas of the contract with callers: one file
// for every payload and every answer, for those who write to Oppflow in another
// language or check what they send.
//
// The schemas follow the Go types, their comments and constants, and add what
// Validate demands as far as JSON Schema can say it. A schema never refuses what
// Oppflow takes, but for the cases the package's tests list; and Oppflow refuses
// more than a schema can, also listed there. Nothing else reads this package.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

// From the directory of this package, where go generate runs.
const (
	checkout  = "../.."
	directory = checkout + "/docs/schemas"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func write() error {
	files, err := schemas(checkout)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
