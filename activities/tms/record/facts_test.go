package record_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/activities/tms/record"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// The facts of a record that the workflow knows are the facts of the same record after a read, except
// for the attributes and the data of events.
func TestKnownFactsAreTheFactsOfTheRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.StringMatching(`[A-Za-z]{0,8}`).Draw(t, name) }
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		known := record.Known{Region: opportunity.Ref{ID: "region", Name: text("region")}}
		snapshot := exchange.Snapshot{
			ID:          "record",
			Details:     opportunity.Details{Name: text("name"), Account: opportunity.Ref{ID: "account", Name: text("account")}, Currency: text("currency")},
			Step:        opportunity.Step{ID: "step", Name: text("step")},
			Reservation: opportunity.Reservation{Valid: rapid.Bool().Draw(t, "valid"), Until: now.Add(time.Hour)},
		}
		raw := administrate.Opportunity{ID: "record"}
		for n := range rapid.IntRange(0, 4).Draw(t, "interests") {
			kind := rapid.SampledFrom(opportunity.InterestKinds()).Draw(t, "kind")
			item := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind.IDType, n))
			amount, err := opportunity.ParseAmount(fmt.Sprintf("%d.50", rapid.IntRange(0, 999).Draw(t, "amount")))
			if err != nil {
				t.Fatal(err)
			}
			held := opportunity.RecordedInterest{
				ID: opportunity.ID(fmt.Sprint("interest ", n)), Item: item, Kind: kind.Kind, Quantity: rapid.IntRange(1, 20).Draw(t, "quantity"), UnitAmount: amount,
				Reserve: rapid.Bool().Draw(t, "reserve"), Places: rapid.SampledFrom([]opportunity.PlacesState{"", opportunity.PlacesHeld, opportunity.PlacesNotHeld, opportunity.PlacesNotKnown}).Draw(t, "places"),
				ExpiresAt: text("expires"),
			}
			known.Interests = append(known.Interests, held)
			ref := exchange.InterestRef{ID: held.ID, Item: opportunity.ID(item)}
			read := administrate.Interest{ID: string(held.ID), Item: administrate.Item{ID: item, Type: kind.SchemaType}}
			if rapid.Bool().Draw(t, "shown") { // a tenant's schema may lack the fields of quantity and amount
				ref.Quantity, ref.UnitAmount = held.Quantity, &amount
				read.Quantity, read.UnitAmount = &held.Quantity, decimal.NewNullDecimal(amount.Decimal())
			}
			snapshot.Interests, raw.Interests = append(snapshot.Interests, ref), append(raw.Interests, read)
		}
		want := record.Facts(snapshot, raw, nil, known, now)
		snapshot.Interests, snapshot.Details.Region = nil, known.Region
		got := record.KnownFacts(snapshot, known, now)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(playbook.Facts{}, "Attributes"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("facts (-read +known):\n%s", diff)
		}
	})
}
