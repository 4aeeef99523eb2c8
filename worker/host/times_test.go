package host_test

import (
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/settings"
)

// TestDefaultsOfTheTimesAreTheSame compares the defaults in package settings with the defaults in
// package activities, because neither package may import the other. A program that does not resolve
// its settings uses the defaults of package activities.
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
