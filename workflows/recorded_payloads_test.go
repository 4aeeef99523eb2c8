package workflows_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

type payloadTypes struct{ input, result func() any }

func typesOf[I, R any]() payloadTypes {
	return payloadTypes{func() any { return new(I) }, func() any { return new(R) }}
}

var recordedActivities = map[string]payloadTypes{
	activities.CreateOpportunity: typesOf[activities.CreateInput, activities.CreateResult](),
	activities.ApplyCommands:     typesOf[activities.ApplyInput, activities.ApplyResult](),
	activities.ReadOpportunity:   typesOf[activities.ReadInput, activities.ReadResult](),
	activities.FindOpportunity:   typesOf[activities.FindInput, activities.FindResult](),
	activities.ResolveNames:      typesOf[activities.ResolveInput, activities.ResolveResult](),
	activities.TagOpportunity:    typesOf[activities.TagInput, any](),
	activities.PlanOpportunity:   typesOf[activities.PlanInput, activities.PlanResult](),
	activities.InspectEffect:     typesOf[activities.EffectInput, activities.InspectResult](),
	activities.ExecuteEffect:     typesOf[activities.EffectInput, activities.ExecuteResult](),
	activities.CompareRuns:       typesOf[activities.CompareRunsInput, activities.CompareRunsResult](),
}

// The run reads, without a loss, the payloads that an earlier release wrote into a history. A
// payload that is decoded and encoded again has the same values. The names of the payload's members
// are the same, except for renamedMembers.
func TestRecordedPayloadsAreRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "histories", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, file := range files {
		source, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		history, err := client.HistoryFromJSON(source, client.HistoryJSONOptions{})
		_ = source.Close()
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, payload *commonpb.Payload, target any) {
			if payload == nil || string(payload.GetMetadata()["encoding"]) != "json/plain" {
				return
			}
			seen[what]++
			if err := readsAll(payload.GetData(), target); err != nil {
				t.Errorf("%s: %s: %v", file, what, err)
			}
		}
		if history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName() == lifecycle.NamespaceType {
			continue // its messages have other types
		}
		scheduled := map[int64]string{}
		for _, event := range history.GetEvents() {
			checkEvent(event, scheduled, check)
		}
	}
	for _, what := range []string{"state", "outcome", "input of ApplyCommands", "result of ApplyCommands", "result of ReadOpportunity"} {
		if seen[what] == 0 {
			t.Errorf("no history holds a %s: %v", what, seen)
		}
	}
}

func checkEvent(event *historypb.HistoryEvent, scheduled map[int64]string, check func(what string, payload *commonpb.Payload, target any)) {
	at := func(payloads *commonpb.Payloads, i int) *commonpb.Payload {
		if list := payloads.GetPayloads(); i < len(list) {
			return list[i]
		}
		return nil
	}
	if a := event.GetWorkflowExecutionStartedEventAttributes(); a.GetWorkflowType().GetName() == lifecycle.WorkflowType {
		check("state", at(a.GetInput(), 1), new(entity.State))
	}
	if a := event.GetWorkflowExecutionContinuedAsNewEventAttributes(); a != nil {
		check("state", at(a.GetInput(), 1), new(entity.State))
	}
	if a := event.GetWorkflowExecutionUpdateCompletedEventAttributes(); a != nil {
		outcome := at(a.GetOutcome().GetSuccess(), 0)
		if bytes.Contains(outcome.GetData(), []byte(`"requestId"`)) {
			check("outcome", outcome, new(opportunity.Outcome))
		} else {
			check("outcome of the creation", outcome, new(opportunity.CreateOutcome))
		}
	}
	if a := event.GetActivityTaskScheduledEventAttributes(); a != nil {
		name := a.GetActivityType().GetName()
		scheduled[event.GetEventId()] = name
		if types, is := recordedActivities[name]; is {
			check("input of "+name, at(a.GetInput(), 0), types.input())
		}
	}
	if a := event.GetActivityTaskCompletedEventAttributes(); a != nil {
		name := scheduled[a.GetScheduledEventId()]
		if types, is := recordedActivities[name]; is {
			check("result of "+name, at(a.GetResult(), 0), types.result())
		}
	}
}

// renamedMembers maps the earlier names of stored members to their present names.
var renamedMembers = map[string]string{"word": "kind", "how": "outcome"}

// readsAll decodes the data into the target and compares the encoded target with the data. The
// comparison ignores members with an empty value.
func readsAll(data []byte, target any) error {
	if err := json.Unmarshal(data, target); err != nil {
		return err
	}
	again, err := json.Marshal(target)
	if err != nil {
		return err
	}
	want, err := valuesOf(data)
	if err != nil {
		return err
	}
	got, err := valuesOf(again)
	if err != nil {
		return err
	}
	for _, value := range slices.Sorted(maps.Keys(want)) {
		if got[value] < want[value] {
			return fmt.Errorf("%q is lost (-recorded +read):\n%s", value, cmp.Diff(want, got))
		}
	}
	return nil
}

func valuesOf(data []byte) (map[string]int, error) {
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	var walk func(name string, value any)
	walk = func(name string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for member, inner := range v {
				if member == "queue" { // has an encoding and tests of its own
					continue
				}
				if renamed, is := renamedMembers[member]; is {
					member = renamed
				}
				walk(member, inner)
			}
		case []any:
			for _, inner := range v {
				walk(name, inner)
			}
		case nil:
		default:
			if text := fmt.Sprint(v); text != "" && text != "0" && text != "false" && !strings.HasPrefix(text, "0001-01-01") {
				counts[name+"="+text]++
			}
		}
	}
	walk("", document)
	return counts, nil
}
