// Package importrules tests that the import rules of the linter's configuration refuse every
// forbidden import. The package contains tests only. The tests write a module in which every room
// imports every other room, run the linter on the module with the project's own .golangci.yml, and
// compare the refused imports with the import table. The tests add no rules to the configuration.
package importrules
