// Package contest measures what a sales opportunity costs: driven by Oppflow, by the shortest Temporal workflow that
// does the same calls, and by a plain loop without durability, on the same server, the same sandbox and workers of the
// same size.
//
// It knows the clock only for durations and rates, which mean something as ratios within one run; what it counts
// (requests, events, tasks, actions) is exact and the same in every run. It is for measuring on this machine and sends
// nothing anywhere else.
package contest
