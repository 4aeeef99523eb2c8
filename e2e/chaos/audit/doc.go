// Package audit compares the evidence of three independent sources about the same opportunities:
// the senders, with their observations; Temporal, with the histories of all runs and the query
// results of the workflows; and the sandbox, with its tables and its request log. A contradiction
// between them is a violation of a promise.
//
// Audit is a pure function of an Evidence, which is plain data and can be stored as JSON.
package audit
