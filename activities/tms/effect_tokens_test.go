package tms_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *fixture) tokensEffect(record opportunity.ID, interests ...opportunity.RecordedInterest) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Interests: interests, Effect: exchange.Effect{
		Key: "1/win/after/4/tokens", Kind: opportunity.EffectTokens, Settings: exchange.NewSettings(exchange.AwaitTokens{WaitUntil: r.timeIn(10 * time.Minute)}),
	}}
}

func tokenInterest(item string, quantity int) opportunity.RecordedInterest {
	return opportunity.RecordedInterest{ID: "I", Item: item, Kind: opportunity.Tokens, Quantity: quantity}
}

func TestTokensThatAreIssuedLate(t *testing.T) {
	r, record := newSoldFixture(t)
	r.apply(record, interest(tokens, 3), interest(tokens, 2))
	r.requestCount()
	places := opportunity.RecordedInterest{ID: "E", Item: string(event), Kind: opportunity.Event, Quantity: 7}
	in := r.tokensEffect(record, opportunity.RecordedInterest{ID: "I", Item: string(tokens), Quantity: 3}, tokenInterest("Training Token", 2), places)
	done, waits := r.runUntilDone(in, func(wait int) {
		if wait == 3 {
			if n := r.requestCount(); n != 3 {
				t.Errorf("%d requests while there were none", n)
			}
			r.moveToWon(record)
		}
	})
	r.wantEffect(done, 1)
	if diff := cmp.Diff([]string{"1m0s", "2m0s", "5m0s"}, waits); diff != "" {
		t.Error(diff)
	}
	in.Undo = true
	r.wantEffect(r.runEffect(in), 0)
	r.wantEffect(r.runEffect(r.tokensEffect(record, places)), 0) // none of the interests are tokens
}

func TestMissingTokensAreReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	other := string(id(opportunity.TypeTokens, "0123456789abcdef0123456789abcdef"))
	for name, test := range map[string]struct {
		issued    string
		interests []opportunity.RecordedInterest
		says      string
	}{
		"none":               {``, []opportunity.RecordedInterest{tokenInterest(string(tokens), 3)}, "0 of 3 tokens before the deadline"},
		"too few":            {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":2}`, []opportunity.RecordedInterest{tokenInterest(string(tokens), 3)}, "2 of 3 tokens before the deadline"},
		"too few of one":     {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":9}`, []opportunity.RecordedInterest{tokenInterest(string(tokens), 3), tokenInterest(other, 1)}, "3 of 4 tokens before the deadline"},
		"too few by a name":  {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":4}`, []opportunity.RecordedInterest{tokenInterest(string(tokens), 3), tokenInterest("Half-day Token", 2)}, "4 of 5 tokens before the deadline"},
		"enough by a name":   {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":5}`, []opportunity.RecordedInterest{tokenInterest(string(tokens), 3), tokenInterest("Half-day Token", 2)}, ""},
		"enough, in two":     {`{"tokenType":{"id":"` + other + `"},"quantity":2},{"tokenType":{"id":"` + other + `"},"quantity":1}`, []opportunity.RecordedInterest{tokenInterest(other, 3)}, ""},
		"of a type not told": {`{"tokenType":null,"quantity":1}`, []opportunity.RecordedInterest{tokenInterest(other, 1)}, "0 of 1 token before the deadline"},
	} {
		in := r.tokensEffect(record, test.interests...)
		changeSettings(&in.Effect, func(a *exchange.AwaitTokens) { a.WaitUntil = r.timeIn(-time.Minute) })
		r.respondOnce("query TokenIssues", fmt.Sprintf(
			`{"data":{"opportunities":{"edges":[{"node":{"id":"O","tokenIssues":[%s]}}],"pageInfo":{"totalRecords":1,"hasNextPage":false}}}}`, test.issued))
		t.Run(name, func(t *testing.T) {
			if test.says == "" {
				r.wantEffect(r.runEffect(in), 1)
				return
			}
			r.wantProblem(r.runEffect(in), 1, test.says)
		})
	}
}

// If the API does not show tokens, the effect waits for the TMS and then asks an operator a
// question.
func TestTokensThatTheAPIDoesNotShow(t *testing.T) {
	for name, test := range map[string]struct {
		assumed  administrate.SchemaName
		requests int
	}{
		"assumed in vain": {"", 2},
		"switched off":    {administrate.Off, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"opportunity.tokenIssues": "absent"})
			api, err := administrate.New(administrate.Options{Options: transport.Options{
				URL: r.url, Tokens: oauth.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000,
			}, Assumed: administrate.Assumptions{TokenIssues: test.assumed}})
			if err != nil {
				t.Fatal(err)
			}
			r.options.API = api
			r.newWorker(tms.ReferenceTag{})
			record := r.createRecord("A-1")
			r.requestCount()
			out, waits := r.runUntilDone(r.tokensEffect(record, tokenInterest(string(tokens), 3), tokenInterest(string(tokens), 2)), nil)
			r.wantProblem(out, test.requests, "the API does not show whether tokens were issued; check in the TMS that 5 tokens were issued, then send the message confirm")
			if diff := cmp.Diff([]string{"10m0s aside"}, waits); diff != "" {
				t.Error(diff)
			}
		})
	}
}
