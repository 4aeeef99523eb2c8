// Package importrules proves that the import rules of the linter's configuration catch the imports that they
// forbid. It holds tests only. They lay out a module in which every room imports every other room. They run the
// linter on the module with the project's own .golangci.yml, and compare the refused imports with the import table.
// The tests have no rules of their own beyond the configuration.
package importrules
