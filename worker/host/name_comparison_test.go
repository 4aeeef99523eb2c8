package host

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/settings"
)

type renamingTenant struct {
	mu    sync.Mutex
	steps []string
	err   error
	reads int
}

// rename sets the steps that the tenant has from now on, and the error that its reads return.
func (r *renamingTenant) rename(err error, steps ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps, r.err = steps, err
}

func (r *renamingTenant) readCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads
}

func (r *renamingTenant) Lookup(context.Context, administrate.LookupRequest) (administrate.LookupResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	var out administrate.LookupResult
	for _, name := range r.steps {
		out.Steps = append(out.Steps, administrate.Step{ID: "id of " + name, Name: name, Stage: administrate.Stage{Name: "Stage", State: "Open"}})
	}
	return out, r.err
}

func (r *renamingTenant) SendingAddresses(context.Context, string) (administrate.SendingAddressPage, error) {
	return administrate.SendingAddressPage{}, nil
}

func (r *renamingTenant) OpportunityFields(context.Context) ([]administrate.CustomField, error) {
	return nil, nil
}

const playbookForProposed = "steps:\n  - at: { step: Proposed }\n    followUps: [{ name: look, due: { idle: 1 day }, do: { attention: { text: Look } } }]\n"

// Somebody renames a step of the tenant in the TMS while the worker runs. The worker's plans report
// the rule that names the step, as long as the step does not have its old name again.
func TestARenamedStepIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &namespaceClient{state: sandboxState()}
		c.deploy(t, playbookForProposed)
		var log bytes.Buffer
		b := newReadingGuard(t, c, settings.Playbook{}, &log)
		if err := b.compareTenant(t.Context()); err != nil {
			t.Fatal(err)
		}
		tenant := &renamingTenant{steps: []string{"Proposed", "Won"}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = b.keepComparing(ctx) }()
		go func() { _ = b.playbooks.keepComparingNames(ctx, tenant, nameInterval) }()
		problems := func() string {
			t.Helper()
			synctest.Wait()
			book, err := b.playbooks.versionAt(time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(book.NameProblems, "|")
		}
		time.Sleep(nameInterval / 2)
		if problems(); tenant.readCount() != 0 {
			t.Errorf("the worker read the names %d times before the first interval ended", tenant.readCount())
		}
		time.Sleep(nameInterval)
		if got := problems(); got != "" || tenant.readCount() != 1 {
			t.Errorf("%d reads, problems %q", tenant.readCount(), got)
		}
		tenant.rename(nil, "Offered", "Won")
		time.Sleep(nameInterval)
		if got := problems(); !strings.Contains(got, `version 1 of the playbook, line 2, column 17: the tenant has no step "Proposed"`) {
			t.Errorf("problems %q", got)
		}
		if n := strings.Count(log.String(), "do not fit the tenant any more"); n != 1 {
			t.Errorf("the log has %d warnings:\n%s", n, &log)
		}
		tenant.rename(errors.New("the API does not respond"))
		time.Sleep(nameInterval)
		if got := problems(); got == "" {
			t.Error("a failed read removed the problems")
		}
		tenant.rename(nil, "Proposed", "Won")
		time.Sleep(nameInterval)
		if got := problems(); got != "" || !strings.Contains(log.String(), "all names in the playbook fit the tenant") {
			t.Errorf("problems %q, log:\n%s", got, &log)
		}
	})
}
