package host

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/settings"
)

// Each of these playbooks writes a log entry with a different message after a transition.
const (
	playbookOne = "transitions:\n  - name: win\n    to: { state: Won }\n    after: [{ log: { message: one } }]\n"
	playbookTwo = "transitions:\n  - name: win\n    to: { state: Won }\n    after: [{ log: { message: two } }]\n"
)

// namespaceClient is a Temporal client that returns the state of a namespace from memory.
type namespaceClient struct {
	client.Client

	mu      sync.Mutex
	state   lifecycle.NamespaceState
	ahead   time.Duration // how far the server's clock is ahead of the worker's clock
	blocked bool          // when true, queries get no response
	// onQuery (if not nil) is called before each response.
	onQuery func()
}

func (c *namespaceClient) WorkflowService() workflowservice.WorkflowServiceClient {
	return stickyService{}
}

type stickyService struct {
	workflowservice.WorkflowServiceClient
}

func (stickyService) ResetStickyTaskQueue(context.Context, *workflowservice.ResetStickyTaskQueueRequest, ...grpc.CallOption) (*workflowservice.ResetStickyTaskQueueResponse, error) {
	return &workflowservice.ResetStickyTaskQueueResponse{}, nil
}

func (c *namespaceClient) QueryWorkflow(ctx context.Context, _, _, _ string, args ...any) (converter.EncodedValue, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blocked {
		c.mu.Unlock()
		<-ctx.Done()
		c.mu.Lock()
		return nil, ctx.Err()
	}
	if c.onQuery != nil {
		c.onQuery()
	}
	question, _ := args[0].(lifecycle.NamespaceInput)
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(c.state.WithTexts(question.Texts...))
	return client.NewValue(payloads), err
}

// now returns the time of the server's clock.
func (c *namespaceClient) now() time.Time { return time.Now().Add(c.ahead) }

func (c *namespaceClient) deploy(t *testing.T, text string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.state.Deploy(lifecycle.Deployment{Text: text}, c.now(), lifecycle.PlaybookInForceAfter); err != nil {
		t.Fatal(err)
	}
}

func (c *namespaceClient) block(blocked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocked = blocked
}

func (c *namespaceClient) share(other *namespaceClient) {
	other.mu.Lock()
	defer other.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	other.state = c.state
}

func newReadingGuard(t *testing.T, c *namespaceClient, s settings.Playbook, log *bytes.Buffer) *tenantGuard {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	own, err := resolvePlaybook(&s)
	if err != nil {
		t.Fatal(err)
	}
	b := newTenantGuard("sales", "", newPlaybookCache(&s, own, logger), logger)
	b.temporal, b.tenant = c, &lifecycle.Tenant{ClientID: "client"}
	return b
}

func sandboxState() lifecycle.NamespaceState {
	s := lifecycle.NamespaceState{}
	s.Rebind(lifecycle.Tenant{ClientID: "client"}, time.Now())
	return s
}

// Once a version is in force, no worker plans with an earlier version, even if the worker's clock
// is wrong or its reads get no response.
func TestNoWorkerPlansByTheVersionBeforeOnceAnotherIsInForce(t *testing.T) {
	for name, test := range map[string]struct {
		ahead  time.Duration // how far the server's clock is ahead of the worker's clock
		blocks int           // seconds from the worker's start to the moment from which its reads get no response
		opens  int           // seconds from the worker's start to the moment from which its reads get a response again
		stored int           // seconds from the worker's start to the moment at which the second version is stored
	}{
		"reads in time":                    {0, -1, -1, 100},
		"reads just before it is stored":   {0, 91, 300, 92},
		"never reads again":                {0, 31, 9999, 32},
		"reads again":                      {0, 40, 120, 70},
		"the worker's clock is slow":       {time.Hour, -1, -1, 95},
		"the worker's clock is fast":       {-time.Hour, -1, -1, 61},
		"slow clock and blocked":           {time.Hour, 31, 200, 32},
		"fast clock and blocked for a bit": {-time.Hour, 55, 75, 56},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				c := &namespaceClient{ahead: test.ahead, state: sandboxState()}
				c.deploy(t, playbookOne)
				var log bytes.Buffer
				b := newReadingGuard(t, c, settings.Playbook{}, &log)
				if err := b.compareTenant(ctx); err != nil || b.check() != nil {
					t.Fatal(err, b.check())
				}
				var watching sync.WaitGroup
				watching.Go(func() { _ = b.keepComparing(ctx) })
				var planned [3]int
				for second := range 400 {
					switch second {
					case test.stored:
						c.deploy(t, playbookTwo)
					case test.blocks:
						c.block(true)
					case test.opens:
						c.block(false)
					}
					synctest.Wait()
					book, err := b.playbooks.versionAt(c.now())
					var notSent *administrate.NotSentError
					switch inForce := second >= test.stored+45; {
					case err != nil && (!errors.As(err, &notSent) || notSent.Reason != administrate.NotReady):
						t.Errorf("after %d s: %v", second, err)
					case err == nil && inForce && book.Version != 2, err == nil && !inForce && book.Version != 1:
						t.Errorf("after %d s planned by version %d", second, book.Version)
					case err == nil:
						planned[book.Version]++
					case test.blocks < 0:
						t.Errorf("after %d s nothing is planned: %v", second, err)
					}
					time.Sleep(time.Second)
				}
				if planned[1] == 0 || planned[2] == 0 && test.opens < 400 {
					t.Errorf("planned by version: %v", planned)
				}
				if test.opens > test.blocks+50 && !strings.Contains(log.String(), "the worker last read the namespace") {
					t.Errorf("the log: %s", log.String())
				}
				stop()
				watching.Wait()
			})
		})
	}
}

// Both workers of a namespace use the same playbook, even if the settings of only one worker name a
// playbook.
func TestWorkersOfANamespaceFollowOnePlaybook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &namespaceClient{state: sandboxState()}, &namespaceClient{}
		first.deploy(t, playbookOne)
		first.share(second)
		var log, otherLog bytes.Buffer
		with, without := newReadingGuard(t, first, settings.Playbook{File: settings.DefaultPlaybook}, &log), newReadingGuard(t, second, settings.Playbook{File: settings.NoPlaybook}, &otherLog)
		for _, b := range []*tenantGuard{with, without} {
			if err := b.compareTenant(t.Context()); err != nil {
				t.Fatal(err)
			}
			if book, err := b.playbooks.versionAt(time.Now()); err != nil || book.Version != 1 || !strings.Contains(book.Playbook.Explain(), "one") {
				t.Errorf("%+v, %v", book, err)
			}
		}
		if !strings.Contains(log.String(), "does not use the playbook of its settings") || strings.Contains(otherLog.String(), "does not use the playbook of its settings") {
			t.Errorf("the logs:\n%s\n%s", log.String(), otherLog.String())
		}
	})
}

// If a worker does not know an element of the version in force, or lacks a key of a service, the
// worker plans and sends nothing and logs the reason.
func TestAWorkerThatCannotWorkByThePlaybookSendsNothing(t *testing.T) {
	for says, text := range map[string]string{
		"unknown member": playbookOne + "later: { x: 1 }\n",
		"erp-key":        playbookOne + "services:\n  erp: { url: https://erp.example.com, secret: erp-key }\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &namespaceClient{state: sandboxState()}
			c.deploy(t, playbookOne)
			c.deploy(t, text)
			var log bytes.Buffer
			b := newReadingGuard(t, c, settings.Playbook{}, &log)
			if err := b.compareTenant(t.Context()); err != nil {
				t.Fatal(err)
			}
			if book, err := b.playbooks.versionAt(time.Now()); err != nil || book.Version != 1 {
				t.Errorf("before it is in force: %+v, %v", book, err)
			}
			time.Sleep(lifecycle.PlaybookInForceAfter)
			if err := b.compareTenant(t.Context()); err != nil {
				t.Fatal(err)
			}
			var notSent *administrate.NotSentError
			if err := b.permit(t.Context()); !errors.As(err, &notSent) || notSent.Reason != administrate.NotReady {
				t.Errorf("permitted: %v", err)
			}
			if err := b.check(); err == nil || !strings.Contains(err.Error(), "version 2 of the playbook") || !strings.Contains(err.Error(), says) {
				t.Errorf("health: %v", err)
			}
			if !strings.Contains(log.String(), "cannot use a version") || !strings.Contains(log.String(), says) {
				t.Errorf("the log: %s", log.String())
			}
			c.deploy(t, playbookTwo)
			time.Sleep(lifecycle.PlaybookInForceAfter)
			if err := b.compareTenant(t.Context()); err != nil || b.check() != nil {
				t.Error(err, b.check())
			}
		})
	}
}

// If a namespace has lost versions of the playbook, the worker sends nothing.
func TestVersionsThatWereReadAreNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &namespaceClient{state: sandboxState()}
		c.deploy(t, playbookOne)
		c.deploy(t, playbookTwo)
		var log bytes.Buffer
		b := newReadingGuard(t, c, settings.Playbook{}, &log)
		if err := b.compareTenant(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.state = sandboxState()
		c.deploy(t, playbookOne)
		for range 5 {
			if err := b.compareTenant(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if err := b.check(); err == nil || !strings.Contains(err.Error(), "oppflow playbook deploy FILE --above 2") {
			t.Errorf("%v", err)
		}
	})
}

// Somebody deploys a version after the worker has read the list of versions, and before the worker
// reads the texts of the versions. The worker never plans with an empty playbook instead of the
// deployed version.
func TestAVersionThatComesBetweenTwoReadsIsReadWithItsText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &namespaceClient{state: sandboxState()}
		c.deploy(t, playbookOne)
		queries := 0
		c.onQuery = func() {
			if queries++; queries == 2 {
				if _, err := c.state.Deploy(lifecycle.Deployment{Text: playbookTwo}, c.now(), lifecycle.PlaybookInForceAfter); err != nil {
					t.Error(err)
				}
			}
		}
		var log bytes.Buffer
		b := newReadingGuard(t, c, settings.Playbook{}, &log)
		if err := b.compareTenant(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, version := range c.state.Playbooks {
			book, loaded := b.playbooks.loaded[version.Number]
			if !loaded || book.problem != nil || book.Playbook.Features().Transitions != true {
				t.Errorf("version %d is loaded: %t, %v, %+v", version.Number, loaded, book.problem, book.Playbook.Features())
			}
		}
	})
}
