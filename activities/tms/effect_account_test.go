package tms_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func accountEffect(record opportunity.ID, name string) activities.EffectInput {
	return activities.EffectInput{Reference: "A-1", Opportunity: record, Effect: exchange.Effect{
		Key: "1/win/after/1/account", Kind: opportunity.EffectAccount, Settings: exchange.NewSettings(exchange.EnsureAccount{Name: name}),
	}}
}

func (r *fixture) accountOf(record opportunity.ID) opportunity.ID {
	r.t.Helper()
	links, err := r.client().OpportunityLinks(r.t.Context(), string(record))
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	if links.Account == nil {
		return ""
	}
	return opportunity.ID(links.Account.ID)
}

func (r *fixture) accountsNamed(name string) []opportunity.ID {
	r.t.Helper()
	page, err := r.client().AccountsByName(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	var ids []opportunity.ID
	for _, a := range page.Accounts {
		ids = append(ids, opportunity.ID(a.ID))
	}
	return ids
}

func (r *fixture) account(name string) opportunity.ID {
	r.t.Helper()
	made, err := r.client().CreateAccount(r.t.Context(), administrate.NewAccount{Name: name})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
	return opportunity.ID(made.ID)
}

func (r *fixture) setAccount(record, account opportunity.ID) {
	r.t.Helper()
	_, err := r.client().UpdateOpportunity(r.t.Context(), administrate.UpdateOpportunity{ID: string(record), AccountID: string(account)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.requestCount()
}

func TestAccountIsCreatedOnceAndRemovedOnUndo(t *testing.T) {
	r := newFixtureAssuming(t, tms.ReferenceTag{}, map[string]string{"update.null": "cleared"})
	record := r.createRecord("A-1")
	r.requestCount()
	in := accountEffect(record, " Byrne Ltd ")
	done := r.runEffect(in)
	r.wantEffect(done, 5, exchange.RequestCreateAccount, exchange.RequestSetAccount)
	made := r.accountOf(record)
	if got := r.accountsNamed("Byrne Ltd"); made == "" || !slices.Equal(got, []opportunity.ID{made}) {
		t.Errorf("the account is %q of %q", made, got)
	}
	r.wantRecords(done, opportunity.ObjectAccount, "+"+string(made))
	if !done.undoEntry.AccountRead || done.undoEntry.Account != "" {
		t.Errorf("before: %+v", done.undoEntry)
	}
	r.wantEffect(r.runEffect(in), 1)

	undone := r.runEffect(undoInput(in, done))
	r.wantEffect(undone, 3, exchange.RequestSetAccount)
	if got := r.accountOf(record); got != "" {
		t.Errorf("the opportunity still has %q", got)
	}
	if got := r.accountsNamed("Byrne Ltd"); len(got) != 1 {
		t.Errorf("accounts %q", got)
	}
	r.wantEffect(r.runEffect(undoInput(in, undone)), 1)
}

// The worker assumes that the API removes an account when a request sets the account to null.
func TestAccountThatCannotBeRemovedIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	in := accountEffect(record, "Byrne Ltd")
	done := r.runEffect(in)
	r.requestCount()
	r.wantProblem(r.runEffect(undoInput(in, done)), 3, "nothing shows", exchange.RequestSetAccount)
}

func TestAnAccountIsFound(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	there := r.account("Byrne Ltd")
	r.query(`mutation { account { create(input: {name: "Byrne Ltd", isIndividual: true}) { errors { message } } } }`)
	r.requestCount()
	in := accountEffect(record, "Byrne Ltd")
	done := r.runEffect(in)
	r.wantEffect(done, 3, exchange.RequestSetAccount)
	r.wantRecords(done, opportunity.ObjectAccount, string(there))

	// An account that somebody else set on the record after the effect stays.
	other := r.account("Another")
	r.setAccount(record, other)
	r.wantEffect(r.runEffect(undoInput(in, done)), 1)
	if got := r.accountOf(record); got != other {
		t.Errorf("the account is %q", got)
	}
	found := r.runEffect(in)
	r.wantEffect(found, 1)
	r.wantRecords(found, opportunity.ObjectAccount, string(other))
	r.wantEffect(r.runEffect(undoInput(in, found)), 0)
}

func TestOfSeveralAccountsNoneIsTaken(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	one, two := r.account("Byrne Ltd"), r.account("Byrne Ltd")
	r.wantProblem(r.runEffect(accountEffect(record, "Byrne Ltd")), 1, fmt.Sprintf("2 accounts have the account name that the effect uses: %s, %s", one, two))
	r.wantProblem(r.runEffect(accountEffect(record, " ")), 0, "contain no account name")
	if got := r.accountOf(record); got != "" {
		t.Errorf("the account is %q", got)
	}
}

// Each test case loses the response to one request; the API executes or does not execute this
// request.
func TestAnAccountWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	for _, commits := range []bool{false, true} {
		for n := 1; n <= 2; n++ {
			r := newFixture(t, tms.ReferenceTag{})
			record := r.createRecord("A-1")
			count := r.loseNthAnswer(n, commits)
			done := r.runEffect(accountEffect(record, "Byrne Ltd"))
			if done.problem != "" || *count < 2 {
				t.Errorf("%d requests, problem %q", *count, done.problem)
			}
			made := r.accountOf(record)
			if got := r.accountsNamed("Byrne Ltd"); !slices.Equal(got, []opportunity.ID{made}) {
				t.Errorf("request %d, carried out %v: the account is %q of %q", n, commits, made, got)
			}
			r.wantRecords(done, opportunity.ObjectAccount, "+"+string(made))
		}
	}
}

func TestAccountThatIsNotCreatedIsReported(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	r.respondOnce("mutation ", `{"data":{"account":{"create":{"errors":[],"account":{"id":"T3JnYW5pc2F0aW9uOjk5","name":"Byrne Ltd"}}}}}`)
	r.wantProblem(r.runEffect(accountEffect(record, "Byrne Ltd")), 3, "nothing shows", exchange.RequestCreateAccount)
	r.respondOnce("mutation ", `{"data":{"account":{"create":{"errors":[{"label":"Invalid Value","message":"no","value":null}],"account":null}}}}`)
	r.wantProblem(r.runEffect(accountEffect(record, "Byrne Ltd")), 2, "Invalid Value", exchange.RequestCreateAccount)
}
