// Package workflows holds the workflow that runs one opportunity. Everything in the package is
// deterministic: it sequences the activities and the rules of package opportunity. It does no I/O,
// reads no clock but the workflow's, and decides nothing that the rules decide.
package workflows
