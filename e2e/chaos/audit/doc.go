// Package audit compares the evidence of three independent sources about the same opportunities.
// One source is the senders, with their observations. One source is Temporal, with the histories of
// all runs and the query results of the workflows. One source is the sandbox, with its tables and
// its request log. A contradiction between the sources is a violation of one of Oppflow's promises.
//
// Audit is a pure function of an Evidence, which is plain data and can be stored as JSON.
package audit
