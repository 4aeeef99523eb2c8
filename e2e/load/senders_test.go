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

// few is a tenth of the count in the short form of the tests. A run then has a tenth
// of the events, too, before it continues as new.
func few(t *testing.T, count int) int { return testrun.Pick(t, count/10, count) }

// beside lets a test of load run beside others in the short form. In the long form
// the load needs the whole machine, or what is measured is the other tests.
func beside(t *testing.T) {
	if !testrun.Long(t) {
		t.Parallel()
	}
}

// padded fills a text up to the given length.
func padded(text string, length int) string {
	return text + strings.Repeat("·", max(0, length-len(text))/len("·")) // a character of two bytes
}

// named is the n-th message of a sender, about 400 bytes of JSON: its name says
// which it is, and its request id is as long as one may be.
func named(sender, n int) opportunity.Command {
	return opportunity.UpdateDetails{
		RequestID: padded(fmt.Sprintf("request %d of sender %d ", n, sender), opportunity.MaxRequestIDLength),
		Name:      padded(fmt.Sprintf("%d/%d ", sender, n), 176),
	}
}

// senders sends messages to a reference, each sender its own in order, as fast
// as the pace allows.
type senders struct {
	p         *parts
	reference opportunity.Reference
	pace      *rate.Limiter // over all senders; nil for none
	group     *errgroup.Group
	ctx       context.Context
}

func (p *parts) senders(ctx context.Context, reference opportunity.Reference, pace *rate.Limiter) *senders {
	s := &senders{p: p, reference: reference, pace: pace}
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
			if err := s.p.Client.Signal(s.ctx, s.reference, command(n)); err != nil {
				return fmt.Errorf("message %d: %w", n, err)
			}
		}
		return nil
	})
}

// wait waits until everything is sent.
func (s *senders) wait() {
	s.p.T.Helper()
	begin := time.Now()
	if err := s.group.Wait(); err != nil {
		s.p.footprints(s.reference)
		s.p.T.Fatal(err)
	}
	s.p.T.Logf("%s: all is sent after %s more", s.reference, time.Since(begin).Round(time.Millisecond))
}
