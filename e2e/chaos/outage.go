package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// blockAPI makes the API unavailable for longer than the settle time. If silently is false, the API
// closes each connection. If silently is true, the API neither responds to a request nor executes
// the request.
func (s *Experiment) blockAPI(ctx context.Context, silently bool) error {
	rule := fault.Rule{Kind: fault.DropBefore}
	if silently {
		rule.Kind = fault.HoldBefore
	}
	if err := s.sandbox.ClearFaults(ctx); err != nil {
		return err
	}
	id, err := s.sandbox.SetFault(ctx, rule)
	if err != nil {
		return err
	}
	err = sleep(ctx, s.options.Outage)
	ctx = context.WithoutCancel(ctx)
	if silently {
		err = errors.Join(err, s.sandbox.DiscardFault(ctx, id))
	}
	status, failed := s.sandbox.Fault(ctx, id)
	if err = errors.Join(err, failed); err == nil && status.Hits == 0 {
		err = errors.New("the API received no request during the outage")
	}
	return errors.Join(err, s.setBackgroundFaults(ctx))
}

// failQuery makes the API fail a query that the workers have sent before. failQuery tries up to
// disruptionAttempts different queries, until a worker sends the chosen query. The seed decides the
// order of the queries.
func (s *Experiment) failQuery(ctx context.Context) error {
	entries, err := s.sandbox.RequestLog(ctx, 0)
	if err != nil {
		return err
	}
	queries := queryNames(entries)
	s.random.Shuffle(len(queries), func(i, j int) { queries[i], queries[j] = queries[j], queries[i] })
	for _, query := range queries[:min(len(queries), disruptionAttempts)] {
		id, err := s.sandbox.SetFault(ctx, fault.Rule{Kind: fault.FailQuery, Operation: query})
		if err != nil {
			return err
		}
		waited := sleep(ctx, s.options.Outage)
		status, failed := s.sandbox.Fault(context.WithoutCancel(ctx), id)
		if err := errors.Join(waited, failed, s.sandbox.RemoveFault(context.WithoutCancel(ctx), id)); err != nil {
			return err
		}
		if status.Hits > 0 {
			s.reportProgress(fmt.Sprintf("the disruption made the query %s fail %d times", query, status.Hits))
			return nil
		}
	}
	return fmt.Errorf("the workers sent none of the queries that the disruption makes fail: %s", strings.Join(queries, ", "))
}

func queryNames(entries []requestlog.Entry) []string {
	var names []string
	for _, entry := range entries {
		changes := slices.ContainsFunc(entry.Operations, func(name string) bool { return strings.Contains(name, ".") })
		if len(entry.Operations) < 2 || changes || slices.Contains(names, entry.Operations[0]) {
			continue
		}
		names = append(names, entry.Operations[0])
	}
	slices.Sort(names)
	return names
}
