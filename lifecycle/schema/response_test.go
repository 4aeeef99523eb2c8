package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// A response that fills every member fits its schema. A response does not fit its schema when a
// required member is missing or has another type.
func TestAnswersFitTheirSchemas(t *testing.T) {
	checker := newChecker(t)
	for _, d := range documents() {
		if !d.isResponse {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			value := reflect.New(reflect.TypeOf(d.value)).Elem()
			fill(t, value)
			answer := asJSON(t, value.Interface())
			passes := func(what string, answer jsonObject, want bool) {
				t.Helper()
				err := checker.refuses(d.name, encodeAnswer(t, answer))
				if (err == nil) != want {
					t.Errorf("%s: passes: %t; want %t: %v", what, err == nil, want, err)
				}
			}
			passes("filled", answer, true)
			always := asJSON(t, d.value) // the zero value has only the members that are always present
			for _, name := range slices.Sorted(maps.Keys(answer)) {
				changed := maps.Clone(answer)
				delete(changed, name)
				_, wanted := always[name]
				passes("without "+name, changed, !wanted)
				changed[name] = []any{1}
				passes("with another type of "+name, changed, false)
			}
			later := maps.Clone(answer)
			later["cameLater"] = jsonObject{"a": 1}
			passes("of a later version", later, true)
		})
	}
}

func TestRealAnswersFitTheirSchemas(t *testing.T) {
	checker := newChecker(t)
	now := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	state := entity.NewState("order-1", opportunity.Start{Name: "First Aid course", Region: "UK"}, now)
	check := func(name string, answer any) {
		t.Helper()
		if err := checker.refuses(name, encodeAnswer(t, answer)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, encodeAnswer(t, answer))
		}
	}
	check("view", state.View())
	check("ended", state.Result())
	check("opened-result", opportunity.CreateOutcome{State: opportunity.Pending, Reference: "order-1"})
	step := opportunity.Step{ID: "T3Bwb3J0dW5pdHlTdGVwOjM=", Name: "Proposed", Stage: opportunity.Stage{ID: "T3Bwb3J0dW5pdHlTdGFnZToz", Name: "Proposed", State: opportunity.Open}}
	state.ApplyCreated(exchange.Snapshot{ID: "T3Bwb3J0dW5pdHk6MQ==", Details: opportunity.Details{Name: "First Aid course"}, Step: step}, opportunity.Ref{ID: "UmVnaW9uOjI=", Name: "UK"}, now)
	if _, err := state.Accept(opportunity.Progress{To: "Won"}, "move", false, now); err != nil {
		t.Fatal(err)
	}
	outcome, err := state.Outcome("move")
	if err != nil || outcome.State != opportunity.Pending {
		t.Fatal(outcome, err)
	}
	check("outcome-result", outcome)
	if _, err := state.Execute(opportunity.Pause{Reason: "audit"}, "", now); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Execute(opportunity.Close{Reason: "a duplicate"}, "", now); err != nil {
		t.Fatal(err)
	}
	state.FailAll(state.Closing.RequestError(), now)
	outcome, err = state.Outcome("move")
	if err != nil || outcome.State != opportunity.Failed {
		t.Fatal(outcome, err)
	}
	check("outcome-result", outcome)
	check("error", outcome.Error)
	check("view", state.View())
	check("ended", state.Result())
}

func encodeAnswer(t *testing.T, answer any) []byte {
	t.Helper()
	data, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func asJSON(t *testing.T, value any) jsonObject {
	t.Helper()
	var m jsonObject
	if err := json.Unmarshal(encodeAnswer(t, value), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 12, 31, 17, 0, 0, 500, time.FixedZone("", 3600))))
		return
	case opportunity.Amount:
		amount, err := opportunity.ParseAmount("199.9")
		if err != nil {
			t.Fatal(err)
		}
		v.Set(reflect.ValueOf(amount))
		return
	case opportunity.InterestKind:
		v.SetString(string(opportunity.Event))
		return
	case opportunity.OutcomeState:
		v.SetString(string(opportunity.Failed))
		return
	case opportunity.StageState:
		v.SetString(string(opportunity.Won))
		return
	case opportunity.ErrorType:
		v.SetString(string(opportunity.TransitionNotFound))
		return
	case opportunity.AttentionKind:
		v.SetString(string(opportunity.AttentionUndecided))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.ToLower(v.Type().Name()) + " ✓")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for n := range v.Len() {
			fill(t, v.Index(n))
		}
	case reflect.Struct:
		for n := range v.NumField() {
			fill(t, v.Field(n))
		}
	default:
		t.Fatalf("a member of type %s cannot be filled", v.Type())
	}
}
