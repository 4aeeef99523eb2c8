package chaos

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/ledger"
	"github.com/oppflow/oppflow/settings"
)

// bed is where a violation is planted: a copy of the tables, and a copy of what the other witnesses say.
type bed struct {
	tables   *sql.DB
	evidence *audit.Evidence
	rules    audit.Rules
}

// errBarren says that a storm left nothing to plant a violation on.
var errBarren = errors.New("nothing there to plant it on")

// Plant returns evidence that breaks one promise, and the reference of the broken promise. The fault is in a copy of
// the sandbox's tables, or in the notes of another witness when the tables cannot show it. It is a violation by the
// given rules.
func (s *Storm) Plant(ctx context.Context, e audit.Evidence, kind audit.Kind, rules audit.Rules) (spoilt audit.Evidence, of opportunity.Reference, err error) {
	text, err := json.Marshal(e)
	if err != nil {
		return spoilt, "", err
	}
	if err := json.Unmarshal(text, &spoilt); err != nil {
		return spoilt, "", err
	}
	dir, err := os.MkdirTemp("", "oppflow-planted-")
	if err != nil {
		return spoilt, "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "sandbox.db")
	if err := copyTables(ctx, s.tables(), path); err != nil {
		return spoilt, "", err
	}
	tables, err := openTables(path, "rw")
	if err != nil {
		return spoilt, "", err
	}
	of, err = bed{tables: tables, evidence: &spoilt, rules: rules}.plant(ctx, kind)
	if err = errors.Join(err, tables.Close()); err != nil {
		return spoilt, of, fmt.Errorf("%s: %w", kind, err)
	}
	spoilt.Records, err = readRecords(ctx, path, settings.DefaultMarkAttribute)
	return spoilt, of, err
}

func (b bed) plant(ctx context.Context, kind audit.Kind) (opportunity.Reference, error) {
	switch kind {
	case audit.Lost:
		return b.lose()
	case audit.Doubled:
		return b.double(ctx)
	case audit.Swapped:
		return b.swap()
	case audit.WrongOpportunity:
		return b.misplace(ctx)
	case audit.ToldFailedButDone:
		return b.doFailed(ctx)
	case audit.ToldDoneButNot:
		return b.undo(ctx)
	case audit.OrphanRecord:
		return b.secondRecord(ctx)
	case audit.OrphanInterest:
		return b.strayInterest(ctx)
	case audit.OrphanReservation:
		return b.keepHeld(ctx)
	case audit.TooManyQuestions:
		return "", b.question()
	case audit.Overlapped:
		return b.overlap()
	case audit.Silent:
		return b.hush()
	}
	return "", errBarren
}

// made is an interest that an outcome names and the record has.
type made struct {
	reference opportunity.Reference
	record    audit.Record
	interest  audit.Interest
}

// plain reports whether nothing but messages that are known changed the record of the reference: a violation is planted
// where nothing else explains it.
func (b bed) plain(reference opportunity.Reference) bool {
	byHand := slices.ContainsFunc(b.evidence.Records, func(r audit.Record) bool {
		return r.Mark == reference && slices.ContainsFunc(b.evidence.ByHand, func(m audit.HandMove) bool { return m.Record == r.ID })
	})
	return !byHand && !slices.ContainsFunc(b.evidence.Told, func(t audit.Told) bool { return t.Reference == reference && b.evidence.MayBeGone(t) })
}

// firstMade finds an interest of a running opportunity without an unknown result.
func (b bed) firstMade(choose func(made) bool) (made, error) {
	for _, c := range b.evidence.Chains {
		if c.Status != audit.Running || c.View == nil || c.View.Question != nil || !b.plain(c.Reference) {
			continue
		}
		for _, outcome := range c.Outcomes {
			for _, result := range outcome.Results {
				record, interest, found := b.find(result.Interest)
				if m := (made{c.Reference, record, interest}); found && record.Mark == c.Reference && choose(m) {
					return m, nil
				}
			}
		}
	}
	return made{}, errBarren
}

func (b bed) find(id opportunity.ID) (audit.Record, audit.Interest, bool) {
	for _, r := range b.evidence.Records {
		for _, i := range r.Interests {
			if i.ID == id {
				return r, i, true
			}
		}
	}
	return audit.Record{}, audit.Interest{}, false
}

// lose takes a signal that failed, and so has no effect, out of the history.
func (b bed) lose() (opportunity.Reference, error) {
	acknowledged := map[string]bool{}
	for _, t := range b.evidence.Told {
		if t.Fate == audit.Acknowledged {
			acknowledged[t.Request] = true
		}
	}
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if !b.plain(c.Reference) {
			continue
		}
		for _, a := range c.Accepted {
			if c.Outcomes[a.Request].State != opportunity.Failed || !acknowledged[a.Request] {
				continue
			}
			var rest []audit.Accepted
			for _, other := range c.Accepted {
				if other.Request != a.Request {
					rest = append(rest, other)
				}
			}
			c.Accepted = rest
			return c.Reference, nil
		}
	}
	return "", errBarren
}

const copyInterest = `INSERT INTO interests
	(opportunity_id, course_template_id, event_id, learning_path_id, training_token_type_id, quantity, unit_amount, reserve)
	SELECT opportunity_id, course_template_id, event_id, learning_path_id, training_token_type_id, quantity, unit_amount, reserve
	FROM interests WHERE id = ?`

// double has an interest made once more.
func (b bed) double(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstMade(func(m made) bool { return m.interest.Learners == 0 })
	if err == nil {
		_, err = b.tables.ExecContext(ctx, copyInterest, m.interest.Key)
	}
	return m.reference, err
}

// swap has the ledger say that a move and an interest before it were committed in the other order.
func (b bed) swap() (opportunity.Reference, error) {
	const add, move = "opportunities.addInterest", "opportunities.progress"
	m, err := b.firstMade(func(m made) bool {
		return b.commits(m.record.ID, move) != nil && len(b.commits(m.record.ID, add)) > 0 && m.record.Step != "Proposed"
	})
	if err != nil {
		return "", err
	}
	moved := b.commits(m.record.ID, move)[0]
	for _, added := range b.commits(m.record.ID, add) {
		added.Name, moved.Name = move, add
		return m.reference, nil
	}
	return "", errBarren
}

// commits are the fields of a name that the ledger has committed for a record.
func (b bed) commits(record opportunity.ID, name string) []*ledger.Field {
	var list []*ledger.Field
	for n := range b.evidence.Ledger {
		for f := range b.evidence.Ledger[n].Fields {
			field := &b.evidence.Ledger[n].Fields[f]
			if field.Outcome == ledger.Committed && field.Name == name && field.Opportunity == string(record) {
				list = append(list, field)
			}
		}
	}
	return list
}

// misplace puts an interest on the record of another reference.
func (b bed) misplace(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstMade(func(made) bool { return true })
	if err != nil {
		return "", err
	}
	other, err := b.firstMade(func(other made) bool { return other.reference != m.reference })
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `UPDATE interests SET opportunity_id = ? WHERE id = ?`, keyOf(other.record.ID), m.interest.Key)
	}
	return m.reference, err
}

// doFailed makes an interest that is reported failed.
func (b bed) doFailed(ctx context.Context) (opportunity.Reference, error) {
	for _, c := range b.evidence.Chains {
		if c.Status != audit.Running || c.View == nil || c.View.Question != nil || !b.plain(c.Reference) {
			continue
		}
		for _, a := range c.Accepted {
			command, err := opportunity.Decode(a.Verb, a.Payload)
			if err != nil {
				continue
			}
			add, ok := command.(opportunity.AddInterests)
			outcome := c.Outcomes[a.Request]
			for i := range outcome.Results {
				if !ok || outcome.Results[i].Interest != "" || outcome.Results[i].Error == nil || len(add.Interests[i].Learners) > 0 {
					continue
				}
				asked := add.Interests[i]
				_, err := b.tables.ExecContext(ctx, `INSERT INTO interests (opportunity_id, course_template_id, quantity, unit_amount, reserve) VALUES (?, ?, ?, ?, 0)`,
					keyOf(c.View.Opportunity), keyOf(opportunity.ID(asked.Item)), asked.Quantity, asked.UnitAmount.Decimal().Shift(2).IntPart())
				return c.Reference, err
			}
		}
	}
	return "", errBarren
}

// undo takes an interest away that is reported done.
func (b bed) undo(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstMade(func(made) bool { return true })
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `DELETE FROM interests WHERE id = ?`, m.interest.Key)
	}
	return m.reference, err
}

// secondRecord makes another record with the mark of a reference.
func (b bed) secondRecord(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstMade(func(made) bool { return true })
	if err != nil {
		return "", err
	}
	made, err := b.tables.ExecContext(ctx, `INSERT INTO opportunities (name, region_id, currency_code, step_id, created_at, updated_at)
		SELECT name, region_id, currency_code, step_id, created_at, updated_at FROM opportunities WHERE id = ?`, keyOf(m.record.ID))
	if err != nil {
		return "", err
	}
	id, err := made.LastInsertId()
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `INSERT INTO opportunity_attributes (opportunity_id, definition_key, value) VALUES (?, ?, ?)`,
			id, settings.DefaultMarkAttribute, string(m.reference))
	}
	return m.reference, err
}

// strayInterest makes an interest without a request.
func (b bed) strayInterest(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstMade(func(made) bool { return true })
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `INSERT INTO interests (opportunity_id, course_template_id, quantity, unit_amount, reserve) VALUES (?, 11, 7777, 4242, 0)`, keyOf(m.record.ID))
	}
	return m.reference, err
}

// keepHeld has places held for an opportunity that was closed.
func (b bed) keepHeld(ctx context.Context) (opportunity.Reference, error) {
	for _, c := range b.evidence.Chains {
		if c.Status != audit.Completed || c.View == nil || c.View.Closing == nil {
			continue
		}
		for _, r := range b.evidence.Records {
			for _, i := range r.Interests {
				if r.Mark == c.Reference && i.Reserve {
					_, err := b.tables.ExecContext(ctx, `UPDATE opportunities SET reservations_valid_until = ? WHERE id = ?`,
						b.evidence.At.Add(time.Hour).UnixMicro(), keyOf(r.ID))
					return c.Reference, err
				}
			}
		}
	}
	return "", errBarren
}

// question has as many opportunities wait for an operator as are too many. What waits is a request more than there were.
func (b bed) question() error {
	wanted := int(float64(b.evidence.Messages())*b.rules.MostQuestions()) + 1
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if c.Status == audit.Running && c.View != nil && c.View.Question == nil && wanted > 0 && b.plain(c.Reference) {
			c.View.Question = &opportunity.Question{Request: "planted"}
			wanted--
		}
	}
	// A storm of many messages needs more than one question of each: what is parked counts, too.
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if wanted > 0 && c.Status == audit.Running && c.View != nil && b.plain(c.Reference) {
			c.View.Parked = append(slices.Clone(c.View.Parked), slices.Repeat([]opportunity.Waiting{{Request: "planted"}}, wanted)...)
			wanted = 0
		}
	}
	if wanted > 0 {
		return errBarren
	}
	return nil
}

// overlap has a request come just before the one before it for the same record was over.
func (b bed) overlap() (opportunity.Reference, error) {
	before := map[string]*ledger.Entry{}
	for n := range b.evidence.Ledger {
		entry := &b.evidence.Ledger[n]
		record := ""
		for _, field := range entry.Fields {
			if field.Outcome == ledger.Committed {
				record = field.Opportunity
			}
		}
		if record == "" || entry.Answered.IsZero() {
			continue
		}
		earlier := before[record]
		before[record] = entry
		if earlier == nil || !earlier.Answered.After(earlier.Received) || earlier.Answered.After(entry.Received) {
			continue
		}
		for _, r := range b.evidence.Records {
			if string(r.ID) == record && r.Mark != "" {
				entry.Received = earlier.Answered.Add(-min(time.Millisecond, earlier.Answered.Sub(earlier.Received)))
				return r.Mark, nil
			}
		}
	}
	return "", errBarren
}

// hush has a message wait for three minutes with nothing that says why.
func (b bed) hush() (opportunity.Reference, error) {
	for _, c := range b.evidence.Chains {
		for _, a := range c.Accepted {
			if a.Request == "" {
				continue
			}
			b.evidence.Samples = append(b.evidence.Samples, audit.Sample{
				At: a.At.Add(3 * time.Minute), Reference: c.Reference, Answered: true,
				Waiting: []opportunity.Waiting{{Request: a.Request, Accepted: a.At}},
			})
			return c.Reference, nil
		}
	}
	return "", errBarren
}

// PlantLost breaks a promise in the parts themselves: with no worker there, a message is accepted, and the run is
// terminated before anybody could look at it. It returns the reference.
func (s *Storm) PlantLost(ctx context.Context) (opportunity.Reference, error) {
	from, reference, err := s.probe(ctx)
	if err != nil {
		return "", err
	}
	for _, w := range s.workers {
		w.Kill()
	}
	s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{alikeInterest()}})
	err = s.temporal.TerminateWorkflow(ctx, lifecycle.WorkflowID(reference), "", "the storm, without care")
	return reference, errors.Join(err, s.startWorkers(ctx))
}
