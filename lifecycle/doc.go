// Package lifecycle is the contract between Oppflow and its callers. It holds the names
// of the workflow, its messages and search attributes, each bound once to the type of its
// payload. It also holds the client for services written in Go. Services in other
// languages use the same names and JSON with their own Temporal SDK.
//
// It holds no workflow code and never talks to the Administrate API.
package lifecycle
