package opportunity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
)

// logLines are effects of two kilobytes each.
func logLines(n int) []opportunity.Effect {
	all := make([]opportunity.Effect, n)
	for i := range all {
		all[i] = opportunity.Effect{
			Key: fmt.Sprintf("win/%d/log", i), Kind: opportunity.EffectLog, Undo: opportunity.UndoNone,
			Log: &opportunity.WriteLog{Status: opportunity.LogSuccess, Message: strings.Repeat("x", 2000)},
		}
	}
	return all
}

// An effect before a move is never left out, even when much waits: the move would be made without it. An effect
// after a move may be left out, and an operator is told to do it by hand.
func TestEffectsBeforeAMoveAreNotLeftOut(t *testing.T) {
	many := 2 * opportunity.MaxJobBytes / 2000
	s := opened(t)
	s.Ruled(&opportunity.Rules{Digest: "d", Moves: true}, noon)
	if _, err := s.Accept(opportunity.Progress{RequestID: "won", To: "Won"}, "won", false, noon); err != nil {
		t.Fatal(err)
	}
	request, _, due := s.MoveToPlan()
	if !due {
		t.Fatal("the move is not to be planned")
	}
	s.MovePlanned(request, opportunity.Plan{Digest: "d", Before: logLines(many)}, noon)
	if view := s.View(); len(view.Working) != many || len(view.Effects) > 0 || len(view.Attention) > 0 {
		t.Errorf("before a move %d effects wait, %d are told of; want all %d to wait", len(view.Working), len(view.Effects), many)
	}

	s = opened(t)
	s.Ruled(&opportunity.Rules{Digest: "d", Happenings: true}, noon)
	s.Happened(opportunity.Plan{Digest: "d", After: logLines(many)}, noon)
	view := s.View()
	if len(view.Working) == 0 || len(view.Working) >= many {
		t.Errorf("after something %d of %d effects wait; want as many as there is room for", len(view.Working), many)
	}
	left := 0
	for _, entry := range view.Effects {
		if entry.How == opportunity.EffectLeft {
			left++
		}
	}
	if left+len(view.Working) != many || len(view.Attention) == 0 || !strings.Contains(view.Attention[0].Text, "do it by hand") {
		t.Errorf("%d wait and %d are left out, of %d; attention %+v", len(view.Working), left, many, view.Attention)
	}
}
