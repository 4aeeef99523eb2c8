// Package audit compares the evidence of three independent sources about the same opportunities.
// The senders give their observations. Temporal gives the histories of all runs and the query
// results of the workflows. The sandbox gives its tables and its request log. A contradiction
// between the sources is a violation of a promise.
//
// Audit is a pure function of an Evidence, which is plain data and can be stored as JSON.
package audit
