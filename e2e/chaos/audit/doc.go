// Package audit compares what three independent witnesses tell of the same opportunities: the senders, who wrote down
// what they were told; Temporal, with the histories of all runs and what the workflows answer; and the stand-in for the
// API, with its tables and its ledger. What they do not agree on is a violation of a promise.
//
// Audit is a pure function of an Evidence, which is plain data and can be kept as JSON.
package audit
