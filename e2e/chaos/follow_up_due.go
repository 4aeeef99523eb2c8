package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
)

// dueWindow extends the recorded period of the disruption at both ends. The period begins dueWindow
// before the due time, and ends dueWindow after the message is sent.
const dueWindow = time.Second

// sendWhenDue sends messages at the due times of follow-ups, to opportunities that are started for
// this disruption. Each message delays the follow-up, so the follow-up gets a new due time.
func (s *Experiment) sendWhenDue(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.rounds(4))*12*time.Second)
	defer cancel()
	var sent atomic.Int32
	var sending sync.WaitGroup
	for range 3 * newOpportunities {
		from, reference := s.newReference()
		sending.Go(func() {
			if from.start(ctx, Script{Reference: reference, Start: newStart()}) != nil {
				return
			}
			for n := 0; ctx.Err() == nil; n++ {
				due, err := s.nextDue(ctx, reference)
				if err != nil || sleep(ctx, time.Until(due)) != nil {
					return
				}
				from.send(ctx, reference, Step{Action: Send, Transport: audit.BySignal, Command: opportunity.UpdateDetails{
					RequestID: fmt.Sprintf("%s/%d", reference, n), Name: fmt.Sprintf("Due %d", n),
				}})
				sent.Add(1)
				s.recordPeriod(SendWhenDue, due.Add(-dueWindow), time.Now().Add(dueWindow), reference)
			}
		})
	}
	sending.Wait()
	if sent.Load() == 0 {
		return errors.New("no follow-up became due")
	}
	return nil
}

func (s *Experiment) nextDue(ctx context.Context, reference opportunity.Reference) (time.Time, error) {
	for {
		view, err := s.client.View(ctx, reference)
		if err == nil && len(view.FollowUps) > 0 && view.FollowUps[0].Due.After(time.Now()) {
			return view.FollowUps[0].Due, nil
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return time.Time{}, err
		}
	}
}
