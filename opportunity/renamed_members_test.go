package opportunity_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/opportunity"
)

func TestEarlierNamesAreRead(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		before string
		got    any
		want   any
	}{
		"attention": {
			`{"word":"api","text":"no answer","since":"2026-11-23T12:00:00Z"}`, new(opportunity.Attention),
			&opportunity.Attention{Kind: opportunity.AttentionAPI, Reason: "no answer", Since: since},
		},
		"wait": {
			`{"word":"api","reason":"no answer","since":"2026-11-23T12:00:00Z"}`, new(opportunity.WaitInfo),
			&opportunity.WaitInfo{Kind: opportunity.AttentionAPI, Reason: "no answer", Since: since},
		},
		"question": {
			`{"request":"r","verb":"progress","text":"did it?","since":"2026-11-23T12:00:00Z"}`, new(opportunity.Question),
			&opportunity.Question{Request: "r", MessageName: opportunity.MessageProgress, Text: "did it?", Since: since},
		},
		"effect that changed nothing": {
			`{"key":"k","kind":"account","how":"there","records":[{"id":"QQ==","kind":"account"}]}`, new(opportunity.EffectResult),
			&opportunity.EffectResult{
				Key: "k", Kind: opportunity.EffectAccount, Outcome: opportunity.EffectUnchanged,
				Objects: []opportunity.TouchedObject{{ID: "QQ==", Kind: opportunity.ObjectAccount}},
			},
		},
		"effect that was abandoned": {
			`{"key":"k","kind":"register","how":"left","text":"sold out","records":[{"id":"QQ==","kind":"learner","made":true,"on":"QUE=","gone":true}]}`,
			new(opportunity.EffectResult),
			&opportunity.EffectResult{
				Key: "k", Kind: opportunity.EffectRegister, Outcome: opportunity.EffectAbandoned, Reason: "sold out",
				Objects: []opportunity.TouchedObject{{ID: "QQ==", Kind: opportunity.ObjectLearner, Created: true, Event: "QUE=", Reverted: true}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := json.Unmarshal([]byte(test.before), test.got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			now, err := json.Marshal(test.want)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(now, test.got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", now, diff)
			}
		})
	}
}
