package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
)

// dueSoon is how far ahead of a follow-up an opportunity is noticed.
const dueSoon = 1500 * time.Millisecond

// sendWhenDue sends messages at the moments at which follow-ups of their opportunities come due.
func (s *Storm) sendWhenDue(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	sent := map[opportunity.Reference]bool{}
	for deadline := time.Now().Add(2 * s.options.Hold); len(sent) < mostSent && ctx.Err() == nil; {
		if time.Now().After(deadline) && (len(sent) > 0 || time.Now().After(deadline.Add(patience))) {
			break
		}
		for _, reference := range s.references() {
			if sent[reference] {
				continue
			}
			asking, cancel := context.WithTimeout(ctx, callWithin)
			view, err := s.client.View(asking, reference)
			cancel()
			if err != nil || len(view.FollowUps) == 0 || view.Question != nil || view.Closing != nil {
				continue
			}
			due := view.FollowUps[0].Due
			if in := time.Until(due); in < 0 || in > dueSoon {
				continue
			}
			sent[reference] = true
			s.requests++
			step := Step{Deed: Send, Way: audit.BySignal, Command: opportunity.UpdateDetails{
				RequestID: fmt.Sprintf("%s/due %d", reference, s.requests), Name: fmt.Sprintf("Due %d", s.requests),
			}}
			sending.Go(func() {
				if pause(ctx, time.Until(due)) != nil {
					return
				}
				s.disturber().send(ctx, reference, step)
				s.on(FollowUp, due.Add(-dueSoon/2), time.Now().Add(dueSoon), reference)
			})
		}
		_ = pause(ctx, 100*time.Millisecond)
	}
	if len(sent) == 0 {
		return errors.New("no follow-up came due")
	}
	return nil
}
