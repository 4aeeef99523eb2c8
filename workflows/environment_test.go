package workflows_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
)

// newEnvironment returns a test environment with the given interceptors, in which activities are
// retried as a server retries them. Only newEnvironment may create a test environment.
func newEnvironment(t *testing.T, interceptors ...interceptor.WorkerInterceptor) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(discardLogger{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{
		Interceptors: append(interceptors, &serverRetries{}),
		// With this time-out, the SDK does not report a deadlock on a slow machine.
		DeadlockDetectionTimeout: 20 * time.Second,
	})
	return env
}

// serverRetries adds the defaults of a server to the retry policies of activities. By default, the
// test environment ends an activity without a limit of attempts after ten attempts, and a server
// does not.
type serverRetries struct {
	interceptor.WorkerInterceptorBase
}

type serverRetriesIn struct {
	interceptor.WorkflowInboundInterceptorBase
}

type serverRetriesOut struct {
	interceptor.WorkflowOutboundInterceptorBase
}

const (
	serverInterval = time.Second
	serverBackoff  = 2.0
	serverMaximum  = 100 // times the initial interval
)

func (*serverRetries) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &serverRetriesIn{}
	in.Next = next
	return in
}

func (i *serverRetriesIn) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	out := &serverRetriesOut{}
	out.Next = outbound
	return i.Next.Init(out)
}

func (o *serverRetriesOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	options.RetryPolicy = asOnServer(options.RetryPolicy)
	return o.Next.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, args...)
}

// asOnServer returns the policy with the defaults of a server in all members that are not set. The
// limit of attempts that asOnServer sets is so high that no test reaches the last attempt.
func asOnServer(policy *temporal.RetryPolicy) *temporal.RetryPolicy {
	var full temporal.RetryPolicy
	if policy != nil {
		full = *policy
	}
	full.InitialInterval = cmp.Or(full.InitialInterval, serverInterval)
	full.BackoffCoefficient = cmp.Or(full.BackoffCoefficient, serverBackoff)
	full.MaximumInterval = cmp.Or(full.MaximumInterval, serverMaximum*full.InitialInterval)
	full.MaximumAttempts = cmp.Or(full.MaximumAttempts, math.MaxInt32)
	return &full
}

// countStarted counts the activities with the given name. Several attempts of one activity count
// once.
func (s *fixture) countStarted(name string) *int {
	begun := 0
	s.failsAttempt = func(info activity.Info) error {
		if info.ActivityType.Name == name && info.Attempt == 1 {
			begun++
		}
		return nil
	}
	return &begun
}

// unlimited contains the names of the activities that a server repeats until they succeed. All
// other activities are tried once.
var unlimited = []string{
	activities.FindOpportunity, activities.InspectEffect, activities.PlanOpportunity, activities.ReadOpportunity, activities.ResolveNames,
}

// Each activity that only reads fails fifty times and is still repeated, as on a server.
func TestReadsAreRepeatedAsByAServer(t *testing.T) {
	const failures = 50
	for name, run := range map[string]func(*fixture){
		"a record that is created": func(s *fixture) {
			s.tms.create = func(n int) (bool, *activities.CreateResult, error) { return true, nil, errors.New("lost") }
			s.run(start, nil)
			// A second transition is requested while the email cannot be inspected. The run makes the
			// transition before it sends the email.
			s.wantLog("create", "do account", "progress Opportunity", "progress Won", "do mail")
		},
		"a record that is adopted": func(s *fixture) {
			createRecord(s)
			s.run(adoptStart, nil)
			s.wantLog("mark By hand of A-1", "do account", "progress Opportunity", "progress Won", "do mail")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			withTransitionEffects(s, []string{"account"}, []string{"mail"})
			named := false
			s.tms.apply = func(_ int, in activities.ApplyInput) (bool, *activities.ApplyResult, error) {
				if named {
					return true, nil, nil
				}
				named = true // the first transition names a step that needs a look-up
				return false, &activities.ApplyResult{CallResult: activities.CallResult{
					Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: in.Changes[0].Names(),
				}}, nil
			}
			var first, last time.Time
			tried := map[string]int32{}
			s.failsAttempt = func(info activity.Info) error {
				if !slices.Contains(unlimited, info.ActivityType.Name) {
					return nil
				}
				if tried[info.ActivityType.Name] = max(tried[info.ActivityType.Name], info.Attempt); info.Attempt > failures {
					return nil
				}
				switch info.Attempt {
				case failures - 1:
					first = s.env.Now()
				case failures:
					last = s.env.Now()
					if pause := last.Sub(first); pause != time.Minute {
						t.Errorf("%s is tried again after %s; want the longest pause, a minute", info.ActivityType.Name, pause)
					}
				}
				return errors.New("out of reach")
			}
			s.winAt(time.Second)
			run(s)
			for _, activity := range unlimited {
				if activity == activities.FindOpportunity && name == "a record that is adopted" {
					continue // nothing has to be found
				}
				if tried[activity] != failures+1 {
					t.Errorf("%s was tried %d times; want %d", activity, tried[activity], failures+1)
				}
			}
		})
	}
}

// The test environment repeats a child workflow without a limit, as a server does.
func TestChildWorkflowsAreRepeatedAsByAServer(t *testing.T) {
	env := newEnvironment(t)
	attempts := 0
	env.RegisterWorkflowWithOptions(func(workflow.Context) error {
		if attempts++; attempts <= 50 {
			return errors.New("not yet")
		}
		return nil
	}, workflow.RegisterOptions{Name: "child"})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{RetryPolicy: &temporal.RetryPolicy{MaximumInterval: time.Minute}})
		return workflow.ExecuteChildWorkflow(ctx, "child").Get(ctx, nil)
	})
	if err := env.GetWorkflowError(); err != nil || attempts != 51 {
		t.Errorf("%v after %d attempts; want success after 51", err, attempts)
	}
}

func TestActivitiesWithoutAPolicyAreRepeatedAsByAServer(t *testing.T) {
	for name, policy := range map[string]*temporal.RetryPolicy{"none": nil, "empty": {}} {
		env := newEnvironment(t)
		var tried []time.Time
		env.RegisterActivityWithOptions(func(context.Context) error {
			if tried = append(tried, env.Now()); len(tried) <= 50 {
				return errors.New("not yet")
			}
			return nil
		}, activity.RegisterOptions{Name: "read"})
		env.ExecuteWorkflow(func(ctx workflow.Context) error {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, RetryPolicy: policy})
			return workflow.ExecuteActivity(ctx, "read").Get(ctx, nil)
		})
		if err := env.GetWorkflowError(); err != nil || len(tried) != 51 {
			t.Errorf("%s: %v after %d attempts; want success after 51", name, err, len(tried))
			continue
		}
		if second, last := tried[1].Sub(tried[0]), tried[50].Sub(tried[49]); second != time.Second || last != 100*time.Second {
			t.Errorf("%s: pauses of %s at first and %s at last; want 1s and 1m40s", name, second, last)
		}
	}
}

func TestALimitOfAttemptsIsKept(t *testing.T) {
	for _, limit := range []int32{1, 3} {
		env := newEnvironment(t)
		tried := int32(0)
		env.RegisterActivityWithOptions(func(context.Context) error { tried++; return errors.New("no") }, activity.RegisterOptions{Name: "change"})
		env.ExecuteWorkflow(func(ctx workflow.Context) error {
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
				StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: limit},
			})
			return workflow.ExecuteActivity(ctx, "change").Get(ctx, nil)
		})
		if env.GetWorkflowError() == nil || tried != limit {
			t.Errorf("tried %d times; want %d", tried, limit)
		}
	}
}

// Only a test environment in which every activity has a single attempt may be created without
// newEnvironment.
func TestOnlyOnePlaceMakesAnEnvironment(t *testing.T) {
	const constructor = "NewTestWorkflowEnvironment"
	var places []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(source, []byte(constructor)) {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if selector, is := node.(*ast.SelectorExpr); is && selector.Sel.Name == constructor {
				position := fset.Position(selector.Pos())
				places = append(places, filepath.ToSlash(position.Filename))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"../activities/tms/times_test.go", "../workflows/environment_test.go"}; !slices.Equal(places, want) {
		t.Errorf("environments are made in %v; want %v: use newEnvironment, or activities end after ten attempts", places, want)
	}
}
