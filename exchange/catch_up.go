package exchange

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// AdoptionTimes returns from when the follow-ups of a record count that is adopted now: from now, or
// from the record's last change where the worker asked for that time. In the second case adopted is
// now, otherwise adopted is zero.
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

// CatchUpAt returns when a follow-up is due that was due before its record was adopted: at
// the adoption and the record's own part of three days. So thousands of records that are
// adopted together do not have their follow-ups in the same minute.
func CatchUpAt(id opportunity.ID, adopted time.Time) time.Time {
	return adopted.Add(SpreadOffset(id, catchUpSpread).Truncate(time.Second))
}

// SpreadOffset returns the record's own part of a spread. It is always the same, and the parts of
// many records are even.
func SpreadOffset(id opportunity.ID, spread time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(id))
	return time.Duration(float64(spread) * float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32))
}
