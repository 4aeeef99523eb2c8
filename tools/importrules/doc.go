// Package importrules proves that the import rules of the linter's
// configuration catch what they are for. It holds tests only: they lay out a
// module in which every room imports every other one, run the linter on it with
// the project's own .golangci.yml, and compare what it refuses with the import
// table. It may not hold rules of its own that the configuration does not have.
package importrules
