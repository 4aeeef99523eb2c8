package exchange

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// AdoptionTimes returns two times for a record that is adopted now. The times of follow-ups are
// calculated from the first time, since. If the worker read the time of the record's last change,
// since is the earlier of that time and now, and adopted is now. If the time of the record's last
// change was not read, since is now and adopted is zero.
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

// CatchUpAt returns the new due time of a follow-up that was already due when its record was
// adopted. Without the offset, the follow-ups of thousands of records that are adopted together
// would be due in the same minute.
func CatchUpAt(id opportunity.ID, adopted time.Time) time.Time {
	return adopted.Add(SpreadOffset(id, catchUpSpread).Truncate(time.Second))
}

// SpreadOffset returns the offset of the record within the spread. One record always has the same
// offset, and the offsets of many records are evenly distributed.
func SpreadOffset(id opportunity.ID, spread time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(id))
	return time.Duration(float64(spread) * float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32))
}
