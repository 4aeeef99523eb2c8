package host_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/settings"
)

// TestDefaultsOfTheTimesAreTheSame compares the defaults of the settings and of the activities,
// because these packages may not import each other. A program that resolves no settings uses the
// defaults of the activities.
func TestDefaultsOfTheTimesAreTheSame(t *testing.T) {
	for _, of := range []struct {
		name                 string
		settings, activities time.Duration
	}{
		{"DefaultSendWindow", settings.DefaultSendWindow, activities.DefaultSendWindow},
		{"DefaultResponseTime", settings.DefaultResponseTime, activities.DefaultResponseTime},
		{"DefaultSettleTime", settings.DefaultSettleTime, activities.DefaultSettleTime},
		{"DefaultQuietTime", settings.DefaultQuietTime, activities.DefaultQuietTime},
	} {
		if of.settings != of.activities {
			t.Errorf("%s is %s in settings and %s in activities", of.name, of.settings, of.activities)
		}
	}
}
