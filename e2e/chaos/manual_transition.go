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

// transitionManually makes a person's transition in the TMS while Oppflow gets a command for the
// same transition. transitionManually uses new opportunities, and existing opportunities that are
// in the step before the transition.
func (s *Experiment) transitionManually(ctx context.Context) error {
	var moved atomic.Int32
	meanwhile := func(ctx context.Context, view opportunity.View) {
		from := time.Now()
		if err := s.sendManualTransition(ctx, view.Opportunity); err == nil { // an injected fault may cause an error; the request log shows whether the transition was made
			moved.Add(1)
			s.recordPeriod(TransitionManually, from, time.Now().Add(time.Second), view.Reference)
		}
	}
	for range s.rounds(4) {
		s.transitionNew(ctx, 2*newOpportunities, meanwhile)
	}
	s.transitionExisting(ctx, 2*maxOwnMessages, meanwhile)
	if moved.Load() == 0 {
		return errors.New("the disruption made no transition as another user of the TMS")
	}
	return nil
}

const manualStep = "Opportunity"

const manualMutation = `mutation ` + audit.ManualOperation + `($record: ID!, $step: ID!) {
	opportunities { progress(input: {opportunityId: $record, stepId: $step}) { errors { label } } } }`

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
