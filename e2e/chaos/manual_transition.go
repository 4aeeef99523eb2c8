package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// transitionManually has people make a move in the TMS at the moment at which Oppflow is asked for the same: for opportunities that
// begin for that, and for others that stand before the move.
func (s *Experiment) transitionManually(ctx context.Context) error {
	var moved atomic.Int32
	meanwhile := func(ctx context.Context, view opportunity.View) {
		from := time.Now()
		if err := s.sendManualTransition(ctx, view.Opportunity); err == nil { // else it met a bad day; the ledger says what came of it
			moved.Add(1)
			s.recordPeriod(TransitionManually, from, time.Now().Add(time.Second), view.Reference)
		}
	}
	for range s.rounds(4) {
		s.transitionNew(ctx, 2*newOpportunities, meanwhile)
	}
	s.transitionExisting(ctx, 2*maxOwnMessages, meanwhile)
	if moved.Load() == 0 {
		return errors.New("nobody made a move")
	}
	return nil
}

// manualStep is where people move.
const manualStep = "Opportunity"

// manualMutation is what they send.
const manualMutation = `mutation ` + audit.ManualOperation + `($record: ID!, $step: ID!) {
	opportunities { progress(input: {opportunityId: $record, stepId: $step}) { errors { label } } } }`

// sendManualTransition sends one move as another user of the TMS.
func (s *Experiment) sendManualTransition(ctx context.Context, record opportunity.ID) error {
	body, err := json.Marshal(map[string]any{
		"query": manualMutation, "operationName": audit.ManualOperation,
		"variables": map[string]string{"record": string(record), "step": globalid.EncodeInt(globalid.OpportunityStep, 4)},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.parts.APIURL(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.parts.APIToken())
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// manualTransitions are the moves of people that the ledger has.
func manualTransitions(entries []requestlog.Entry) []audit.ManualTransition {
	var list []audit.ManualTransition
	for _, entry := range entries {
		if len(entry.Operations) == 0 || entry.Operations[0] != audit.ManualOperation {
			continue
		}
		for _, field := range entry.Fields {
			if field.Outcome == requestlog.Committed {
				list = append(list, audit.ManualTransition{Record: opportunity.ID(field.Opportunity), To: manualStep, At: entry.Answered})
			}
		}
	}
	return list
}
