package opportunity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func TestSourceIsNotCompared(t *testing.T) {
	start := opportunity.Start{Name: "Course", Region: "UK"}
	other := start
	other.Source, other.Urgent = "shop", true
	if start.Digest() != other.Digest() {
		t.Error("starts that differ in source and urgency are not equal")
	}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	s := entity.NewState("A-1", start, now)
	for _, source := range []string{"shop", "", "crm"} {
		if _, err := s.Accept(opportunity.Progress{To: "Won", Source: source}, "one", true, now); err != nil {
			t.Errorf("the same request from %q: %v", source, err)
		}
		if err := s.CheckUpdate(opportunity.Progress{To: "Won", Source: source}, "one", now); err != nil {
			t.Errorf("the same request from %q as an update: %v", source, err)
		}
		if _, err := s.Execute(opportunity.Pause{Source: source}, "two", now); err != nil {
			t.Errorf("the same instruction from %q: %v", source, err)
		}
	}
	if len(s.Queue) != 1 {
		t.Errorf("%d commands wait", len(s.Queue))
	}
	if _, err := s.Accept(opportunity.Progress{To: "Lost"}, "one", true, now); err == nil {
		t.Error("another request under the same id is taken")
	}
}

func TestFairnessKey(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	long := strings.Repeat("é", 40)
	for _, test := range []struct {
		start         opportunity.Start
		command       string
		before, after string
	}{
		{opportunity.Start{Region: "UK"}, "", "UK", "United Kingdom"},
		{opportunity.Start{Region: "UK", Source: "sales"}, "", "sales", "United Kingdom"},
		{opportunity.Start{Region: "UK", Source: "sales"}, "shop", "sales", "shop"},
		{opportunity.Start{Region: long}, "", long[:64], "United Kingdom"},
		{opportunity.Start{Adopt: "T3Bwb3J0dW5pdHk6MQ=="}, "shop", "", "shop"},
	} {
		s := entity.NewState("A-1", test.start, now)
		before := s.FairnessKey()
		s.ApplyCreated(exchange.Snapshot{ID: "T3Bwb3J0dW5pdHk6MQ=="}, opportunity.Ref{ID: "UmVnaW9uOlVL", Name: "United Kingdom"}, now)
		if _, err := s.Accept(opportunity.Progress{To: "Won", Source: test.command}, "", true, now); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var carried entity.State // as the next run receives it
		if err := json.Unmarshal(data, &carried); err != nil {
			t.Fatal(err)
		}
		if after := carried.FairnessKey(); before != test.before || after != test.after {
			t.Errorf("%+v, then %q: %q, then %q", test.start, test.command, before, after)
		}
	}
}

func TestSourceIsBounded(t *testing.T) {
	for _, source := range []string{strings.Repeat("a", 65), "a\nb", "a\xff"} {
		for _, m := range []interface{ Validate() error }{
			opportunity.Start{Name: "Course", Region: "UK", Source: source},
			opportunity.Progress{To: "Won", Source: source},
			opportunity.Resume{Source: source},
			opportunity.Close{Reason: "r", Source: source},
		} {
			var invalid *opportunity.Error
			if err := m.Validate(); !errors.As(err, &invalid) || !strings.HasPrefix(invalid.Message, "source: ") {
				t.Errorf("%T with source %q: %v", m, source, err)
			}
		}
	}
}
