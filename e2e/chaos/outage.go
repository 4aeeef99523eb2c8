package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// cutOff keeps the API away for longer than the settle time: it takes no connection, or, silently, answers nothing. What
// it got in silence never runs.
func (s *Storm) cutOff(ctx context.Context, silently bool) error {
	rule := fault.Rule{Kind: fault.DropBefore}
	if silently {
		rule.Kind = fault.HoldBefore
	}
	if err := s.sandbox.Clear(ctx); err != nil {
		return err
	}
	id, err := s.sandbox.Set(ctx, rule)
	if err != nil {
		return err
	}
	err = pause(ctx, s.options.Outage)
	ctx = context.WithoutCancel(ctx)
	if silently {
		err = errors.Join(err, s.sandbox.Discard(ctx, id))
	}
	status, failed := s.sandbox.Fault(ctx, id)
	if err = errors.Join(err, failed); err == nil && status.Hits == 0 {
		err = errors.New("no request came while the API was away")
	}
	return errors.Join(err, s.order(ctx))
}

// failQuery has the API meet one of the queries with an error of its own. It tries all that were asked so far, in an order
// of the seed, until one comes.
func (s *Storm) failQuery(ctx context.Context) error {
	entries, err := s.sandbox.Ledger(ctx, 0)
	if err != nil {
		return err
	}
	queries := queriesOf(entries)
	s.chance.Shuffle(len(queries), func(i, j int) { queries[i], queries[j] = queries[j], queries[i] })
	for _, query := range queries[:min(len(queries), tries)] {
		id, err := s.sandbox.Set(ctx, fault.Rule{Kind: fault.FailQuery, Operation: query})
		if err != nil {
			return err
		}
		waited := pause(ctx, s.options.Outage)
		status, failed := s.sandbox.Fault(context.WithoutCancel(ctx), id)
		if err := errors.Join(waited, failed, s.sandbox.Remove(context.WithoutCancel(ctx), id)); err != nil {
			return err
		}
		if status.Hits > 0 {
			s.tell(fmt.Sprintf("the query %s failed %d times", query, status.Hits))
			return nil
		}
	}
	return fmt.Errorf("none of the queries came: %s", strings.Join(queries, ", "))
}

// queriesOf are the names of the queries that were asked, in their order.
func queriesOf(entries []ledger.Entry) []string {
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
