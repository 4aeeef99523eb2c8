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
	"strconv"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/settings"
)

// evidenceCopy holds the copies in which a violation is seeded: the sandbox's tables, and the
// evidence of the other sources.
type evidenceCopy struct {
	tables     *sql.DB
	evidence   *audit.Evidence
	tolerances audit.Tolerances
}

var errNoTarget = errors.New("the evidence contains nothing that the test can change into this violation")

// SeedViolation returns evidence that breaks one promise, and the reference of the broken promise.
// The violation is in a copy of the sandbox's tables, or in the evidence of another source if the
// tables cannot contain the violation. Audit reports the violation under the given tolerances.
func (s *Experiment) SeedViolation(ctx context.Context, e audit.Evidence, kind audit.Kind, rules audit.Tolerances) (spoilt audit.Evidence, of opportunity.Reference, err error) {
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
	of, err = evidenceCopy{tables: tables, evidence: &spoilt, tolerances: rules}.seed(ctx, kind)
	if err = errors.Join(err, tables.Close()); err != nil {
		return spoilt, of, fmt.Errorf("%s: %w", kind, err)
	}
	if spoilt.Records, err = readRecords(ctx, path, settings.DefaultTagAttribute); err != nil {
		return spoilt, of, err
	}
	spoilt.Bookings, err = readBookings(ctx, path, s.earlierNames)
	return spoilt, of, err
}

func (b evidenceCopy) seed(ctx context.Context, kind audit.Kind) (opportunity.Reference, error) {
	switch kind {
	case audit.Lost:
		return b.loseMessage()
	case audit.Duplicated:
		return b.duplicate(ctx)
	case audit.Reordered:
		return b.reorder()
	case audit.WrongOpportunity:
		return b.assignToOtherRecord(ctx)
	case audit.ReportedFailedButDone:
		return b.makeFailedInterest(ctx)
	case audit.ReportedDoneButMissing:
		return b.removeInterest(ctx)
	case audit.OrphanRecord:
		return b.secondRecord(ctx)
	case audit.OrphanInterest:
		return b.addUnrequestedInterest(ctx)
	case audit.OrphanReservation:
		return b.keepReservation(ctx)
	case audit.TooManyQuestions:
		return "", b.addQuestions()
	case audit.ReadableQuestion:
		return b.askWhatTheRecordShows()
	case audit.Concurrent:
		return b.overlap()
	case audit.UnexplainedWait:
		return b.addUnexplainedWait()
	case audit.EffectMissing:
		return b.cancelLearner(ctx)
	case audit.EffectDuplicated:
		return b.secondInvoice(ctx)
	case audit.EffectOrphan:
		return "", b.registerStranger(ctx)
	}
	return "", errNoTarget
}

type createdInterest struct {
	reference opportunity.Reference
	record    audit.Record
	interest  audit.Interest
}

// isUndisturbed reports whether no person changed the record and no message of the reference may be
// lost. A person's change or a lost message could explain the seeded violation.
func (b evidenceCopy) isUndisturbed(reference opportunity.Reference) bool {
	byHand := slices.ContainsFunc(b.evidence.Records, func(r audit.Record) bool {
		return r.ReferenceTag == reference &&
			(slices.ContainsFunc(b.evidence.ManualTransitions, func(m audit.ManualTransition) bool { return m.Record == r.ID }) ||
				slices.ContainsFunc(b.evidence.ManualChanges, func(m audit.ManualChange) bool { return m.Record == r.ID }))
	})
	return !byHand && !slices.ContainsFunc(b.evidence.Observations, func(t audit.Observation) bool { return t.Reference == reference && b.evidence.MayBeLost(t) })
}

// firstInterest finds an interest that choose accepts, in a running opportunity that has no
// question.
func (b evidenceCopy) firstInterest(choose func(createdInterest) bool) (createdInterest, error) {
	for _, c := range b.evidence.Chains {
		if c.Status != audit.Running || c.View == nil || c.View.Question != nil || !b.isUndisturbed(c.Reference) {
			continue
		}
		for _, outcome := range c.Outcomes {
			for _, result := range outcome.Results {
				record, interest, found := b.find(result.Interest)
				if m := (createdInterest{c.Reference, record, interest}); found && record.ReferenceTag == c.Reference && choose(m) {
					return m, nil
				}
			}
		}
	}
	return createdInterest{}, errNoTarget
}

func (b evidenceCopy) find(id opportunity.ID) (audit.Record, audit.Interest, bool) {
	for _, r := range b.evidence.Records {
		for _, i := range r.Interests {
			if i.ID == id {
				return r, i, true
			}
		}
	}
	return audit.Record{}, audit.Interest{}, false
}

// loseMessage removes a failed signal from the history. A failed signal has no effect.
func (b evidenceCopy) loseMessage() (opportunity.Reference, error) {
	acknowledged := map[string]bool{}
	for _, t := range b.evidence.Observations {
		if t.Result == audit.Acknowledged {
			acknowledged[t.Request] = true
		}
	}
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if !b.isUndisturbed(c.Reference) {
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
	return "", errNoTarget
}

const copyInterest = `INSERT INTO interests
	(opportunity_id, course_template_id, event_id, learning_path_id, training_token_type_id, quantity, unit_amount, reserve)
	SELECT opportunity_id, course_template_id, event_id, learning_path_id, training_token_type_id, quantity, unit_amount, reserve
	FROM interests WHERE id = ?`

func (b evidenceCopy) duplicate(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstInterest(namesNobody)
	if err == nil {
		_, err = b.tables.ExecContext(ctx, copyInterest, m.interest.Key)
	}
	return m.reference, err
}

// reorder swaps a transition and an earlier interest in the request log.
func (b evidenceCopy) reorder() (opportunity.Reference, error) {
	const add, move = "opportunities.addInterest", "opportunities.progress"
	m, err := b.firstInterest(func(m createdInterest) bool {
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
	return "", errNoTarget
}

func (b evidenceCopy) commits(record opportunity.ID, name string) []*requestlog.Field {
	var list []*requestlog.Field
	for n := range b.evidence.RequestLog {
		for f := range b.evidence.RequestLog[n].Fields {
			field := &b.evidence.RequestLog[n].Fields[f]
			if field.Outcome == requestlog.Committed && field.Name == name && field.Opportunity == string(record) {
				list = append(list, field)
			}
		}
	}
	return list
}

func (b evidenceCopy) assignToOtherRecord(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstInterest(namesNobody)
	if err != nil {
		return "", err
	}
	other, err := b.firstInterest(func(other createdInterest) bool { return other.reference != m.reference })
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `UPDATE interests SET opportunity_id = ? WHERE id = ?`, numericKey(other.record.ID), m.interest.Key)
	}
	return m.reference, err
}

// makeFailedInterest creates an interest on the record although its request is reported failed.
func (b evidenceCopy) makeFailedInterest(ctx context.Context) (opportunity.Reference, error) {
	for _, c := range b.evidence.Chains {
		if c.Status != audit.Running || c.View == nil || c.View.Question != nil || !b.isUndisturbed(c.Reference) {
			continue
		}
		for _, a := range c.Accepted {
			command, err := opportunity.Decode(a.Message, a.Payload)
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
					numericKey(c.View.Opportunity), numericKey(opportunity.ID(asked.Item)), asked.Quantity, asked.UnitAmount.Decimal().Shift(2).IntPart())
				return c.Reference, err
			}
		}
	}
	return "", errNoTarget
}

// namesNobody reports whether the interest has no learners.
func namesNobody(m createdInterest) bool { return m.interest.Learners == 0 }

// removeInterest deletes an interest from the record although its request is reported done.
func (b evidenceCopy) removeInterest(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstInterest(namesNobody)
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `DELETE FROM interests WHERE id = ?`, m.interest.Key)
	}
	return m.reference, err
}

func (b evidenceCopy) secondRecord(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstInterest(func(createdInterest) bool { return true })
	if err != nil {
		return "", err
	}
	made, err := b.tables.ExecContext(ctx, `INSERT INTO opportunities (name, region_id, currency_code, step_id, created_at, updated_at)
		SELECT name, region_id, currency_code, step_id, created_at, updated_at FROM opportunities WHERE id = ?`, numericKey(m.record.ID))
	if err != nil {
		return "", err
	}
	id, err := made.LastInsertId()
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `INSERT INTO opportunity_attributes (opportunity_id, definition_key, value) VALUES (?, ?, ?)`,
			id, settings.DefaultTagAttribute, string(m.reference))
	}
	return m.reference, err
}

func (b evidenceCopy) addUnrequestedInterest(ctx context.Context) (opportunity.Reference, error) {
	m, err := b.firstInterest(func(createdInterest) bool { return true })
	if err == nil {
		_, err = b.tables.ExecContext(ctx, `INSERT INTO interests (opportunity_id, course_template_id, quantity, unit_amount, reserve) VALUES (?, 11, 7777, 4242, 0)`, numericKey(m.record.ID))
	}
	return m.reference, err
}

// keepReservation reserves places for an opportunity that was closed.
func (b evidenceCopy) keepReservation(ctx context.Context) (opportunity.Reference, error) {
	for _, c := range b.evidence.Chains {
		if c.Status != audit.Completed || c.View == nil || c.View.Closing == nil {
			continue
		}
		for _, r := range b.evidence.Records {
			for _, i := range r.Interests {
				if r.ReferenceTag == c.Reference && i.Reserve {
					_, err := b.tables.ExecContext(ctx, `UPDATE opportunities SET reservations_valid_until = ? WHERE id = ?`,
						b.evidence.At.Add(time.Hour).UnixMicro(), numericKey(r.ID))
					return c.Reference, err
				}
			}
		}
	}
	return "", errNoTarget
}

// Each question is about a request that does not exist.
func (b evidenceCopy) addQuestions() error {
	wanted := int(float64(b.evidence.Messages())*b.tolerances.QuestionShare()) + 1
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if c.Status == audit.Running && c.View != nil && c.View.Question == nil && wanted > 0 && b.isUndisturbed(c.Reference) {
			c.View.Question = &opportunity.Question{Request: "planted"}
			wanted--
		}
	}
	// One question for each opportunity may be too few to exceed the tolerance. Parked commands
	// count as questions, too.
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if wanted > 0 && c.Status == audit.Running && c.View != nil && b.isUndisturbed(c.Reference) {
			c.View.Parked = append(slices.Clone(c.View.Parked), slices.Repeat([]opportunity.QueuedMessage{{Request: "planted"}}, wanted)...)
			wanted = 0
		}
	}
	if wanted > 0 {
		return errNoTarget
	}
	return nil
}

// askWhatTheRecordShows adds a question about a transition that is done. No other request and no
// person made a transition to the same step.
func (b evidenceCopy) askWhatTheRecordShows() (opportunity.Reference, error) {
	chains := map[opportunity.Reference]int{}
	for _, c := range b.evidence.Chains {
		chains[c.Reference]++
	}
	for n := range b.evidence.Chains {
		c := &b.evidence.Chains[n]
		if c.Status != audit.Running || c.View == nil || c.View.Question != nil || chains[c.Reference] > 1 || !b.isUndisturbed(c.Reference) {
			continue
		}
		steps := map[string][]string{} // the requests for a transition to a step
		for _, a := range c.Accepted {
			command, err := opportunity.Decode(a.Message, a.Payload)
			if p, is := command.(opportunity.Progress); err == nil && is && !slices.Contains(steps[p.To], a.Request) {
				steps[p.To] = append(steps[p.To], a.Request)
			}
		}
		for _, requests := range steps {
			if outcome := c.Outcomes[requests[0]]; len(requests) == 1 && outcome.State == opportunity.Done {
				c.View.Question = &opportunity.Question{Request: requests[0], Text: "planted"}
				return c.Reference, nil
			}
		}
	}
	return "", errNoTarget
}

// overlap changes the request log so that a request arrives just before the end of the previous
// request for the same record.
func (b evidenceCopy) overlap() (opportunity.Reference, error) {
	before := map[string]*requestlog.Entry{}
	for n := range b.evidence.RequestLog {
		entry := &b.evidence.RequestLog[n]
		record := ""
		for _, field := range entry.Fields {
			if field.Outcome == requestlog.Committed {
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
			if string(r.ID) == record && r.ReferenceTag != "" {
				entry.Received = earlier.Answered.Add(-min(time.Millisecond, earlier.Answered.Sub(earlier.Received)))
				return r.ReferenceTag, nil
			}
		}
	}
	return "", errNoTarget
}

// addUnexplainedWait changes the evidence so that a message waits for three minutes without a
// reason. A reset could explain the wait, so addUnexplainedWait chooses a message whose run was not
// reset.
func (b evidenceCopy) addUnexplainedWait() (opportunity.Reference, error) {
	for _, c := range b.evidence.Chains {
		if slices.ContainsFunc(b.evidence.Resets, func(r audit.Reset) bool { return r.Reference == c.Reference }) {
			continue
		}
		for _, a := range c.Accepted {
			if a.Request == "" {
				continue
			}
			b.evidence.Samples = append(b.evidence.Samples, audit.Sample{
				At: a.At.Add(3 * time.Minute), Reference: c.Reference, HasView: true,
				Waiting: []opportunity.QueuedMessage{{Request: a.Request, Accepted: a.At}},
			})
			return c.Reference, nil
		}
	}
	return "", errNoTarget
}

// SeedLostMessage makes the running parts lose a message, and returns the reference of the lost
// message. SeedLostMessage sends a message while no worker runs, and terminates the run before a
// worker handles the message.
func (s *Experiment) SeedLostMessage(ctx context.Context) (opportunity.Reference, error) {
	from, reference, err := s.startProbe(ctx)
	if err != nil {
		return "", err
	}
	for _, w := range s.workers {
		w.Kill()
	}
	s.signal(ctx, from, reference, opportunity.AddInterests{Interests: opportunity.Interests{commonInterest()}})
	err = s.temporal.TerminateWorkflow(ctx, lifecycle.WorkflowID(reference), "", "the chaos test terminates a run without care")
	return reference, errors.Join(err, s.startWorkers(ctx))
}

// Recheck collects the evidence again after a change of only the given references. The workflows of
// the other references are not queried again.
func (s *Experiment) Recheck(ctx context.Context, before audit.Evidence, references ...opportunity.Reference) (audit.Evidence, error) {
	kept := slices.DeleteFunc(slices.Clone(before.Chains), func(c audit.Chain) bool { return slices.Contains(references, c.Reference) })
	return s.collectEvidence(ctx, kept, references)
}

func copyTables(ctx context.Context, from, to string) (err error) {
	db, err := openTables(from, "ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `VACUUM INTO `+"'"+to+"'")
	return err
}

func numericKey(id opportunity.ID) int64 {
	parsed, err := globalid.Parse(string(id))
	if err != nil {
		return 0
	}
	key, err := strconv.ParseInt(parsed.Key, 10, 64)
	if err != nil {
		return 0
	}
	return key
}
