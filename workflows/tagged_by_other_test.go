package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// In each case, a response 30 seconds after the start shows the reference tag of another reference.
// In each case of the table, another kind of response is the first response with this tag. At 30 s,
// a plan reads the record again, because the last response is too old.
var foundByOther = map[string]struct { //nolint:gochecknoglobals // a table
	play func(*fixture)
	send func(*fixture)
	log  []string // what the run has sent when it finds the tag
	ask  func(*fixture)
}{
	"seen by a refresh": {
		send: func(s *fixture) { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) },
	},
	"seen in reading back": {
		play: func(s *fixture) {
			s.tms.apply = func(n int, _ activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if n == 1 {
					return false, &activities.ApplyResult{CallResult: activities.CallResult{Status: exchange.StatusUnknown}}, nil
				}
				return true, nil, nil
			}
		},
		send: func(s *fixture) {
			one := addIn(7)
			one.RequestID = "lost"
			s.env.SignalWorkflow("addInterests", one)
		},
		ask: func(s *fixture) {
			s.env.SignalWorkflow("skip", opportunity.Skip{Request: "lost", Reason: "never mind"})
		},
	},
	"seen before a move": {
		play: func(s *fixture) { withTransitionEffects(s, nil, nil) },
		send: func(s *fixture) { s.env.SignalWorkflow("progress", to("Opportunity")) },
	},
	"seen in the response to a change": {
		send: func(s *fixture) { s.env.SignalWorkflow("updateDetails", opportunity.UpdateDetails{Name: "N"}) },
		log:  []string{"update N"},
	},
}

// After a response that shows the reference tag of another reference, the run sends nothing until an
// operator answers. Messages wait for the answer.
func TestARecordOfAnotherReferenceIsNotWrittenTo(t *testing.T) {
	for name, c := range foundByOther {
		for answer, end := range map[string]struct {
			give func(*fixture)
			want []string
		}{
			"retry after the tag is corrected": {func(s *fixture) {
				s.tms.owner = ""
				s.env.SignalWorkflow("retry", opportunity.Retry{Request: opportunity.RecordRequestID})
			}, []string{"interest 1", "interest 2", "progress Won"}},
			"refresh after the tag is corrected": {func(s *fixture) {
				s.tms.owner = ""
				s.env.SignalWorkflow("refresh", opportunity.Refresh{})
			}, []string{"interest 1", "interest 2", "progress Won"}},
			"retry with the wrong tag": {func(s *fixture) {
				s.env.SignalWorkflow("retry", opportunity.Retry{Request: opportunity.RecordRequestID})
			}, nil},
			"confirm": {func(s *fixture) {
				s.env.SignalWorkflow("confirm", opportunity.Confirm{Request: opportunity.RecordRequestID})
				s.env.SignalWorkflow("refresh", opportunity.Refresh{}) // does not ask again
			}, []string{"interest 1", "interest 2", "progress Won"}},
			"skip": {func(s *fixture) {
				s.env.SignalWorkflow("skip", opportunity.Skip{Request: opportunity.RecordRequestID, Reason: "a record of B-2"})
			}, nil},
			"close": {func(s *fixture) {
				s.env.SignalWorkflow("close", opportunity.Close{Reason: "a record of B-2"})
			}, nil},
			"cancel": {func(s *fixture) { s.env.CancelWorkflow() }, nil},
		} {
			t.Run(name+"/"+answer, func(t *testing.T) {
				s := newFixture(t)
				if c.play != nil {
					c.play(s)
				}
				before := []string{}
				s.at(5*time.Second, func() { s.setReservation(opportunity.Reservation{Valid: true, Until: startTime.AddDate(1, 0, 0)}) })
				s.at(6*time.Second, func() { s.env.SignalWorkflow("refresh", opportunity.Refresh{}) })
				s.at(30*time.Second, func() {
					s.tms.owner = "B-2"
					c.send(s)
				})
				s.at(10*time.Minute, func() {
					before = slices.Clone(s.tms.log)
					s.env.SignalWorkflow("addInterests", add(1))
					s.update("waits", "addInterests", add(2))
				})
				s.at(24*time.Hour, func() {
					if !slices.Equal(before, s.tms.log) || !slices.Equal(s.tms.log, append([]string{"create"}, c.log...)) {
						t.Errorf("the record was changed: %v", s.tms.log)
					}
					q := s.view().Question
					if !slices.Equal(s.attention(), []string{"undecided"}) || q == nil || q.Request != "#record" || !strings.Contains(q.Text, "the record has the reference tag of another reference") {
						t.Errorf("attention %v, question %+v", s.attention(), q)
					}
					end.give(s)
				})
				s.at(24*time.Hour+time.Minute, func() {
					if c.ask != nil {
						c.ask(s)
					}
				})
				if end.want != nil {
					s.winAt(25 * time.Hour)
				} else {
					s.at(26*time.Hour, func() {
						if answer == "retry with the wrong tag" && !slices.Equal(s.attention(), []string{"undecided"}) {
							t.Errorf("attention %v after a retry with the wrong tag", s.attention())
						}
						s.env.CancelWorkflow()
					})
				}
				s.run(start, nil)
				after := slices.DeleteFunc(s.tms.log[len(before):], func(entry string) bool { return strings.HasPrefix(entry, "progress ") && entry != "progress Won" })
				if !slices.Equal(after, end.want) {
					t.Errorf("after the answer: %v, want %v", after, end.want)
				}
				if v := s.view(); v.Question != nil || end.want == nil && len(v.Queue) > 0 {
					t.Errorf("at the end: question %+v, queue %+v", v.Question, v.Queue)
				}
			})
		}
	}
}
