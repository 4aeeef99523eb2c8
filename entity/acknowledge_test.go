package entity

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// An operator can acknowledge only attention that needs no other answer and does not end by itself.
func TestAcknowledge(t *testing.T) {
	const key = "r-1"
	for kind, want := range map[opportunity.AttentionKind]string{
		opportunity.AttentionFailed:      "",
		opportunity.AttentionMessage:     "",
		opportunity.AttentionFollowUp:    "",
		opportunity.AttentionPlaybook:    "",
		opportunity.AttentionEffect:      "",
		opportunity.AttentionUndecided:   "answer confirm, retry or skip",
		opportunity.AttentionParked:      "answer confirm, retry or skip",
		opportunity.AttentionService:     "answer confirm, retry or skip",
		opportunity.AttentionPaused:      "send resume",
		opportunity.AttentionAPI:         "ends by itself",
		opportunity.AttentionCredentials: "ends by itself",
		opportunity.AttentionOperation:   "ends by itself",
		opportunity.AttentionClock:       "ends by itself",
		opportunity.AttentionLimit:       "ends by itself",
		opportunity.AttentionRecord:      "ends by itself",
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := &State{}
			now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
			s.RaiseAttention(kind, key, "why", now)
			s.RaiseAttention(opportunity.AttentionFailed, "another", "why", now)
			_, err := s.Execute(opportunity.Acknowledge{Request: key}, "a-1", now)
			if want == "" {
				if err != nil || len(s.Attention) != 1 || s.Attention[0].Request != "another" {
					t.Fatalf("attention %+v, %v; want only the other attention", s.Attention, err)
				}
				if again, err := s.Execute(opportunity.Acknowledge{Request: key}, "a-1", now); err != nil || again.State != opportunity.Done {
					t.Errorf("the repeated message returns %+v, %v", again, err)
				}
				return
			}
			var refused *opportunity.Error
			if !errors.As(err, &refused) || refused.Type != opportunity.Invalid || !strings.Contains(refused.Message, want) || len(s.Attention) != 2 {
				t.Errorf("got %v with the attention %+v; want Invalid with %q", err, s.Attention, want)
			}
		})
	}
}

func TestAcknowledgeOneKind(t *testing.T) {
	s := &State{}
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	s.RaiseAttention(opportunity.AttentionFailed, "r-1", "why", now)
	s.RaiseAttention(opportunity.AttentionPlaybook, "r-1", "why", now)
	var refused *opportunity.Error
	for _, c := range []opportunity.Acknowledge{{Request: "r-2"}, {Request: "r-1", Kind: "message"}} {
		if _, err := s.Execute(c, "", now); !errors.As(err, &refused) || refused.Type != opportunity.NotFound {
			t.Errorf("%+v: got %v, want NotFound", c, err)
		}
	}
	if _, err := s.Execute(opportunity.Acknowledge{Request: "r-1", Kind: "failed"}, "", now); err != nil || len(s.Attention) != 1 || s.Attention[0].Kind != opportunity.AttentionPlaybook {
		t.Errorf("attention %+v, %v; want only the kind playbook", s.Attention, err)
	}
}

// An effect that waits for an operator needs another answer than acknowledge.
func TestAcknowledgeDoesNotAnswerAnEffect(t *testing.T) {
	s := &State{}
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	s.ActiveEffects = []ActiveEffect{{Problem: "refused"}}
	s.ActiveEffects[0].Effect.Key = "1/win/after/1/account"
	s.RaiseAttention(opportunity.AttentionEffect, "1/win/after/1/account", "why", now)
	var refused *opportunity.Error
	if _, err := s.Execute(opportunity.Acknowledge{Request: "1/win/after/1/account"}, "", now); !errors.As(err, &refused) || refused.Type != opportunity.Invalid {
		t.Errorf("got %v, want Invalid", err)
	}
}
