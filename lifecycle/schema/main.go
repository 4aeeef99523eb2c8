// Command schema writes the JSON Schemas of the contract with callers: one file for every payload
// and every response. They are for callers that send messages to Oppflow in another language or
// check their messages.
//
// The schemas follow the Go types, their comments and constants. They add the rules of Validate
// that JSON Schema can express. A schema never rejects what Oppflow accepts, except for the cases
// that the package's tests list. Oppflow rejects more than a schema can; the tests list these
// cases, too. Nothing else imports this package.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

// The paths from the directory of this package, where go generate runs.
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
	source, err := readSource(checkout)
	if err != nil {
		return err
	}
	types, err := typeScript(source)
	if err != nil {
		return err
	}
	return os.WriteFile(typeScriptFile, types, 0o644)
}
