package load_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
)

// scaled returns a tenth of the count in the short form of the tests. In the short form, a run also
// continues as new after a tenth of the history events.
func scaled(t *testing.T, count int) int { return testrun.Pick(t, count/10, count) }

// In the long form no other test may run, because the load of another test would change the
// measurements.
func parallelIfShort(t *testing.T) {
	if !testrun.Long(t) {
		t.Parallel()
	}
}

func padded(text string, length int) string {
	return text + strings.Repeat("·", max(0, length-len(text))/len("·")) // a character of two bytes
}

// namedUpdate returns the n-th message of a sender, about 400 bytes of JSON. The request id has the
// greatest length that is allowed.
func namedUpdate(sender, n int) opportunity.Command {
	return opportunity.UpdateDetails{
		RequestID: padded(fmt.Sprintf("request %d of sender %d ", n, sender), opportunity.MaxRequestIDLength),
		Name:      padded(fmt.Sprintf("%d/%d ", sender, n), 176),
	}
}

// Each sender sends its own messages in order, as fast as the pace allows.
type senders struct {
	parts     *parts
	reference opportunity.Reference
	pace      *rate.Limiter // of all senders together; nil means no limit
	group     *errgroup.Group
	ctx       context.Context
}

func (p *parts) senders(ctx context.Context, reference opportunity.Reference, pace *rate.Limiter) *senders {
	s := &senders{parts: p, reference: reference, pace: pace}
	s.group, s.ctx = errgroup.WithContext(ctx)
	return s
}

func (s *senders) send(count int, command func(n int) opportunity.Command) {
	s.group.Go(func() error {
		for n := range count {
			if s.pace != nil {
				if err := s.pace.Wait(s.ctx); err != nil {
					return err
				}
			}
			if err := s.parts.Client.Signal(s.ctx, s.reference, command(n)); err != nil {
				return fmt.Errorf("message %d: %w", n, err)
			}
		}
		return nil
	})
}

func (s *senders) wait() {
	s.parts.T.Helper()
	begin := time.Now()
	if err := s.group.Wait(); err != nil {
		s.parts.runSizes(s.reference)
		s.parts.T.Fatal(err)
	}
	s.parts.T.Logf("%s: all messages are sent after another %s", s.reference, time.Since(begin).Round(time.Millisecond))
}
