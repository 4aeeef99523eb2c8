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
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// moveByHand has people make a move in the TMS at the moment at which Oppflow is asked for the same: for opportunities that
// begin for that, and for others that stand before the move.
func (s *Storm) moveByHand(ctx context.Context) error {
	var moved atomic.Int32
	meanwhile := func(ctx context.Context, view opportunity.View) {
		from := time.Now()
		if err := s.byHand(ctx, view.Opportunity); err == nil { // else it met a bad day; the ledger says what came of it
			moved.Add(1)
			s.on(MoveByHand, from, time.Now().Add(time.Second), view.Reference)
		}
	}
	for range s.rounds(4) {
		s.moveFresh(ctx, 2*beginning, meanwhile)
	}
	s.moveSome(ctx, 2*mostSent, meanwhile)
	if moved.Load() == 0 {
		return errors.New("nobody made a move")
	}
	return nil
}

// byHandTo is where people move.
const byHandTo = "Opportunity"

// byHandDocument is what they send.
const byHandDocument = `mutation ` + audit.ByHand + `($record: ID!, $step: ID!) {
	opportunities { progress(input: {opportunityId: $record, stepId: $step}) { errors { label } } } }`

// byHand sends one move as another user of the TMS.
func (s *Storm) byHand(ctx context.Context, record opportunity.ID) error {
	body, err := json.Marshal(map[string]any{
		"query": byHandDocument, "operationName": audit.ByHand,
		"variables": map[string]string{"record": string(record), "step": globalid.EncodeInt(globalid.OpportunityStep, 4)},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
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

// handMoves are the moves of people that the ledger has.
func handMoves(entries []ledger.Entry) []audit.HandMove {
	var list []audit.HandMove
	for _, entry := range entries {
		if len(entry.Operations) == 0 || entry.Operations[0] != audit.ByHand {
			continue
		}
		for _, field := range entry.Fields {
			if field.Outcome == ledger.Committed {
				list = append(list, audit.HandMove{Record: opportunity.ID(field.Opportunity), To: byHandTo, At: entry.Answered})
			}
		}
	}
	return list
}
