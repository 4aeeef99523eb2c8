package exchange

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// AdoptionTimes returns since, the time from which the follow-ups of a record that is adopted now
// count. When the worker requested the time of the record's last change, since is that time (at
// most now) and adopted is now. If the record has no time of its last change, since is now and
// adopted is zero.
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
// adoption time plus an offset of up to three days. Without the offset, thousands of records that
// are adopted together would have their follow-ups in the same minute.
func CatchUpAt(id opportunity.ID, adopted time.Time) time.Time {
	return adopted.Add(SpreadOffset(id, catchUpSpread).Truncate(time.Second))
}

// SpreadOffset returns the offset of the record within the spread. One record always has the same
// offset, and the offsets of many records are evenly distributed.
func SpreadOffset(id opportunity.ID, spread time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(id))
	return time.Duration(float64(spread) * float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32))
}
