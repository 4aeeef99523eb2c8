// Package lifecycle is the contract between Oppflow and its callers. The package holds the names of
// the workflow, its messages and search attributes, each bound once to the type of its payload. The
// package also holds the client for services written in Go. Services in other languages use the
// same names and JSON with their own Temporal SDK.
//
// The package holds no workflow code and never sends requests to the API of the TMS.
package lifecycle
