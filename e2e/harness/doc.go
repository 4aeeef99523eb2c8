// Package harness brings the real parts that end-to-end tests talk to: a sandbox and a
// worker for each test, in a namespace of the test's own on a Temporal server that the
// tests of a package share. It is used by tests alone.
package harness
