// Package lifecycle defines the interface between Oppflow and its callers. The package contains the
// names of the workflow, its messages and its search attributes. The package also contains the
// client for services written in Go. Services in other languages use the same names and JSON with
// their own Temporal SDK.
//
// The package contains no workflow code and never sends requests to the API.
package lifecycle
