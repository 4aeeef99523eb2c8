package tms_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/opportunity"
)

// ask reads from the TMS with a request of its own.
func (r *room) ask(query string) string {
	r.t.Helper()
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		r.t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url, strings.NewReader(string(text)))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.token)
	q.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var got struct{ Data json.RawMessage }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		r.t.Fatal(err)
	}
	r.requested()
	return string(got.Data)
}

func logEffect(record opportunity.ID, message string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: opportunity.Effect{
		Key: "1/win/after/2/log", Kind: opportunity.EffectLog, Log: &opportunity.WriteLog{Status: opportunity.LogPartial, Message: message},
	}}
}

const entries = `{ externalIntegrationLogs { edges { node { originIdentifier nodeId message status payload } } } }`

func TestAnEntryOfTheLogIsWrittenOnce(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	in := logEffect(record, "Won with 399.80 GBP")
	done := r.ensure(in)
	r.want(done, 1, opportunity.ActLog)
	in.Trace = done.trace
	r.want(r.ensure(in), 0)
	in.Undo = true
	r.wantProblem(r.ensure(in), 0, "cannot be deleted")
	want := `{"externalIntegrationLogs":{"edges":[{"node":{"originIdentifier":"oppflow","nodeId":"` + string(record) +
		`","message":"Won with 399.80 GBP","status":"partial","payload":"{\"effect\":\"1/win/after/2/log\"}"}}]}}`
	if diff := cmp.Diff(want, r.ask(entries)); diff != "" {
		t.Error(diff)
	}
}

func TestAnEntryWhoseAnswerIsLostIsNotWrittenAgain(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	r.lose()
	r.wantProblem(r.ensure(logEffect(record, "Won")), 1, "unknown", opportunity.ActLog)
	if n := strings.Count(r.ask(entries), `"message"`); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestAnEntryThatTheTMSTurnsDown(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	r.requested()
	r.wantProblem(r.ensure(logEffect(id(opportunity.TypeOpportunity, 99), "Won")), 1, "Not Found", opportunity.ActLog)
}
