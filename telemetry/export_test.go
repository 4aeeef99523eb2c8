package telemetry

import "time"

// Flush returns how long the last export may take.
func (t *Telemetry) Flush() time.Duration { return t.flushWithin }

// FlushWithin limits the time of the last export.
func (t *Telemetry) FlushWithin(d time.Duration) { t.flushWithin = d }
