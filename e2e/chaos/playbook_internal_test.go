package chaos

import (
	"strings"
	"testing"

	"github.com/oppflow/oppflow/e2e/chaos/tenant"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// Each version of each playbook is valid, calls the service, and has the mails of the first version.
func TestPlaybooksAreValid(t *testing.T) {
	for _, p := range append(tenant.Playbooks(), tenant.Calls) {
		for version := range 3 {
			text, err := p.Text("https://erp.example.com", version)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := playbook.Load([]byte(text)); err != nil {
				t.Errorf("%s, version %d: %v\n%s", p, version, err, text)
			}
			for _, part := range []string{"/hold", "/moved", "/nudge"} {
				if !strings.Contains(text, part) {
					t.Errorf("%s, version %d does not call %s", p, version, part)
				}
			}
			if p == tenant.RichPlaybook && !strings.Contains(text, "rich-win {{.ID}}") {
				t.Errorf("%s, version %d has no mail rich-win", p, version)
			}
		}
	}
}

// The sales of a seed name each person for one opportunity, and do not change the other scripts.
func TestSales(t *testing.T) {
	options := Short(7)
	plain, plan := NewPlan(options), NewPlan(options.WithPlaybook(tenant.RichPlaybook))
	if len(plan.Scripts) != len(plain.Scripts)+30 {
		t.Errorf("the plan has %d scripts; want %d and one sale for every two of them", len(plan.Scripts), len(plain.Scripts))
	}
	owner, ends := map[string]opportunity.Reference{}, map[string]int{}
	for _, script := range plan.Scripts {
		for _, step := range script.Steps {
			switch command := step.Command.(type) {
			case opportunity.AddInterests:
				for _, interest := range command.Interests {
					for _, learner := range interest.Learners {
						if other := owner[learner.Email]; strings.HasSuffix(learner.Email, "@sale.example") && other != "" && other != script.Reference {
							t.Errorf("%s and %s name %s", other, script.Reference, learner.Email)
						}
						owner[learner.Email] = script.Reference
					}
				}
			case opportunity.Progress:
				if strings.HasPrefix(string(script.Reference), "sale-") {
					ends[command.To]++
				}
			}
		}
	}
	if ends["Won"] < 10 || ends["Opportunity"] != 30 || ends["Lost"]+ends["Archived"] == 0 {
		t.Errorf("the sales end in %v", ends)
	}
}

// The chaos test waits for an effect only while the effect can go on without an operator.
func TestActiveEffects(t *testing.T) {
	mail := opportunity.RunningEffect{Key: "1/win/after/6/email", Problem: "was the mail sent?"}
	for _, c := range []struct {
		effects []opportunity.RunningEffect
		want    bool
	}{
		{nil, false},
		{[]opportunity.RunningEffect{{Key: "1/win/after/1/account"}}, true},
		{[]opportunity.RunningEffect{mail}, false},
		{[]opportunity.RunningEffect{mail, {Key: "1/win/after/7/log"}}, false},
		{[]opportunity.RunningEffect{mail, {Key: "2/lose/after/1/release"}}, true},
		{[]opportunity.RunningEffect{mail, {Key: "11/lose/after/1/release"}}, true},
	} {
		if got := hasActiveEffect(c.effects); got != c.want {
			t.Errorf("%v: %t, want %t", c.effects, got, c.want)
		}
	}
}
