package cli

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/opportunity"
)

// The command watch reports each new timeline entry once, even when the workflow has dropped old
// entries from the timeline.
func TestNewTimelineEntriesAreReportedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := rapid.IntRange(1, 8).Draw(t, "kept")
		var all, told []opportunity.TimelineEntry
		var seen []opportunity.TimelineEntry
		for look := range rapid.IntRange(1, 10).Draw(t, "looks") {
			came := rapid.IntRange(0, kept).Draw(t, "came")
			for n := range came {
				at := time.Unix(int64(look*100+n), 0)
				all = append(all, opportunity.TimelineEntry{At: at, Text: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")})
			}
			now := slices.Clone(all[max(0, len(all)-kept):])
			told = append(told, newTimelineEntries(seen, now)...)
			seen = now
		}
		if !slices.Equal(told, all) {
			t.Fatalf("reported %v of %v", told, all)
		}
	})
}
