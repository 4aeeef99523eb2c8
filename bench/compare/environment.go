package compare

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/sandbox/adminclient"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// The bare workflows need their own namespace, because their task queues have the same names as
// Oppflow's task queues.
const bareNamespace = "bare"

// unlimitedRate is a rate of API requests per second that no measurement reaches.
const unlimitedRate = 5000

// EnvironmentOptions are the options of an Environment. The zero value is an environment without a
// rate limit.
type EnvironmentOptions struct {
	// If Limit is true, the sandbox accepts only 200 requests in any 10 seconds. Each subject then
	// sends limitedRate API requests per second.
	Limit bool
	// If Postgres is true, the Temporal server stores its data in a PostgreSQL server of this
	// Environment instead of in memory.
	Postgres bool
	// If NoSync is true, the PostgreSQL server does not wait for the disk. Do not measure durations
	// or rates with NoSync; the counts do not depend on NoSync.
	NoSync bool
	// Playbook is the playbook of Oppflow's worker; "" means no playbook.
	Playbook string
	// If NewAccounts is true, the playbook is newAccounts, and transitions have no triggers.
	NewAccounts bool
	// CPUProfile and MemoryProfile are the files into which Oppflow's worker writes its profiles
	// when the worker ends.
	CPUProfile, MemoryProfile string
	// Prepare calls Progress with a line of text at the start of each slow step.
	Progress func(string)
	// Output receives the output of the Temporal server, the sandbox and the workers; nil discards
	// the output.
	Output io.Writer
}

// limitedRate is how many API requests a worker sends per second if the API accepts 200 requests in
// 10 seconds. At the beginning, the Temporal server starts as many activities at once as the rate
// allows in one second. So with 18 activities per second, the Temporal server starts up to 198
// activities in the first 10 seconds.
const limitedRate = 18

// Environment consists of a Temporal server, a sandbox, a worker for Oppflow and a worker for the
// bare workflow.
type Environment struct {
	*stack.Stack
	sandbox         adminclient.Client
	api             *administrate.Client
	oppflow, bare   client.Client
	worker          *stack.Process // Oppflow's worker
	bareWorker      *stack.Process
	dir             string
	database        *database    // nil if the Temporal server stores its data in memory
	countedRequests int64        // the number of the last request that was counted
	references      atomic.Int64 // the number of references in use
}

// Prepare starts an environment.
func Prepare(ctx context.Context, o EnvironmentOptions) (*Environment, error) {
	dir, err := os.MkdirTemp("", "oppflow-bench-")
	if err != nil {
		return nil, err
	}
	g := &Environment{dir: dir}
	if err := g.start(ctx, o); err != nil {
		return nil, errors.Join(err, g.Close(context.WithoutCancel(ctx)))
	}
	return g, nil
}

// newAccounts is the default playbook without the effects on tokens and invoices, for lifecycles
// without an account. The triggers that issue tokens and create an invoice need an account, so a
// transition with these triggers needs an account before the effects create one.
//
//go:embed new_accounts.yaml
var newAccounts []byte

func (g *Environment) start(ctx context.Context, o EnvironmentOptions) error {
	if o.NewAccounts {
		o.Playbook = filepath.Join(g.dir, "playbook.yaml")
		if err := os.WriteFile(o.Playbook, newAccounts, 0o600); err != nil {
			return err
		}
	}
	tenant := filepath.Join(g.dir, "catalogue.yaml")
	if err := os.WriteFile(tenant, catalogueFor(o), 0o600); err != nil {
		return err
	}
	rate, limit := float64(unlimitedRate), "--no-rate-limit"
	if o.Limit {
		rate, limit = limitedRate, "--rate=200/10s"
	}
	up := stack.Options{
		Setup: host.SetupAt, Output: o.Output, Progress: o.Progress, NoUI: true, NoWorker: true,
		SandboxArgs: []string{"--catalogue", tenant, limit},
	}
	var err error
	if o.Postgres {
		if g.database, err = startPostgres(ctx, g.dir, o.NoSync); err != nil {
			return err
		}
		up.ServerArgs = []string{"--postgres", g.database.address}
	}
	if g.Stack, err = stack.Up(ctx, up); err != nil {
		return err
	}
	g.sandbox = adminclient.Client{APIURL: g.APIURL(), Token: g.APIToken()}
	g.api, err = administrate.New(administrate.Options{Options: transport.Options{
		URL: g.APIURL(), Tokens: oauth.StaticToken(g.APIToken()), RequestsPerSecond: rate, Burst: burstSize(o.Limit),
	}})
	if err != nil {
		return err
	}
	if g.oppflow, err = g.connect(ctx, g.Namespace()); err != nil {
		return err
	}
	if _, _, err = host.CreateNamespace(ctx, g.oppflow, bareNamespace, 24*time.Hour); err != nil {
		return err
	}
	if g.bare, err = g.connect(ctx, bareNamespace); err != nil {
		return err
	}
	return g.startWorkers(ctx, rate, o)
}

// catalogueFor returns the YAML file from which the sandbox reads its tenant's steps, transitions
// and items. If o names a playbook, triggers of the transition to Won issue the training tokens and
// create the invoice, as in a real tenant. The API has no operation that issues training tokens or
// creates an invoice.
func catalogueFor(o EnvironmentOptions) []byte {
	if o.Playbook == "" || o.NewAccounts {
		return catalogue
	}
	return bytes.Replace(catalogue, []byte("{ from: 3, to: 4 }"), []byte("{ from: 3, to: 4, triggers: [token, invoice] }"), 1)
}

// burstSize returns the number of API requests that the plain loop may send at once. With a rate
// limit, burstSize returns the number of activities that the Temporal server starts at once.
// Without a rate limit, burstSize returns 0, which selects the default burst of the API client.
func burstSize(limit bool) int {
	if limit {
		return limitedRate
	}
	return 0
}

func (g *Environment) connect(ctx context.Context, namespace string) (client.Client, error) {
	c, _, err := host.Connect(ctx, host.InsecureTemporal(g.TemporalAddress(), namespace), nil)
	return c, err
}

func (g *Environment) startWorkers(ctx context.Context, rate float64, o EnvironmentOptions) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	api := fmt.Sprintf("--api-rate=%v", rate)
	quiet := []string{"OPPFLOW_LOG_LEVEL=error"}
	args := []string{WorkerCommand, workerOppflow}
	for flag, file := range map[string]string{flagCPUProfile: o.CPUProfile, flagMemoryProfile: o.MemoryProfile} {
		if file != "" {
			args = append(args, "--"+flag+"="+file)
		}
	}
	args = append(args, "--", api)
	if o.Playbook != "" {
		args = append(args, "--playbook="+o.Playbook)
	}
	g.worker = g.AddProgram("oppflow", self, args, quiet)
	g.bareWorker = g.AddProgram("bare", self, []string{WorkerCommand, workerBare, "--", api}, append(slices.Clone(quiet), "TEMPORAL_NAMESPACE="+bareNamespace))
	if err := g.worker.Start(ctx); err != nil {
		return err
	}
	return g.bareWorker.Start(ctx)
}

func (g *Environment) requests(ctx context.Context) (int, error) {
	entries, err := g.sandbox.RequestLog(ctx, g.countedRequests)
	if len(entries) > 0 {
		g.countedRequests = entries[len(entries)-1].Number
	}
	return int(g.countedRequests), err
}

// Subjects returns all subjects in the order of the report.
func (g *Environment) Subjects() []Subject {
	return []Subject{
		direct(g.api),
		bare(g.bare, false),
		bare(g.bare, true),
		oppflow(g.oppflow, oppflowMode{oneMessage: true}),
		oppflow(g.oppflow, oppflowMode{}),
		oppflow(g.oppflow, oppflowMode{byUpdate: true, oneMessage: true}),
		oppflow(g.oppflow, oppflowMode{byUpdate: true}),
	}
}

// PlaybookSubjects returns the subjects that are compared with the default playbook.
func (g *Environment) PlaybookSubjects() []Subject {
	all := []Subject{bare(g.bare, false)}
	for _, mode := range playbookModes() {
		all = append(all, oppflow(g.oppflow, mode))
	}
	return all
}

// NewAccountSubjects returns the subjects that are compared with new accounts.
func (g *Environment) NewAccountSubjects() []Subject {
	var all []Subject
	for _, mode := range newAccountModes() {
		all = append(all, oppflow(g.oppflow, mode))
	}
	return all
}

// EffectSubjects returns the subjects that are compared with the default playbook and learners.
func (g *Environment) EffectSubjects() []Subject {
	return []Subject{
		directWithEffects(g.api),
		oppflow(g.oppflow, oppflowMode{oneMessage: true, learners: true}),
		oppflow(g.oppflow, oppflowMode{learners: true}),
		oppflow(g.oppflow, oppflowMode{byUpdate: true, oneMessage: true, learners: true}),
		oppflow(g.oppflow, oppflowMode{byUpdate: true, learners: true}),
	}
}

// Close stops all processes of the Environment and removes their files.
func (g *Environment) Close(ctx context.Context) error {
	for _, c := range []client.Client{g.oppflow, g.bare} {
		if c != nil {
			c.Close()
		}
	}
	var err error
	if g.Stack != nil {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err = g.Down(ctx)
	}
	if g.database != nil {
		err = errors.Join(err, g.database.close())
	}
	return errors.Join(err, os.RemoveAll(g.dir))
}
