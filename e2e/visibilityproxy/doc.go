// Package visibilityproxy is a proxy between the workers and the Temporal server. It changes what the index of runs shows, as
// an index that lags does. Only tests use it.
package visibilityproxy
