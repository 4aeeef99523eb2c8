package host

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	taskqueue "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
)

func TestWorkerIsReadyOnceItAsksForTasksOfBothKinds(t *testing.T) {
	workflows := func(queue string) any {
		return &workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueue.TaskQueue{Name: queue}}
	}
	calls := func(queue string) any {
		return &workflowservice.PollActivityTaskQueueRequest{TaskQueue: &taskqueue.TaskQueue{Name: queue}}
	}
	for name, test := range map[string]struct {
		requests []any
		ready    bool
	}{
		"nothing":                    {nil, false},
		"workflows only":             {[]any{workflows(lifecycle.TaskQueue), workflows(lifecycle.TaskQueue)}, false},
		"calls only":                 {[]any{calls(activities.TaskQueue), calls(activities.TaskQueue)}, false},
		"queues mixed up":            {[]any{workflows(activities.TaskQueue), calls(lifecycle.TaskQueue)}, false},
		"both":                       {[]any{calls(activities.TaskQueue), workflows(lifecycle.TaskQueue)}, true},
		"both, again and in between": {[]any{workflows(lifecycle.TaskQueue), workflows("sticky"), calls(activities.TaskQueue), calls(activities.TaskQueue), workflows(lifecycle.TaskQueue)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			seen := newPolls()
			passed := 0
			for _, request := range test.requests {
				err := seen.intercept(t.Context(), "", request, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
					passed++
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
			if passed != len(test.requests) {
				t.Errorf("%d of %d requests were passed on", passed, len(test.requests))
			}
			select {
			case <-seen.both:
				if !test.ready {
					t.Error("ready")
				}
			default:
				if test.ready {
					t.Error("not ready")
				}
			}
		})
	}
}

func TestReadyFileAppearsWholeAndAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ready")
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteReady(path, map[string]string{"url": "http://x"}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(content, &got); err != nil || got["url"] != "http://x" {
		t.Errorf("ready file %q: %v", content, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
	if err := WriteReady("", nil); err != nil {
		t.Errorf("without a path: %v", err)
	}
	missing := filepath.Join(dir, "nowhere", "ready")
	if err := WriteReady(missing, nil); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a directory that is not there: %v", err)
	}
}
