package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// Where the worker tells when a record was last changed, an adopted record counts from that time. The
// mark of the adoption changes the record, too, and does not count.
func TestAnAdoptedRecordCountsFromItsLastChange(t *testing.T) {
	const day = 24 * time.Hour
	changed := begun.Add(-5 * day)
	for _, c := range []struct {
		name    string
		changed time.Time
		prepare func(*stage)
		want    time.Time // in the step since; zero is since the adoption
	}{
		{"marked", changed, func(*stage) {}, changed},
		{"not marked", changed, func(s *stage) { s.record.untold = true }, changed},
		{"marked before", changed, func(s *stage) { s.record.owner = "A-1" }, changed},
		{"the marking was lost, and had happened", changed, func(s *stage) {
			s.record.mark = func(int) (bool, *activities.Sending, error) { return true, nil, errors.New("lost") }
		}, changed},
		{"the marking was overlooked", changed, func(s *stage) {
			s.record.mark = func(n int) (bool, *activities.Sending, error) {
				if n == 1 {
					s.record.changed = s.env.Now()
				}
				return n > 1, nil, nil
			}
		}, changed},
		{"changed while the marking could not be sent", changed, func(s *stage) {
			s.record.mark = func(n int) (bool, *activities.Sending, error) {
				if n == 1 {
					s.record.changed = changed.Add(day)
					return false, &activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonUnreachable}, nil
				}
				return true, nil, nil
			}
		}, changed.Add(day)},
		{"out of reach after the marking", changed, func(s *stage) {
			var marked time.Time
			s.record.mark = func(int) (bool, *activities.Sending, error) { marked = s.env.Now(); return true, nil, nil }
			s.record.read = func(int) error {
				if !marked.IsZero() && s.env.Now().Sub(marked) < 10*time.Minute {
					return errors.New("out of reach")
				}
				return nil
			}
		}, changed},
		{"changed later than now", begun.Add(day), func(s *stage) { s.record.untold = true }, time.Time{}},
		{"not told", time.Time{}, func(*stage) {}, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			standing(s)
			s.record.changed = c.changed
			c.prepare(s)
			var planned []activities.PlanInput
			b := followUps(s, callThem)
			inner := b.plan
			b.plan = func(in activities.PlanInput) opportunity.Plan {
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
				if c.want.IsZero() && (in.Entered.Before(begun) || in.Entered.After(adopted)) {
					t.Errorf("in the step since %s; want since the adoption", in.Entered)
				}
				if told := !c.changed.IsZero(); told == in.Adopted.IsZero() || told && (in.Adopted.Before(begun) || in.Adopted.After(adopted)) {
					t.Errorf("adopted at %s, planned at %s", in.Adopted, adopted)
				}
			})
			s.win(3 * time.Hour)
			s.run(adoptIt, nil)
		})
	}
}
