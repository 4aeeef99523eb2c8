// Package importrules tests that the import rules in the linter's configuration reject every
// forbidden import. A room is a folder to which an entry of the import table in CONTRIBUTING.md
// applies. The tests write a module in which every room imports every other room, and run the
// linter on the module with Oppflow's own .golangci.yml.
package importrules
