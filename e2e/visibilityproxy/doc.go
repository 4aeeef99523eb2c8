// Package visibilityproxy is a proxy between the workers and the Temporal server. The proxy changes
// which runs visibility shows, as a visibility store that lags does.
package visibilityproxy
