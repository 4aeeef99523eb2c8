// Package workflows holds the workflow that runs one opportunity. Everything in
// it is deterministic: it sequences the rules of package opportunity and the
// activities, and does no I/O, reads no clock but the workflow's, and decides
// nothing that the rules decide.
package workflows
