package chaos

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// effectTimeout is the longest time from the end of all messages to the end of all effects.
const effectTimeout = 2 * time.Minute

// awaitEffects waits until every effect has ended or waits for an operator. Effects that still wait
// after effectTimeout, for example for a trigger of the TMS, are not checked.
func (s *Experiment) awaitEffects(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, effectTimeout)
	defer cancel()
	for _, reference := range s.references() {
		_ = await(ctx, effectTimeout, "effects that have ended", func() (bool, error) {
			within, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			view, err := s.client.View(within, reference)
			var own *opportunity.Error
			if errors.As(err, &own) {
				return true, nil // no run has the reference
			}
			return err == nil && (view.Question != nil || !hasActiveEffect(view.RunningEffects)), err
		})
	}
	s.reportProgress("no effect is active")
	return nil
}

// hasActiveEffect reports whether an effect can go on without an operator. If one effect of a
// transition has a problem, no effect of the transition goes on. The key of an effect begins with
// the number of the transition.
func hasActiveEffect(effects []opportunity.RunningEffect) bool {
	var stopped []string
	for _, e := range effects {
		if transition, _, _ := strings.Cut(e.Key, "/"); e.Problem != "" {
			stopped = append(stopped, transition)
		}
	}
	return slices.ContainsFunc(effects, func(e opportunity.RunningEffect) bool {
		transition, _, _ := strings.Cut(e.Key, "/")
		return !slices.Contains(stopped, transition)
	})
}
