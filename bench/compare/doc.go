// Package compare measures the cost of a sales opportunity with three kinds of drivers: Oppflow,
// the shortest Temporal workflow with the same calls, and a plain loop without durability. All
// three use the same server, the same sandbox and workers of the same size.
//
// The package uses the clock only for durations and rates. Compare durations and rates only as
// ratios within one run. The counts (requests, events, tasks, actions) are exact and the same in
// every run. The package measures on this machine and sends nothing to any other machine.
package compare
