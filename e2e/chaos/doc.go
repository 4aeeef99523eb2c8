// Package chaos runs an experiment on a whole stack and then checks the results. Many
// opportunities, often alike, get messages while workers are killed and frozen, the Temporal server
// is restarted, tokens expire and the API has faults. Package audit checks the evidence of three
// independent sources.
//
// An experiment is made from a seed: the same seed makes the same messages and the same disruptions
// in the same order. The exact times at which they coincide depend on the machine.
package chaos
