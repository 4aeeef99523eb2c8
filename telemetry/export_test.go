package telemetry

import "time"

// Flush returns how long the last export of the program may take.
func (t *Telemetry) Flush() time.Duration { return t.flushWithin }

// FlushWithin limits the time of the last export of the program to d.
func (t *Telemetry) FlushWithin(d time.Duration) { t.flushWithin = d }
