package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/oppflow/oppflow/e2e/chaos"
	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/e2e/chaos/tenant"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
)

// An experiment reports no violation. After the experiment, the test seeds a violation of each kind
// in the evidence, and the audit reports only the seeded violation.
func TestExperiment(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute) // the server is built the first time
	defer cancel()
	output, err := os.Create(filepath.Join(t.TempDir(), "parts.log"))
	if err != nil {
		t.Fatal(err)
	}
	// The quick experiment has as many kills as the short form, and a fifth of the messages of the
	// short form. One question is therefore a larger share of the messages in the quick experiment.
	rules := testrun.Pick(t, audit.Tolerances{MaxQuestionShare: 0.03}, audit.Tolerances{})
	options := testrun.Pick(t, chaos.Quick(1), chaos.Short(1).WithPlaybook(tenant.RichPlaybook))
	rules.Effects = testrun.Pick(t, false, true)
	options.Race, options.Output = testrun.Race, output
	options.Progress = func(text string) { t.Log(text) }
	s, err := chaos.Start(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil && !t.Failed() {
			t.Log(err) // the kill of a part may cause this error
		}
		written, err := os.ReadFile(output.Name())
		if err != nil || bytes.Contains(written, []byte("WARNING: DATA RACE")) {
			t.Errorf("the output of the processes shows a data race or could not be checked: %v", err)
		}
		_ = output.Close()
	})
	if err := s.Execute(ctx); err != nil {
		t.Fatal(err)
	}
	evidence, err := s.Evidence(ctx)
	if err != nil {
		t.Fatal(err)
	}
	report := s.Report(evidence, audit.Audit(evidence, rules))
	var text strings.Builder
	report.Write(&text)
	t.Logf("the report of the experiment:\n%s", text.String())
	if len(report.Violations) > 0 || len(report.Problems) > 0 {
		t.Fatalf("%d violations, %d problems", len(report.Violations), len(report.Problems))
	}
	for _, place := range []chaos.KillPoint{chaos.BeforeSend, chaos.BeforeAnswer, chaos.BeforeReport} { // the other kill points depend on the timing
		if report.KilledAt(place) == 0 {
			t.Errorf("no worker was killed at the point %q; the test does not cover this point", place)
		}
	}
	if report.Late == 0 {
		t.Error("no change was committed late; the test does not cover late commits")
	}

	for _, kind := range audit.Kinds() {
		if !rules.Effects && slices.Contains([]audit.Kind{audit.EffectMissing, audit.EffectDuplicated, audit.EffectOrphan}, kind) {
			continue // only an experiment with sales has effects to compare
		}
		t.Run(string(kind), func(t *testing.T) {
			spoilt, reference, err := s.SeedViolation(ctx, evidence, kind, rules)
			if err != nil {
				t.Fatal(err)
			}
			wantOnly(t, audit.Audit(spoilt, rules), kind, reference)
		})
	}
	t.Run("lost in Temporal", func(t *testing.T) {
		reference, err := s.SeedLostMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		evidence, err := s.Recheck(ctx, evidence, reference)
		if err != nil {
			t.Fatal(err)
		}
		wantOnly(t, audit.Audit(evidence, rules), audit.Lost, reference)
	})
}

func wantOnly(t *testing.T, found []audit.Violation, kind audit.Kind, reference opportunity.Reference) {
	t.Helper()
	if len(found) != 1 || found[0].Kind != kind || found[0].Reference != reference {
		t.Errorf("found %v; want one %s of %q", found, kind, reference)
	}
}

// Equal seeds make equal plans, and different seeds make different plans. A third of the messages
// are the same for all opportunities.
func TestPlan(t *testing.T) {
	plan := chaos.NewPlan(chaos.Short(7))
	compare := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(opportunity.Amount.Equal)}
	if diff := cmp.Diff(plan, chaos.NewPlan(chaos.Short(7)), compare); diff != "" {
		t.Errorf("the same seed makes another plan:\n%s", diff)
	}
	if cmp.Equal(plan.Scripts, chaos.NewPlan(chaos.Short(8)).Scripts, compare) {
		t.Error("another seed makes the same plan")
	}
	count, all, most, names := map[string]int{}, 0, 0, map[string]int{}
	for _, script := range plan.Scripts {
		names[script.Start.Name+script.Start.Region+script.Start.Account]++
		for _, step := range script.Steps {
			if step.Action != chaos.Send {
				continue
			}
			all++
			if payload, err := opportunity.Decode(step.Command.MessageName(), payloadOf(t, step.Command.WithRequestID(""))); err != nil {
				t.Errorf("%v is not a message: %v", payload, err)
			}
			count[string(payloadOf(t, step.Command.WithRequestID("")))]++
		}
	}
	for _, n := range count {
		if n > 1 {
			most += n
		}
	}
	if all < 300 || most*3 < all {
		t.Errorf("the plan has %d messages, of which %d equal an earlier message; want a third", all, most)
	}
	if shared := names["First Aid for everybodyUKT3JnYW5pc2F0aW9uOjE="]; shared*3 < len(plan.Scripts) {
		t.Errorf("%d of %d opportunities have the same name, region and account; want a third", shared, len(plan.Scripts))
	}
}

// An experiment whose options break a condition does not start. The options of each form meet all
// conditions.
func TestOptionConditions(t *testing.T) {
	for name, spoil := range map[string]func(*chaos.Options){
		"an experiment without messages":                       func(o *chaos.Options) { *o = chaos.Options{} },
		"a late commit that is not before the settle time":     func(o *chaos.Options) { o.LateBy = o.Times.SettleTime },
		"a token that expires before the late commit":          func(o *chaos.Options) { o.TokenLifetime = o.LateBy },
		"a freeze that is shorter than an activity":            func(o *chaos.Options) { o.Freeze = o.Times.SendWindow },
		"a late commit after the read of a reset run":          func(o *chaos.Options) { o.LateBy = o.Times.SettleTime - o.Times.ResponseTime/2 },
		"an outage that is not longer than the settle time":    func(o *chaos.Options) { o.Outage = o.Times.SettleTime },
		"a slow response that is not before the response time": func(o *chaos.Options) { o.SlowTime = o.Times.ResponseTime },
	} {
		options := chaos.Quick(1)
		spoil(&options)
		if s, err := chaos.Start(t.Context(), options); !errors.Is(err, chaos.ErrOptions) {
			t.Errorf("%s: got %v; want an error of the options", name, err)
			if err == nil {
				_ = s.Stop(t.Context())
			}
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, options := range map[string]chaos.Options{"quick": chaos.Quick(1), "sales": chaos.Quick(1).WithPlaybook(tenant.RichPlaybook), "short": chaos.Short(1), "long": chaos.Long(1, 30)} {
		if _, err := chaos.Start(ended, options); err == nil || errors.Is(err, chaos.ErrOptions) {
			t.Errorf("the %s form: %v; want only the error of the cancelled context", name, err)
		}
	}
}

func payloadOf(t *testing.T, command opportunity.Command) []byte {
	t.Helper()
	text, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
