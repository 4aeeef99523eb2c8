package exchange

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// AdoptionTimes returns the time from which the follow-ups of a record that is adopted now count:
// now, or the record's last change when the worker requested that time. In the second case
// adopted is now, otherwise adopted is zero.
func AdoptionTimes(record Snapshot, now time.Time) (since, adopted time.Time) {
	switch {
	case record.Changed.IsZero():
		return now, time.Time{}
	case record.Changed.Before(now):
		return record.Changed, now
	}
	return now, now
}

// catchUpSpread is the time over which the first follow-ups of adopted records are spread.
const catchUpSpread = 3 * 24 * time.Hour

// CatchUpAt returns the due time of a follow-up that was due before its record was adopted: the
// adoption time plus the record's own part of three days. The spread prevents that thousands of
// records that are adopted together have their follow-ups in the same minute.
func CatchUpAt(id opportunity.ID, adopted time.Time) time.Time {
	return adopted.Add(SpreadOffset(id, catchUpSpread).Truncate(time.Second))
}

// SpreadOffset returns the record's own part of a spread. The part of one record is always the
// same, and the parts of many records are evenly distributed.
func SpreadOffset(id opportunity.ID, spread time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(id))
	return time.Duration(float64(spread) * float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32))
}
