package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	money "github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/store"
)

// maxManualChanges is the highest number of opportunities that changeManually affects in one round.
const maxManualChanges = 12

// changeManually edits and removes interests and renames contacts as another user of the TMS, while
// Oppflow gets a message for the same opportunity. changeManually changes only interests that the
// view shows. If a person removed an interest before Oppflow got the API's response, Oppflow could
// not know whether the API had added the interest.
func (s *Experiment) changeManually(ctx context.Context) error {
	open, began := s.changeableReferences(), time.Now()
	s.random.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	isSale := func(reference opportunity.Reference) bool { return strings.HasPrefix(string(reference), "sale-") }
	open = append(slices.DeleteFunc(slices.Clone(open), func(r opportunity.Reference) bool { return !isSale(r) }), slices.DeleteFunc(open, isSale)...)
	changed := 0
	for _, reference := range open {
		if changed == s.rounds(4)*maxManualChanges || ctx.Err() != nil || time.Since(began) > time.Duration(s.rounds(3))*4*s.options.HoldTime {
			break
		}
		asking, cancel := context.WithTimeout(ctx, callTimeout)
		view, err := s.client.View(asking, reference)
		cancel()
		if err != nil || view.Opportunity == "" || view.Step == nil || view.Question != nil || view.Closing != nil || len(view.Queue) > 0 {
			continue
		}
		from := time.Now()
		beside := make(chan struct{})
		go func() {
			defer close(beside)
			for _, command := range []opportunity.Command{
				opportunity.UpdateDetails{Name: fmt.Sprintf("Changed %d", changed)}, opportunity.AddInterests{Interests: opportunity.Interests{commonInterest()}},
			} {
				s.signal(ctx, s.disruptionSender(), reference, command)
			}
		}()
		made, err := s.changeOneManually(context.WithoutCancel(ctx), view)
		<-beside
		if err != nil {
			return err
		}
		if made {
			changed++
			s.recordPeriod(ChangeManually, from, time.Now().Add(time.Second), reference)
		}
		if s.random.IntN(2) == 0 {
			_ = s.client.Signal(ctx, reference, opportunity.Refresh{}) // the chaos test does not need the refresh
		}
	}
	s.updateReport(func(r *Report) { r.ManualChanges += changed })
	if changed == 0 {
		return errors.New("the disruption changed nothing as another user of the TMS")
	}
	return nil
}

// changeableReferences are the opportunities whose runs the experiment does not reset or terminate.
// After a reset, Oppflow compares the messages with the record, and cannot know that a person
// removed an interest. A termination loses a message that arrives at the same time.
func (s *Experiment) changeableReferences() []opportunity.Reference {
	var list []opportunity.Reference
	for _, script := range s.plan.Scripts {
		terminated := slices.ContainsFunc(script.Steps, func(step Step) bool { return step.Action == Terminate })
		if !script.SignalsOnly && !terminated && s.isStarted(script.Reference) {
			list = append(list, script.Reference)
		}
	}
	return list
}

func (s *Experiment) changeOneManually(ctx context.Context, view opportunity.View) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if s.random.IntN(4) == 0 {
		if renamed, err := s.renameContact(ctx, view.Reference); renamed || err != nil {
			return renamed, err
		}
	}
	if len(view.Interests) == 0 || view.Step.Stage.State != opportunity.Open {
		return false, nil
	}
	id := view.Interests[s.random.IntN(len(view.Interests))].ID
	before, found, err := findInterest(ctx, s.tables(), id)
	if err != nil || !found {
		return false, err
	}
	change := audit.ManualChange{Record: view.Opportunity, Before: before}
	quantity, price := before.Quantity+1, money.New(before.UnitAmount+100, -2)
	switch s.random.IntN(4) {
	case 0:
		err = s.sandbox.EditInterest(ctx, string(id), store.InterestEdit{Quantity: &quantity})
	case 1:
		err = s.sandbox.EditInterest(ctx, string(id), store.InterestEdit{UnitAmount: &price})
	default:
		change.Removed = true
		err = s.sandbox.RemoveInterest(ctx, string(id))
	}
	if err != nil {
		s.reportProgress(fmt.Sprintf("a change of interest %s as another user of the TMS failed: %v", id, err)) // the record may have been won in the meantime
		return false, nil
	}
	change.At = time.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manualChanges = append(s.manualChanges, change)
	return true, nil
}

func findInterest(ctx context.Context, path string, id opportunity.ID) (audit.Interest, bool, error) {
	records, err := readRecords(ctx, path, "")
	for _, r := range records {
		for _, i := range r.Interests {
			if i.ID == id {
				return i, true, err
			}
		}
	}
	return audit.Interest{}, false, err
}

// renameContact renames one contact among the opportunity's learners. renameContact returns false
// if no learner has a contact yet.
func (s *Experiment) renameContact(ctx context.Context, reference opportunity.Reference) (bool, error) {
	db, err := openTables(s.tables(), "ro")
	if err != nil {
		return false, err
	}
	defer func() { _ = db.Close() }()
	var key int64
	var before string
	err = db.QueryRowContext(ctx, `SELECT id, first_name || ' ' || last_name FROM contacts WHERE email_address LIKE '%' || ? ORDER BY id LIMIT 1`, saleAddress(reference)).Scan(&key, &before)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	id := globalid.EncodeInt(globalid.Contact, key)
	if err := s.sandbox.RenameContact(ctx, id, sandbox.ContactName{FirstName: "Ada", LastName: fmt.Sprintf("Renamed %d", s.random.IntN(1000))}); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlierNames[opportunity.ID(id)] = append(s.earlierNames[opportunity.ID(id)], before)
	return true, nil
}
