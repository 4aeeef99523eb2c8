// Package chaos runs an experiment on a whole stack and then checks the results. Many
// opportunities, often alike, get messages. During the experiment, package chaos kills and freezes
// workers, restarts the Temporal server, expires tokens and sets faults of the API. After the
// experiment, package audit checks the evidence of three independent sources.
//
// The seed of an experiment decides its messages, its disruptions and their order. How messages and
// disruptions coincide in time depends on the machine.
package chaos
