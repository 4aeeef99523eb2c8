package tms_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

func (r *room) tokensEffect(record opportunity.ID, interests ...opportunity.Held) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Interests: interests, Effect: opportunity.Effect{
		Key: "1/win/after/4/tokens", Kind: opportunity.EffectTokens, Tokens: &opportunity.AwaitTokens{WaitUntil: r.in(10 * time.Minute)},
	}}
}

func bought(item string, quantity int) opportunity.Held {
	return opportunity.Held{ID: "I", Item: item, Kind: opportunity.Tokens, Quantity: quantity}
}

func TestTokensThatAreIssuedLate(t *testing.T) {
	r, record := sold(t)
	r.apply(record, interest(tokens, 3), interest(tokens, 2))
	r.requested()
	places := opportunity.Held{ID: "E", Item: string(event), Kind: opportunity.Event, Quantity: 7}
	in := r.tokensEffect(record, opportunity.Held{ID: "I", Item: string(tokens), Quantity: 3}, bought("Training Token", 2), places)
	done, waits := r.live(in, func(wait int) {
		if wait == 3 {
			if n := r.requested(); n != 3 {
				t.Errorf("%d requests while there were none", n)
			}
			r.win(record)
		}
	})
	r.want(done, 1)
	if diff := cmp.Diff([]string{"1m0s", "2m0s", "5m0s"}, waits); diff != "" {
		t.Error(diff)
	}
	in.Undo = true
	r.want(r.ensure(in), 0)
	r.want(r.ensure(r.tokensEffect(record, places)), 0) // none of them are tokens
}

func TestTokensThatAreMissingAreTold(t *testing.T) {
	r := newRoom(t, tms.Mark{})
	record := r.created("A-1")
	r.requested()
	other := string(id(opportunity.TypeTokens, "0123456789abcdef0123456789abcdef"))
	for name, test := range map[string]struct {
		issued    string
		interests []opportunity.Held
		says      string
	}{
		"none":               {``, []opportunity.Held{bought(string(tokens), 3)}, "0 of 3 tokens were issued"},
		"too few":            {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":2}`, []opportunity.Held{bought(string(tokens), 3)}, "2 of 3 tokens were issued"},
		"too few of one":     {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":9}`, []opportunity.Held{bought(string(tokens), 3), bought(other, 1)}, "3 of 4 tokens were issued"},
		"too few by a name":  {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":4}`, []opportunity.Held{bought(string(tokens), 3), bought("Half-day Token", 2)}, "4 of 5 tokens were issued"},
		"enough by a name":   {`{"tokenType":{"id":"` + string(tokens) + `"},"quantity":5}`, []opportunity.Held{bought(string(tokens), 3), bought("Half-day Token", 2)}, ""},
		"enough, in two":     {`{"tokenType":{"id":"` + other + `"},"quantity":2},{"tokenType":{"id":"` + other + `"},"quantity":1}`, []opportunity.Held{bought(other, 3)}, ""},
		"of a type not told": {`{"tokenType":null,"quantity":1}`, []opportunity.Held{bought(other, 1)}, "0 of 1 token were issued"},
	} {
		in := r.tokensEffect(record, test.interests...)
		in.Effect.Tokens.WaitUntil = r.in(-time.Minute)
		r.answerOnce("query TokenIssues", fmt.Sprintf(
			`{"data":{"opportunities":{"edges":[{"node":{"id":"O","tokenIssues":[%s]}}],"pageInfo":{"totalRecords":1,"hasNextPage":false}}}}`, test.issued))
		t.Run(name, func(t *testing.T) {
			if test.says == "" {
				r.want(r.ensure(in), 1)
				return
			}
			r.wantProblem(r.ensure(in), 1, test.says)
		})
	}
}

// Where the API does not show tokens, an operator decides, after the time for the TMS is
// over.
func TestTokensOfWhichTheAPITellsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		assumed  administrate.Name
		requests int
	}{
		"assumed in vain": {"", 2},
		"switched off":    {administrate.Off, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoomOf(t, tms.Mark{}, map[string]string{"opportunity.tokenIssues": "absent"})
			api, err := administrate.New(administrate.Options{
				URL: r.url, Tokens: administrate.StaticToken(r.token), Burst: 1000, RequestsPerSecond: 1000,
				Assumed: administrate.Assumptions{TokenIssues: test.assumed},
			})
			if err != nil {
				t.Fatal(err)
			}
			r.options.API = api
			r.worker(tms.Mark{})
			record := r.created("A-1")
			r.requested()
			out, waits := r.live(r.tokensEffect(record, bought(string(tokens), 3), bought(string(tokens), 2)), nil)
			r.wantProblem(out, test.requests, "the API does not tell whether tokens are issued; check in the TMS that 5 tokens were, then answer skip")
			if diff := cmp.Diff([]string{"10m0s aside"}, waits); diff != "" {
				t.Error(diff)
			}
		})
	}
}
