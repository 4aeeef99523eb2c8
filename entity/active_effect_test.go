package entity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// logLines returns n effects that write log entries of two kilobytes each.
func logLines(n int) []exchange.Effect {
	all := make([]exchange.Effect, n)
	for i := range all {
		all[i] = exchange.Effect{
			Key: fmt.Sprintf("win/%d/log", i), Kind: opportunity.EffectLog, Undo: exchange.UndoNone,
			Settings: exchange.NewSettings(exchange.WriteLog{Status: exchange.LogSuccess, Message: strings.Repeat("x", 2000)}),
		}
	}
	return all
}

// TestEffectsBeforeATransitionAreNotSkipped: an effect before a transition is never abandoned, even
// when many effects wait, because the transition would be made without the effect. An effect of
// EffectStageAfter may be abandoned, and an operator is asked to carry the effect out by hand.
func TestEffectsBeforeATransitionAreNotSkipped(t *testing.T) {
	many := 2 * opportunity.MaxActiveEffectBytes / 2000
	s := openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Transitions: true}, noon)
	if _, err := s.Accept(opportunity.Progress{RequestID: "won", To: "Won"}, "won", false, noon); err != nil {
		t.Fatal(err)
	}
	request, _, due := s.TransitionToPlan()
	if !due {
		t.Fatal("the move is not to be planned")
	}
	s.ApplyTransitionPlan(request, exchange.Plan{Digest: "d", Before: logLines(many)}, false, noon)
	if view := s.View(); len(view.RunningEffects) != many || len(view.EffectResults) > 0 || len(view.Attention) > 0 {
		t.Errorf("before a move %d effects wait, %d are told of; want all %d to wait", len(view.RunningEffects), len(view.EffectResults), many)
	}

	s = openedState(t)
	s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Reactions: true}, noon)
	s.ApplyReactionPlan(exchange.Plan{Digest: "d", After: logLines(many)}, noon)
	view := s.View()
	if len(view.RunningEffects) == 0 || len(view.RunningEffects) >= many {
		t.Errorf("after something %d of %d effects wait; want as many as there is room for", len(view.RunningEffects), many)
	}
	left := 0
	for _, entry := range view.EffectResults {
		if entry.Outcome == opportunity.EffectAbandoned {
			left++
		}
	}
	if left+len(view.RunningEffects) != many || len(view.Attention) == 0 || !strings.Contains(view.Attention[0].Reason, "carry the effect out by hand") {
		t.Errorf("%d wait and %d are left out, of %d; attention %+v", len(view.RunningEffects), left, many, view.Attention)
	}
}

func TestAttentionNamesTheEffectAndItsEvent(t *testing.T) {
	const event = "Q291cnNlOjM="
	register := exchange.EffectRequest{Kind: exchange.RequestRegister, Target: event, IDs: []opportunity.ID{"UGVyc29uOjI="}}
	rejected := exchange.ChangeResult{Status: exchange.StatusRejected, Error: &opportunity.Error{Type: opportunity.Rejected, Label: "Not Published", Message: "Melissa Green"}}
	named := rejected
	named.About = `event "First Aid at Work" (` + event + `), which is cancelled`
	const answers = ". Answer confirm (the effect has its wanted result), retry (Oppflow tries the effect again) or skip (Oppflow drops the effect)"
	for name, test := range map[string]struct {
		request exchange.EffectRequest
		result  exchange.ChangeResult
		want    string
	}{
		"the event with its name": {register, named, `Not Published (response to: register learners, event "First Aid at Work" (Q291cnNlOjM=), which is cancelled)` + answers},
		"of an earlier worker":    {register, rejected, "Not Published (response to: register learners, event Q291cnNlOjM=)" + answers},
		"no event":                {exchange.EffectRequest{Kind: exchange.RequestSetAttributes}, rejected, "Not Published (response to: set attributes)" + answers},
	} {
		t.Run(name, func(t *testing.T) {
			s := openedState(t)
			s.SetPlaybook(&exchange.PlaybookFeatures{Digest: "d", Reactions: true}, noon)
			s.ApplyReactionPlan(exchange.Plan{Digest: "d", After: []exchange.Effect{{Key: "win/after/2/register", Kind: opportunity.EffectRegister}}}, noon)
			due, is := s.DueEffect(noon)
			if !is {
				t.Fatal("no effect is due")
			}
			key := due.Effect.Key
			if s.ApplyInspection(key, entity.Inspection{NextRequest: &test.request}, noon) == nil {
				t.Fatal("the request is not sent")
			}
			s.ApplyEffectRequestResult(key, test.request, test.result, exchange.UndoEntry{}, nil, noon)
			view := s.View()
			if want := "effect register (" + key + "): " + test.want; len(view.Attention) != 1 || view.Attention[0].Reason != want || view.Attention[0].Request != key {
				t.Errorf("attention %+v, want %q", view.Attention, want)
			}
			if len(view.RunningEffects) != 1 || view.RunningEffects[0].Problem != test.want {
				t.Errorf("effects %+v, want the problem %q", view.RunningEffects, test.want)
			}
		})
	}
}
