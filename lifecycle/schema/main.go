// Command schema writes the JSON Schemas of the contract with callers: one file for every payload
// and every response.
//
// The schemas follow the Go types, their comments and constants. The schemas add the rules of
// Validate that JSON Schema can express. A schema and Oppflow accept the same payloads, except for
// the payloads that the package's tests list.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

// These paths are relative to the directory of this package, in which go generate runs.
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
