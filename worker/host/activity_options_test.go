package host

import (
	"testing"

	"github.com/oppflow/oppflow/settings"
)

func TestAdoptedSinceReachesTheActivities(t *testing.T) {
	t.Parallel()
	for since, want := range map[settings.AdoptedSince]bool{"": false, settings.SinceAdoption: false, settings.SinceRecord: true} {
		if got := activityOptions(Options{API: settings.API{AdoptedSince: since}}).FollowUpsFromLastChange; got != want {
			t.Errorf("%q: counts from the record's last change: %t, want %t", since, got, want)
		}
	}
}
