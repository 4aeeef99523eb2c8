package telemetry

import "time"

// Flush returns how long the last export may take.
func (t *Telemetry) Flush() time.Duration { return t.flush }

// FlushWithin has the last export take no longer than this.
func (t *Telemetry) FlushWithin(d time.Duration) { t.flush = d }
