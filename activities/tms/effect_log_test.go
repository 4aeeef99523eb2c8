package tms_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// query reads from the TMS with a request that does not pass through the worker.
func (r *fixture) query(query string) string {
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
	r.requestCount()
	return string(got.Data)
}

func logEffect(record opportunity.ID, message string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/win/after/2/log", Kind: opportunity.EffectLog, Settings: exchange.NewSettings(exchange.WriteLog{Status: exchange.LogPartial, Message: message}),
	}}
}

const logQuery = `{ externalIntegrationLogs { edges { node { originIdentifier nodeId message status payload } } } }`

func TestAnEntryOfTheLogIsWrittenOnce(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	in := logEffect(record, "Won with 399.80 GBP")
	done := r.runEffect(in)
	r.wantEffect(done, 1, exchange.RequestLog)
	in.UndoEntry = done.undoEntry
	r.wantEffect(r.runEffect(in), 0)
	in.Undo = true
	r.wantProblem(r.runEffect(in), 0, "cannot be deleted")
	want := `{"externalIntegrationLogs":{"edges":[{"node":{"originIdentifier":"oppflow","nodeId":"` + string(record) +
		`","message":"Won with 399.80 GBP","status":"partial","payload":"{\"effect\":\"1/win/after/2/log\"}"}}]}}`
	if diff := cmp.Diff(want, r.query(logQuery)); diff != "" {
		t.Error(diff)
	}
}

func TestAnEntryWhoseAnswerIsLostIsNotWrittenAgain(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	r.loseNextAnswer()
	r.wantProblem(r.runEffect(logEffect(record, "Won")), 1, "unknown", exchange.RequestLog)
	if n := strings.Count(r.query(logQuery), `"message"`); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestAnEntryThatTheTMSTurnsDown(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	r.requestCount()
	r.wantProblem(r.runEffect(logEffect(id(opportunity.TypeOpportunity, 99), "Won")), 1, "Not Found", exchange.RequestLog)
}
