package exchange_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/exchange"
)

func TestUnknownMembersAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		into any
		data string
	}{
		"effect":    {new(exchange.Effect), `{"key":"k","kind":"sms","undo":"none","sms":{"to":"+44","text":"<b>"},"tokens":{"waitUntil":"2026-11-23T09:00:00Z"}}`},
		"action":    {new(exchange.Action), `{"kind":"sms","sms":{"to":"+44"}}`},
		"follow-up": {new(exchange.FollowUp), `{"key":"k","name":"n","due":"2026-11-23T09:00:00Z","number":1,"of":1,"action":{"kind":"sms","sms":[1]}}`},
		"nothing":   {new(exchange.Effect), `{"key":"k","kind":"tokens","undo":"none","tokens":{"waitUntil":"2026-11-23T09:00:00Z"}}`},
	} {
		if err := json.Unmarshal([]byte(c.data), c.into); err != nil {
			t.Fatal(name, err)
		}
		written, err := json.Marshal(c.into)
		if err != nil {
			t.Fatal(name, err)
		}
		var want, got any
		if json.Unmarshal([]byte(c.data), &want) != nil || json.Unmarshal(written, &got) != nil {
			t.Fatalf("%s: %s", name, written)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
