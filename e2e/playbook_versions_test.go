package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/cli"
)

// writePlaybook writes a playbook with one rule of the given name, which gives a transition to
// Opportunity one effect.
func writePlaybook(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".yaml")
	text := "transitions:\n  - name: " + name + "\n    to: { step: Opportunity }\n    after: [{ log: { message: moved } }]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shortInForceDelay returns a short time, and the arguments of workers that put a version of the
// playbook in force after that time.
func shortInForceDelay(t *testing.T) (time.Duration, []string) {
	t.Helper()
	after := testrun.Pick(t, 9*time.Second, 45*time.Second)
	return after, []string{"--playbook-in-force-after", after.String()}
}

func (p *parts) startMany(prefix string, count int) []opportunity.Reference {
	p.t.Helper()
	var all []opportunity.Reference
	for n := range count {
		reference := opportunity.Reference(fmt.Sprintf("%s %d", prefix, n))
		if _, err := p.client.Start(p.t.Context(), reference, opportunity.Start{Name: "First Aid", Region: "UK"}); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, reference)
	}
	return all
}

// transitionAll makes a transition of every opportunity at once, and waits for the one effect of
// each transition. The effect must come from one of the named rules, and from the version first or
// a later version.
func (p *parts) transitionAll(references []opportunity.Reference, first int, rules ...string) {
	p.t.Helper()
	var sending sync.WaitGroup
	for _, reference := range references {
		sending.Go(func() {
			if err := p.client.Signal(p.t.Context(), reference, opportunity.Progress{To: "Opportunity"}); err != nil {
				p.t.Error(err)
			}
		})
	}
	sending.Wait()
	for _, reference := range references {
		var view opportunity.View
		harness.Eventually(p.t, 2*time.Minute, "the transition has its effect", func() bool {
			var err error
			if view, err = p.client.View(p.t.Context(), reference); err != nil {
				p.t.Error(err)
				return true
			}
			return view.Step.Name == "Opportunity" && len(view.Queue)+len(view.RunningEffects) == 0 && len(view.EffectResults) > 0
		})
		var found bool
		for _, rule := range rules {
			found = found || len(view.EffectResults) == 1 && strings.Contains(view.EffectResults[0].Key, "/"+rule+"/") && view.EffectResults[0].Outcome == opportunity.EffectDone
		}
		if !found || view.PlaybookVersion < first {
			p.t.Errorf("%s: got effects %+v from playbook version %d; want one effect of the rules %v, from version %d on", reference, view.EffectResults, view.PlaybookVersion, rules, first)
		}
	}
}

// queryBlockingProxy returns the address of a proxy for the test's Temporal server. The proxy does
// not respond to queries while deaf is set.
func (p *parts) queryBlockingProxy(deaf *atomic.Bool) string {
	p.t.Helper()
	cleartext := new(http.Protocols)
	cleartext.SetUnencryptedHTTP2(true)
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: p.TemporalAddress()}) },
		Transport:     &http.Transport{Protocols: cleartext},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if deaf.Load() && strings.HasSuffix(r.URL.Path, "/QueryWorkflow") {
			<-r.Context().Done()
			return
		}
		forward.ServeHTTP(w, r)
	}))
	server.Config.Protocols = cleartext
	server.Start()
	p.t.Cleanup(func() {
		_ = server.Listener.Close()
		server.CloseClientConnections()
	})
	return server.Listener.Addr().String()
}

// One worker starts with a playbook and another worker without a playbook, in both orders.
func TestWorkersHaveOnePlaybook(t *testing.T) {
	t.Parallel()
	for name, ordered := range map[string]func(with, without *stack.Process) []*stack.Process{
		"the worker with the playbook starts first":  func(with, without *stack.Process) []*stack.Process { return []*stack.Process{with, without} },
		"the worker without a playbook starts first": func(with, without *stack.Process) []*stack.Process { return []*stack.Process{without, with} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, args := shortInForceDelay(t)
			p := startParts(t, stack.Options{NoWorker: true, WorkerArgs: append(args, "--playbook", writePlaybook(t, "one"))})
			for _, worker := range ordered(p.Worker(), p.AddWorker("--playbook", "none")) {
				if err := worker.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			p.transitionAll(p.startMany("lead", 20), 1, "one")
		})
	}
}

// Transitions are requested while a playbook is deployed. One of two workers reads the playbook
// slowly: its read returns only after all transitions are made. After the deploy command has
// returned, no transition is planned with the previous version.
func TestAPlaybookIsDeployedDuringTransitions(t *testing.T) {
	t.Parallel()
	after, args := shortInForceDelay(t)
	p := startParts(t, stack.Options{WorkerArgs: append(args, "--playbook", writePlaybook(t, "one"))})
	var deaf atomic.Bool
	slow := p.AddWorker("--temporal-address", p.queryBlockingProxy(&deaf))
	if err := slow.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	during, before := p.startMany("during", 10), p.startMany("after", 10)
	run := func(code int, args ...string) string {
		t.Helper()
		var out, told bytes.Buffer
		env := append(p.Environ(), "TEMPORAL_NAMESPACE="+p.Namespace(), "TEMPORAL_CONFIG_FILE=/dev/null")
		if got := cli.Main(ctx, append([]string{"playbook"}, args...), env, &out, &told); got != code {
			t.Errorf("%v ended with exit code %d: %s%s", args, got, out.String(), told.String())
		}
		return out.String()
	}
	deaf.Store(true)
	began := time.Now()
	var deploying sync.WaitGroup
	deploying.Go(func() {
		if out := run(0, "deploy", writePlaybook(t, "two"), "--by", "ada"); !strings.Contains(out, "Version 2 is in force since ") {
			t.Errorf("unexpected output of the command deploy: %s", out)
		}
	})
	p.transitionAll(during, 1, "one", "two")
	deploying.Wait()
	if took := time.Since(began); took < after {
		t.Errorf("the deployment took %s; want at least %s", took, after)
	}
	p.transitionAll(before, 2, "two")
	if !p.Output.Contains("the worker last read the namespace") {
		t.Error("the worker that reads the playbook late does not log this delay")
	}
	deaf.Store(false)

	if out := run(0, "deploy", writePlaybook(t, "two")); !strings.Contains(out, "Version 2, deployed ") || !strings.Contains(out, "already has this text") || !strings.Contains(out, "by ada") {
		t.Errorf("unexpected output of the second command deploy: %s", out)
	}
	if out := run(0, "rollback", "--by", "ben"); !strings.Contains(out, "Version 3 is in force since ") || !strings.Contains(out, "the text of version 1") {
		t.Errorf("unexpected output of the command rollback: %s", out)
	}
	p.transitionAll(p.startMany("back", 3), 3, "one")
	if out := run(0, "list"); strings.Count(out, "\n") != 4 || !strings.Contains(out, "ben") || !strings.Contains(out, "ada") || !strings.Contains(out, "worker ") {
		t.Errorf("unexpected output of the command list: %s", out)
	}
	run(1, "rollback", "9")
}
