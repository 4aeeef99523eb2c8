// Package harness starts the real parts of end-to-end tests: a sandbox and a worker for each test.
// The parts work in a namespace of the test, on a Temporal server that the tests of a package
// share.
package harness
