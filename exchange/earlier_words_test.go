package exchange_test

import (
	"encoding/json"
	"testing"

	"github.com/oppflow/oppflow/exchange"
)

func TestEarlierWordsAreRead(t *testing.T) {
	t.Parallel()
	var effect exchange.Effect
	if err := json.Unmarshal([]byte(`{"key":"k","kind":"reserve","undo":"trace"}`), &effect); err != nil || effect.Undo != exchange.UndoPartial {
		t.Errorf("undo is %q (%v)", effect.Undo, err)
	}
	var cause exchange.PlanCause
	if err := json.Unmarshal([]byte(`{"kind":"reservationLapsed"}`), &cause); err != nil || cause.Kind != exchange.CauseReservationExpired {
		t.Errorf("the cause is %q (%v)", cause.Kind, err)
	}
}
