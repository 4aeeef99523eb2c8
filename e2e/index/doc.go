// Package index stands between the workers and the Temporal server and changes what the
// index of runs shows, as an index that is late does. It is used by tests alone.
package index
