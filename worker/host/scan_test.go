package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// scanClient is a Temporal client that records what a worker sends to the scan.
type scanClient struct {
	client.Client
	sent  []string
	fails int // how many of the next requests fail
	err   error
}

func (c *scanClient) answer(what string) error {
	if c.fails > 0 {
		c.fails--
		return c.err
	}
	c.sent = append(c.sent, what)
	return nil
}

func (c *scanClient) SignalWithStartWorkflow(_ context.Context, id, signal string, arg any, o client.StartWorkflowOptions, workflow any, _ ...any) (client.WorkflowRun, error) {
	return nil, c.answer(fmt.Sprintf("start %v %s on %s, %s %+v", workflow, o.ID, o.TaskQueue, signal, arg))
}

func (c *scanClient) SignalWorkflow(_ context.Context, id, _, signal string, arg any) error {
	return c.answer(fmt.Sprintf("signal %s %s %+v", id, signal, arg))
}

// A worker starts or ends the scan as soon as the worker is permitted to send. If an attempt fails,
// the worker repeats the attempt.
func TestStartScan(t *testing.T) {
	for name, c := range map[string]struct {
		period  time.Duration
		blocked int // how many times the worker is not permitted to send
		fails   int
		err     error
		want    []string
		log     string
	}{
		"at once":           {period: time.Hour, want: []string{"start Scan oppflow/scan on opportunities, setScan {Period:1h0m0s Off:false}"}},
		"when permitted":    {period: time.Hour, blocked: 40, want: []string{"start Scan oppflow/scan on opportunities, setScan {Period:1h0m0s Off:false}"}},
		"after failures":    {period: time.Hour, fails: 20, err: errors.New("away"), want: []string{"start Scan oppflow/scan on opportunities, setScan {Period:1h0m0s Off:false}"}, log: "away"},
		"off":               {want: []string{"signal oppflow/scan setScan {Period:0s Off:true}"}},
		"off without scan":  {fails: 1, err: serviceerror.NewNotFound("no scan")},
		"off after failure": {fails: 1, err: errors.New("away"), want: []string{"signal oppflow/scan setScan {Period:0s Off:true}"}, log: "away"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				temporal := &scanClient{fails: c.fails, err: c.err}
				var log bytes.Buffer
				blocked := c.blocked
				startScan(t.Context(), temporal, c.period, func() error {
					if blocked--; blocked >= 0 {
						return errors.New("another tenant")
					}
					return nil
				}, slog.New(slog.NewTextHandler(&log, nil)))
				if diff := cmp.Diff(c.want, temporal.sent); diff != "" {
					t.Error(diff)
				}
				if lines := strings.Count(log.String(), "\n"); !strings.Contains(log.String(), c.log) || lines > 1 || (lines == 1) != (c.log != "") {
					t.Errorf("log: %s", log.String())
				}
			})
		})
	}
}

// A worker that is never permitted to send changes nothing.
func TestABlockedWorkerStartsNoScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		temporal := &scanClient{}
		startScan(ctx, temporal, time.Hour, func() error { return errors.New("another tenant") }, slog.New(slog.DiscardHandler))
		if len(temporal.sent) > 0 {
			t.Errorf("sent %v", temporal.sent)
		}
	})
}
