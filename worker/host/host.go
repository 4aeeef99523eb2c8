package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/activities/tms/scan"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/readyfile"
	"github.com/oppflow/oppflow/telemetry"
	"github.com/oppflow/oppflow/workflows"
)

const (
	// DefaultCachedWorkflows is how many opportunities one worker process keeps in memory by
	// default; one opportunity needs about 36 KB.
	DefaultCachedWorkflows = 1000
	// activityStopMargin is how much longer than an activity's time-out a stopping worker waits for
	// the activity.
	activityStopMargin = 5 * time.Second
	// workflowStopTimeout is how long a stopping worker waits for a running workflow task. A
	// workflow task takes milliseconds.
	workflowStopTimeout = 5 * time.Second
	// activitiesPerRequest is how many activities may start in the time in which the rate limit
	// permits one API request.
	activitiesPerRequest = 4
	startTimeout         = 30 * time.Second
)

// Options are the settings of a worker.
type Options struct {
	Temporal settings.Temporal
	API      settings.API
	// Playbook contains the keys of services, and the playbook that the worker deploys if the
	// namespace has no playbook.
	Playbook settings.Playbook
	// Telemetry says where the worker sends traces and metrics. If Telemetry.Environment is nil,
	// the worker uses Temporal.Environment instead.
	Telemetry settings.Telemetry
	// Logger receives the log of the worker; nil is slog.Default.
	Logger *slog.Logger
	// ReadyFile is the path of a file that the worker writes once the worker polls for workflow
	// tasks and activity tasks. An empty path means no file.
	ReadyFile string
	// HealthAddress is the host:port at which the worker serves GET /healthz and GET /readyz. An
	// empty address means no server. The response to GET /healthz is 200 while the process runs.
	// The response to GET /readyz is 200 while the worker is ready, and 503 with the reason while
	// the worker is not ready.
	HealthAddress string
	// CachedWorkflows is how many opportunities the whole process keeps in memory; 0 is DefaultCachedWorkflows.
	CachedWorkflows int
}

// Run runs a worker until ctx ends, and then stops the worker. A stopping worker polls for no more
// tasks and completes the running requests. Run returns nil if the end of ctx was the reason of the
// stop. If a setting is wrong, Run returns a SettingsError.
func Run(ctx context.Context, o Options) error {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if err := o.API.Resolve(); err != nil {
		return &SettingsError{cause: err}
	}
	follows, err := resolvePlaybook(&o.Playbook)
	if err != nil {
		return err
	}
	if o.Telemetry.Environment == nil {
		o.Telemetry.Environment = o.Temporal.Environment
	}
	observer, err := StartTelemetry(ctx, o.Telemetry, telemetry.Options{Service: "oppflow-worker", Requests: requests(), Logger: o.Logger})
	if err != nil {
		return err
	}
	// Telemetry stops last, so that telemetry also exports what the SDK workers do during their
	// stop.
	defer func() {
		if err := observer.Shutdown(ctx); err != nil {
			o.Logger.Warn("the last traces and metrics could not be exported", "error", err)
		}
	}()
	seen := newPollMonitor()
	taken := &credentialStatus{logger: o.Logger}
	belongs := newTenantGuard(o.Temporal.Namespace, o.API.OAuth.ClientID, newPlaybookCache(&o.Playbook, follows, o.Logger), o.Logger)
	closeHealth, err := serveHealth(ctx, o.HealthAddress, &health{polls: seen, credentials: taken, tenant: belongs, stopping: ctx.Done()}, o.Logger)
	if err != nil {
		return err
	}
	defer closeHealth()
	keys, err := OpenKeys(ctx, o.Temporal, o.Logger)
	if err != nil {
		return err
	}
	c, namespace, err := connect(ctx, o.Temporal, keys, observer.Meter(), o.Logger, observer.ClientOptions, func(c *client.Options) {
		c.ConnectionOptions.DialOptions = append(c.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(seen.intercept))
	})
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	defer c.Close()
	if err := checkNamespace(ctx, c, namespace, o.Logger); err != nil {
		return unlessInterrupted(ctx, err)
	}
	guard := &encryptionGuard{temporal: c, namespace: namespace, keys: keys, logger: o.Logger}
	if _, err := guard.check(ctx); err != nil {
		return unlessInterrupted(ctx, err)
	}
	belongs.temporal, belongs.namespace = c, namespace
	pace, self := transport.NewPace(o.API.RequestsPerSecond()*newcomerShare), identity()
	opportunities, requests, err := newWorkers(c, o, observer, taken, belongs, pace, self)
	if err != nil {
		return err
	}

	return runWorkers(ctx, o, runParts{
		client: c, namespace: namespace, opportunities: opportunities, requests: requests,
		tenant: belongs, polls: seen, pace: pace, identity: self, encryption: guard,
	})
}

type runParts struct {
	client                  client.Client
	namespace               string
	opportunities, requests worker.Worker
	tenant                  *tenantGuard
	polls                   *pollMonitor
	pace                    *transport.Pace
	identity                string
	encryption              *encryptionGuard
}

// The SDK worker for activities starts only after the worker's tenant was compared with the tenant
// of the namespace.
func runWorkers(ctx context.Context, o Options, p runParts) error {
	group, ctx := errgroup.WithContext(ctx)
	stop := make(chan any)
	context.AfterFunc(ctx, func() { close(stop) })
	run := func(w worker.Worker) error {
		if err := w.Run(stop); err != nil {
			return fmt.Errorf("the worker failed: %s", Reason(err))
		}
		return nil
	}
	group.Go(func() error { return run(p.opportunities) })
	group.Go(func() error {
		// The comparison needs the SDK worker for workflows, which already runs, because this SDK
		// worker responds to the query for the tenant of the namespace.
		if err := p.tenant.compareTenant(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		group.Go(func() error { return p.tenant.keepComparing(ctx) })
		group.Go(func() error { return p.encryption.run(ctx) }) // the workflow of the namespace exists only after the comparison
		group.Go(func() error { return p.tenant.playbooks.keepComparingNames(ctx, p.tenant.api, nameInterval) })
		p.tenant.awaitPlaybook(ctx)
		return run(p.requests)
	})
	group.Go(func() error {
		startScan(ctx, p.client, o.API.ScanPeriod.Period(), p.tenant.check, o.Logger)
		return nil
	})
	group.Go(func() error {
		maintainRateShare(ctx, p.client, o.API.RequestsPerSecond(), p.identity, p.pace, o.Logger)
		return nil
	})
	if p.encryption.keys != nil {
		group.Go(func() error {
			p.encryption.keys.Watch(ctx, nil)
			return nil
		})
	}
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-p.polls.bothPolled:
		}
		o.Logger.InfoContext(ctx, "the worker is ready", "namespace", p.namespace)
		return readyfile.Write(o.ReadyFile, readyfile.Report{})
	})
	return group.Wait()
}

func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = nil
	}
	return err
}

// checkNamespace returns an error if the namespace lacks a search attribute of Oppflow. Without
// this search attribute, every workflow task would fail.
func checkNamespace(ctx context.Context, c client.Client, namespace string, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if isNotPermitted(err) {
		logger.WarnContext(ctx, "the worker is not permitted to read the search attributes of the namespace", "namespace", namespace)
		err = nil
	}
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the Temporal namespace %q lacks the search attributes %s; run: oppflow setup", namespace, strings.Join(missing, ", "))
	}
	return nil
}

// isNotPermitted reports whether Temporal refused the request as not permitted or as not
// implemented; a hosted Temporal service may refuse such requests.
func isNotPermitted(err error) bool {
	var denied *serviceerror.PermissionDenied
	var unimplemented *serviceerror.Unimplemented
	return errors.As(err, &denied) || errors.As(err, &unimplemented)
}

// ReferenceTagOf returns the reference tag that a worker with these settings writes on records.
func ReferenceTagOf(api settings.API) tms.ReferenceTag {
	return tms.ReferenceTag{Attribute: api.ReferenceTag.Attribute(), InName: api.ReferenceTag.Location() == settings.TagInName}
}

func activityOptions(o Options) tms.Options {
	return tms.Options{
		ReferenceTag: ReferenceTagOf(o.API), ReservationLength: o.API.ReservationLength, ReadOnly: o.API.ReadOnly,
		FollowUpsFromLastChange: o.API.AdoptedSince == settings.SinceRecord,
		Times: activities.Times{
			SendWindow: o.API.SendWindow, ResponseTime: o.API.ResponseTime, SettleTime: o.API.SettleTime, QuietTime: o.API.QuietTime,
			ScanPeriod: o.API.ScanPeriod.Period(),
		},
		UnknownEffectKinds: unknownEffectKinds(o.Playbook),
		Version:            BuildVersion().String(),
	}
}

// The workflows have a separate task queue, so a workflow task never waits behind an activity that
// calls the API. The interceptors of the client run before the interceptors of the SDK workers, so
// tracing is the outermost interceptor. The activities send API requests only after the tenantGuard
// belongs has proven that the namespace belongs to the worker's tenant.
func newWorkers(c client.Client, o Options, observer *telemetry.Telemetry, taken *credentialStatus, belongs *tenantGuard,
	pace *transport.Pace, self string,
) (opportunities, requests worker.Worker, err error) {
	tokens, err := newTokenSource(o.API, o.Logger, belongs.credentialsReplaced)
	if err != nil {
		return nil, nil, &SettingsError{cause: err}
	}
	if o.API.ReadOnly {
		o.Logger.Warn("the worker is read-only: every change is rejected, nothing is written to the API, and no service is called")
	}
	api, err := administrate.New(administrate.Options{Options: transport.Options{
		URL:               o.API.URL,
		Tokens:            tokens,
		RequestsPerSecond: o.API.RequestsPerSecond(),
		Pace:              pace,
		WrapTransport:     observer.WrapTransport,
		OnResult:          taken.recordResult,
		Permitted:         belongs.permit,
	}, ReadOnly: o.API.ReadOnly})
	if err != nil {
		return nil, nil, &SettingsError{cause: err}
	}
	belongs.api = api
	options := activityOptions(o)
	times := options.Times
	options.API, options.Temporal, options.PlaybookAt = api, c, belongs.playbooks.versionAt
	options.CheckPermission, options.OnRecordCreated = belongs.permit, belongs.reportMadeRecord
	calls, err := tms.New(options)
	if err != nil {
		return nil, nil, &SettingsError{cause: err}
	}
	belongs.onRegions = calls.StoreRegions

	cached := o.CachedWorkflows
	if cached <= 0 {
		cached = DefaultCachedWorkflows
	}
	worker.SetStickyWorkflowCacheSize(cached)

	opportunities = worker.New(c, lifecycle.TaskQueue, worker.Options{
		Interceptors:            []interceptor.WorkerInterceptor{workflows.Interceptor()},
		LocalActivityWorkerOnly: true,
		WorkerStopTimeout:       workflowStopTimeout,
		// The limit of 5 s allows for a busy machine, on which a workflow task is slow but not in a
		// deadlock. The Temporal server gives up a workflow task after 10 s.
		DeadlockDetectionTimeout: 5 * time.Second,
	})
	workflows.Register(opportunities, workflows.Options{Times: times, PlaybookDelay: o.Playbook.InForceAfter})

	tuner, err := newPacedTuner(pace, belongs.check)
	if err != nil {
		return nil, nil, err
	}
	requests = worker.New(c, activities.TaskQueue, worker.Options{
		Identity: self,
		Tuner:    tuner,
		// The pace counts API requests and not activities. An activity may send several requests,
		// or no request if the worker has stored an earlier response. If the workers cannot see
		// each other in the server's list of pollers, TaskQueueActivitiesPerSecond still limits the
		// activities of all workers together.
		TaskQueueActivitiesPerSecond: activitiesPerRequest * o.API.RequestsPerSecond(),
		WorkerStopTimeout:            times.ChangeOptions("").StartToCloseTimeout + activityStopMargin,
		DisableWorkflowWorker:        true,
		BackgroundActivityContext:    runs.WithEpoch(context.Background(), belongs.currentEpoch),
	})
	calls.Register(requests)
	scan.New(api, c).Register(requests)
	return opportunities, requests, nil
}
