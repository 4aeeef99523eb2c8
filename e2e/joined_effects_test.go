package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/stack"
)

// One API request sets the new account of a won opportunity and creates its contacts. The contacts
// are registered in the next request, without another read.
func TestEffectsShareARequest(t *testing.T) {
	t.Parallel()
	book := filepath.Join(t.TempDir(), "playbook.yaml")
	if err := os.WriteFile(book, []byte(`
transitions:
  - name: win
    to: { state: Won }
    after:
      - account: { name: "Byrne Ltd" }
      - contacts: {}
      - register: {}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startParts(t, stack.Options{WorkerArgs: []string{"--playbook", book}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const reference = opportunity.Reference("shared")
	opened, err := p.client.Start(ctx, reference, opportunity.Start{Name: "First Aid", Region: "UK", EntryStep: "Opportunity"})
	if err != nil {
		t.Fatal(err)
	}
	price, err := opportunity.ParseAmount("600.00")
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []opportunity.Command{
		opportunity.AddInterests{Interests: opportunity.Interests{{
			Item: globalID(opportunity.TypeEvent, 1), Quantity: 2, UnitAmount: price, Reserve: true,
			Learners: []opportunity.Learner{
				{FirstName: "Ada", LastName: "Byrne", Email: "ada@byrne.example"}, {FirstName: "Ben", LastName: "Byrne", Email: "ben@byrne.example"},
			},
		}}},
		opportunity.Progress{To: "Won"},
	} {
		if outcome, err := p.client.Update(ctx, reference, message); err != nil || outcome.State != opportunity.Done {
			t.Fatalf("%+v: %+v, %v", message, outcome, err)
		}
	}
	if ended, err := p.client.Wait(ctx, reference); err != nil || ended.State != opportunity.Won {
		t.Fatalf("unexpected result of the run: %+v, %v", ended, err)
	}
	var changes [][]string
	for _, entry := range p.RequestLog() {
		var fields []string
		for _, field := range entry.Fields {
			fields = append(fields, field.Name)
		}
		if len(fields) > 0 {
			changes = append(changes, fields)
		}
	}
	want := [][]string{{"account.create"}, {"opportunities.update", "contact.createBatch"}, {"event.registerContacts"}, {"opportunities.extendReservations"}}
	if got := changes[max(0, len(changes)-len(want)):]; !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("the last requests that change something are %q, want %q", got, want)
	}
	if record := p.Opportunity(opened.Opportunity); record.Account == nil || record.Account.Name != "Byrne Ltd" || record.Reservations.Valid {
		t.Errorf("the record has the account %+v and the reservation %+v", record.Account, record.Reservations)
	}
	p.Replay(reference, "joined-effects")
}
