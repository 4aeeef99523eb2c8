package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// If the worker can read when a record was last changed, the times of the follow-ups of an adopted
// record are measured from this last change. The adoption also changes the record, because the
// adoption adds the reference tag. This change does not count.
func TestAnAdoptedRecordCountsFromItsLastChange(t *testing.T) {
	const day = 24 * time.Hour
	changed := startTime.Add(-5 * day)
	for _, c := range []struct {
		name    string
		changed time.Time
		prepare func(*fixture)
		want    time.Time // when the record came into the step; zero is the time of the adoption
	}{
		{"marked", changed, func(*fixture) {}, changed},
		{"not marked", changed, func(s *fixture) { s.tms.ownerUnknown = true }, changed},
		{"marked before", changed, func(s *fixture) { s.tms.owner = "A-1" }, changed},
		{"the marking was lost, and had happened", changed, func(s *fixture) {
			s.tms.tag = func(int) (bool, *activities.CallResult, error) { return true, nil, errors.New("lost") }
		}, changed},
		{"the marking was overlooked", changed, func(s *fixture) {
			s.tms.tag = func(n int) (bool, *activities.CallResult, error) {
				if n == 1 {
					s.tms.changed = s.env.Now()
				}
				return n > 1, nil, nil
			}
		}, changed},
		{"changed while the marking could not be sent", changed, func(s *fixture) {
			s.tms.tag = func(n int) (bool, *activities.CallResult, error) {
				if n == 1 {
					s.tms.changed = changed.Add(day)
					return false, &activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnreachable}, nil
				}
				return true, nil, nil
			}
		}, changed.Add(day)},
		{"out of reach after the marking", changed, func(s *fixture) {
			var marked time.Time
			s.tms.tag = func(int) (bool, *activities.CallResult, error) { marked = s.env.Now(); return true, nil, nil }
			s.tms.read = func(int) error {
				if !marked.IsZero() && s.env.Now().Sub(marked) < 10*time.Minute {
					return errors.New("out of reach")
				}
				return nil
			}
		}, changed},
		{"changed later than now", startTime.Add(day), func(s *fixture) { s.tms.ownerUnknown = true }, time.Time{}},
		{"not told", time.Time{}, func(*fixture) {}, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFixture(t)
			createRecord(s)
			s.tms.changed = c.changed
			c.prepare(s)
			var planned []activities.PlanInput
			b := followUps(s, callFollowUp)
			inner := b.plan
			b.plan = func(in activities.PlanInput) exchange.Plan {
				planned = append(planned, in)
				return inner(in)
			}
			s.at(time.Hour+30*time.Minute, func() {
				if len(planned) == 0 {
					t.Fatal("nothing is planned")
				}
				in := planned[0]
				adopted := in.Now
				if !c.want.IsZero() && (!in.Entered.Equal(c.want) || !in.LastActivity.Equal(c.want)) {
					t.Errorf("in the step since %s, last active at %s; want %s", in.Entered, in.LastActivity, c.want)
				}
				if c.want.IsZero() && (in.Entered.Before(startTime) || in.Entered.After(adopted)) {
					t.Errorf("in the step since %s; want since the adoption", in.Entered)
				}
				if told := !c.changed.IsZero(); told == in.AdoptedAt.IsZero() || told && (in.AdoptedAt.Before(startTime) || in.AdoptedAt.After(adopted)) {
					t.Errorf("adopted at %s, planned at %s", in.AdoptedAt, adopted)
				}
			})
			s.winAt(3 * time.Hour)
			s.run(adoptStart, nil)
		})
	}
}
