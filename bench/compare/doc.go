// Package compare measures the cost of a sales opportunity with three kinds of subjects: Oppflow,
// the shortest Temporal workflow with the same API calls, and a plain loop without durability.
// Oppflow and the shortest workflow use the same Temporal server and workers with the same
// settings. All three kinds of subjects use the same sandbox.
//
// Durations and rates depend on the machine, so compare only the ratios of durations and rates
// within one measurement. The counts (API requests, history events, actions) are exact and the same
// in every measurement. The package measures on this machine and sends nothing to any other
// machine.
package compare
