package playbook_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

const adoptedPlaybook = `
steps:
  - at: { state: Open }
    followUps:
      - name: remind
        due: { idle: 5 days }
        repeat: { times: 2, every: 2 days }
        do: { attention: { text: t } }
      - { name: long, due: { inStep: 30 days }, do: { attention: { text: t } } }
      - name: soon
        due: { beforeStart: 10 days }
        repeat: { times: 2, every: 1 day }
        do: { attention: { text: t } }
`

// TestWhatWasDueBeforeTheAdoptionIsSpread checks that a follow-up that was due before the adoption
// is due in the three days after the adoption, at a time that depends on the id of the record.
func TestWhatWasDueBeforeTheAdoptionIsSpread(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := at(t, "2026-11-30T10:00:00Z")
	record := opportunity.ID("T3Bwb3J0dW5pdHk6MQ==")
	own := exchange.CatchUpAt(record, now)
	if part := own.Sub(now); part < day/2 || part > 5*day/2 {
		t.Fatalf("the id of the record delays follow-ups by %s; use a record with a delay in the middle of the three days", part)
	}
	p, err := playbook.Load([]byte(adoptedPlaybook))
	if err != nil {
		t.Fatal(err)
	}
	type due map[string]time.Time
	for name, c := range map[string]struct {
		adopted, changed, planned time.Time
		start                     time.Time // start of the event
		done                      []exchange.DoneFollowUp
		want                      due // due times by name and number
	}{
		"not adopted": {
			changed: now.Add(-60 * day), planned: now, start: now.Add(9 * day),
			want: due{"remind 1": now, "remind 2": now.Add(2 * day), "long 1": now, "soon 1": now, "soon 2": now.Add(day)},
		},
		"all was due before": {
			adopted: now, changed: now.Add(-60 * day), planned: now,
			want: due{"remind 1": own, "remind 2": own.Add(2 * day), "long 1": own},
		},
		"one was due before": {
			adopted: now, changed: now.Add(-10 * day), planned: now,
			want: due{"remind 1": own, "remind 2": own.Add(2 * day), "long 1": now.Add(20 * day)},
		},
		"due at the adoption": {
			adopted: now, changed: now.Add(-5 * day), planned: now,
			want: due{"remind 1": now, "remind 2": now.Add(2 * day), "long 1": now.Add(25 * day)},
		},
		"planned again": {
			adopted: now, changed: now.Add(-60 * day), planned: own.Add(-time.Minute),
			want: due{"remind 1": own, "remind 2": own.Add(2 * day), "long 1": own},
		},
		"planned late": {
			adopted: now, changed: now.Add(-60 * day), planned: now.Add(4 * day),
			want: due{"remind 1": now.Add(4 * day), "remind 2": now.Add(6 * day), "long 1": now.Add(4 * day)},
		},
		"the first is done": {
			adopted: now, changed: now.Add(-60 * day), planned: own.Add(time.Hour),
			done: []exchange.DoneFollowUp{{Key: "remind/20261001T100000Z/1", At: own.Add(time.Minute)}},
			want: due{"remind 2": own.Add(time.Minute + 2*day), "long 1": own.Add(time.Hour)},
		},
		"the first is cancelled": {
			adopted: now, changed: now.Add(-60 * day), planned: now,
			done: []exchange.DoneFollowUp{{Key: "remind/20261001T100000Z/1", At: now, Cancelled: true}},
			want: due{"remind 2": own.Add(2 * day), "long 1": own},
		},
		"before an event": {
			adopted: now, changed: now, planned: now, start: now.Add(9 * day),
			want: due{"remind 1": now.Add(5 * day), "remind 2": now.Add(7 * day), "long 1": now.Add(30 * day), "soon 1": own, "soon 2": own.Add(day)},
		},
		"the event is too near to wait": {
			adopted: now, changed: now, planned: now, start: own.Add(day),
			want: due{"remind 1": now.Add(5 * day), "remind 2": now.Add(7 * day), "long 1": now.Add(30 * day), "soon 1": now, "soon 2": now.Add(day)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := playbook.Facts{
				Now: c.planned, ID: record, Step: step("Proposed"), Entered: c.changed, LastActivity: c.changed, Adopted: c.adopted, Done: c.done,
				Interests: []playbook.Interest{{Item: "Q291cnNlOjE=", Kind: opportunity.Event, Quantity: 1, Start: c.start}},
			}
			plan := p.Plan(f, exchange.PlanCause{})
			got := due{}
			for _, u := range plan.FollowUps {
				got[u.Name+" "+string(rune('0'+u.Number))] = u.Due
			}
			if diff := cmp.Diff(c.want, got); diff != "" || len(plan.SkippedFollowUps) > 0 {
				t.Errorf("%s, skipped %v", diff, plan.SkippedFollowUps)
			}
		})
	}
}

func TestTheSpreadKeepsBusinessHours(t *testing.T) {
	t.Parallel()
	p, err := playbook.Load([]byte(`calendar: { hours: [{ days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00" }] }` + adoptedPlaybook))
	if err != nil {
		t.Fatal(err)
	}
	friday := at(t, "2026-11-27T16:00:00Z")
	for _, record := range []opportunity.ID{"T3Bwb3J0dW5pdHk6MQ==", "T3Bwb3J0dW5pdHk6Mg==", "T3Bwb3J0dW5pdHk6Mw==", "T3Bwb3J0dW5pdHk6NA=="} {
		f := playbook.Facts{Now: friday, ID: record, Step: step("Proposed"), Entered: friday.AddDate(0, -2, 0), LastActivity: friday, Adopted: friday}
		due := p.Plan(f, exchange.PlanCause{}).FollowUps[0].Due
		own := exchange.CatchUpAt(record, friday)
		if due.Before(own) || due.Weekday() == time.Saturday || due.Weekday() == time.Sunday || due.Hour() < 9 || due.Hour() >= 17 {
			t.Errorf("%s: due %s, not before %s", record, due, own)
		}
	}
}
