package host

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueue "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/lifecycle"
)

func workflowPoll(queue string) any {
	return &workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueue.TaskQueue{Name: queue}}
}

func activityPoll(queue string) any {
	return &workflowservice.PollActivityTaskQueueRequest{TaskQueue: &taskqueue.TaskQueue{Name: queue}}
}

func cachedPoll() any {
	return &workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueue.TaskQueue{
		Name: "host:1f0c", NormalName: lifecycle.TaskQueue, Kind: enums.TASK_QUEUE_KIND_STICKY,
	}}
}

// sendPoll sends one poll. After the time after, the service returns the error answer.
func sendPoll(t *testing.T, p *pollMonitor, request any, after time.Duration, answer error) {
	t.Helper()
	err := p.intercept(t.Context(), "", request, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		time.Sleep(after) // by the clock of synctest
		return answer
	})
	if !errors.Is(err, answer) {
		t.Errorf("the answer %v became %v", answer, err)
	}
}

func TestWorkerIsReadyOnceItAsksForTasksOfBothKinds(t *testing.T) {
	workflows, calls := workflowPoll, activityPoll
	for name, test := range map[string]struct {
		requests []any
		ready    bool
	}{
		"nothing":                    {nil, false},
		"workflows only":             {[]any{workflows(lifecycle.TaskQueue), workflows(lifecycle.TaskQueue)}, false},
		"calls only":                 {[]any{calls(activities.TaskQueue), calls(activities.TaskQueue)}, false},
		"queues mixed up":            {[]any{workflows(activities.TaskQueue), calls(lifecycle.TaskQueue)}, false},
		"cached workflows only":      {[]any{cachedPoll(), calls(activities.TaskQueue)}, false},
		"something else":             {[]any{&workflowservice.GetSystemInfoRequest{}}, false},
		"both":                       {[]any{calls(activities.TaskQueue), workflows(lifecycle.TaskQueue)}, true},
		"both, again and in between": {[]any{workflows(lifecycle.TaskQueue), cachedPoll(), calls(activities.TaskQueue), calls(activities.TaskQueue), workflows(lifecycle.TaskQueue)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			seen := newPollMonitor()
			for _, request := range test.requests {
				sendPoll(t, seen, request, 0, nil)
			}
			select {
			case <-seen.bothPolled:
				if !test.ready {
					t.Error("ready")
				}
			default:
				if test.ready {
					t.Error("not ready")
				}
			}
			if err := seen.check(); (err == nil) != test.ready {
				t.Errorf("check says %v", err)
			}
		})
	}
}

func TestWorkerIsReadyWhileTheServiceIsAskedForTasks(t *testing.T) {
	refused := serviceerror.NewUnavailable("connection refused")
	late := serviceerror.NewDeadlineExceeded("context deadline exceeded")
	idle := func(t *testing.T, p *pollMonitor, request any) { sendPoll(t, p, request, time.Minute, nil) }
	for name, test := range map[string]struct {
		// Polls for activities always get a response.
		workflows func(t *testing.T, p *pollMonitor)
		// ready contains times at which the worker must be ready, and unready contains times at
		// which the worker must not be ready. The times in ready and unready are durations since
		// the worker became ready.
		ready, unready []time.Duration
	}{
		"nothing to do": {
			workflows: func(t *testing.T, p *pollMonitor) {
				for range 5 {
					idle(t, p, workflowPoll(lifecycle.TaskQueue))
				}
			},
			ready: []time.Duration{0, 29 * time.Second, 59 * time.Second, time.Minute, 2*time.Minute - time.Second, 4*time.Minute + 40*time.Second},
		},
		"only what is cached has tasks for long": {
			workflows: func(t *testing.T, p *pollMonitor) {
				for range 300 {
					sendPoll(t, p, cachedPoll(), time.Second, nil)
				}
			},
			ready: []time.Duration{time.Second, time.Minute, 5 * time.Minute},
		},
		"refused at once, for good": {
			workflows: func(t *testing.T, p *pollMonitor) {
				for range 300 {
					sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), time.Second, refused)
				}
			},
			ready:   []time.Duration{time.Second, 44 * time.Second},
			unready: []time.Duration{46 * time.Second, 5 * time.Minute},
		},
		"cut off in the middle and back soon": {
			workflows: func(t *testing.T, p *pollMonitor) {
				sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), 50*time.Second, refused)
				for range 10 {
					sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), time.Second, refused)
				}
				idle(t, p, workflowPoll(lifecycle.TaskQueue))
			},
			ready: []time.Duration{49 * time.Second, 51 * time.Second, 61 * time.Second, 89 * time.Second, 119 * time.Second},
		},
		"back after long": {
			workflows: func(t *testing.T, p *pollMonitor) {
				for range 120 {
					sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), time.Second, refused)
				}
				idle(t, p, workflowPoll(lifecycle.TaskQueue))
			},
			ready:   []time.Duration{151 * time.Second},
			unready: []time.Duration{60 * time.Second, 121 * time.Second},
		},
		"connections that are accepted by nobody": {
			workflows: func(t *testing.T, p *pollMonitor) {
				for range 20 {
					sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), 20*time.Second, refused)
				}
			},
			unready: []time.Duration{46 * time.Second, 70 * time.Second, 399 * time.Second},
		},
		"taken by a service that never answers": {
			workflows: func(t *testing.T, p *pollMonitor) {
				for range 5 {
					sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), 70*time.Second, late)
				}
			},
			unready: []time.Duration{71 * time.Second, 99 * time.Second},
		},
		"not asked any more": {
			workflows: func(*testing.T, *pollMonitor) {},
			ready:     []time.Duration{44 * time.Second},
			unready:   []time.Duration{46 * time.Second, time.Hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for moment, want := range readinessAt(test.ready, test.unready) {
				synctest.Test(t, func(t *testing.T) {
					p := newPollMonitor()
					sendPoll(t, p, workflowPoll(lifecycle.TaskQueue), 0, nil)
					sendPoll(t, p, activityPoll(activities.TaskQueue), 0, nil)
					ended := make(chan struct{})
					var all sync.WaitGroup
					all.Go(func() {
						for {
							select {
							case <-ended:
								return
							default:
								idle(t, p, activityPoll(activities.TaskQueue))
							}
						}
					})
					all.Go(func() { test.workflows(t, p) })
					time.Sleep(moment)
					synctest.Wait()
					err := p.check()
					if (err == nil) != want {
						t.Errorf("after %v: %v", moment, err)
					}
					if err != nil && (!strings.Contains(err.Error(), lifecycle.TaskQueue) || strings.Contains(err.Error(), activities.TaskQueue)) {
						t.Errorf("after %v the wrong queue is blamed: %v", moment, err)
					}
					close(ended)
					all.Wait()
				})
			}
		})
	}
}

func readinessAt(ready, unready []time.Duration) map[time.Duration]bool {
	all := map[time.Duration]bool{}
	for _, moment := range ready {
		all[moment] = true
	}
	for _, moment := range unready {
		all[moment] = false
	}
	return all
}

func TestBothQueuesAreBlamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPollMonitor()
		for _, request := range []any{workflowPoll(lifecycle.TaskQueue), activityPoll(activities.TaskQueue)} {
			sendPoll(t, p, request, 0, serviceerror.NewUnavailable("nobody home"))
		}
		time.Sleep(time.Minute)
		err := p.check()
		if err == nil || strings.Count(err.Error(), "nobody home") != 2 {
			t.Errorf("check says %v", err)
		}
	})
}
