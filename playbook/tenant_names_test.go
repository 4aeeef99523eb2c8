package playbook_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

func tenantStep(id, name, stage string) opportunity.Step {
	return opportunity.Step{ID: opportunity.ID(id), Name: name, Stage: opportunity.Stage{ID: opportunity.ID("stage-" + stage), Name: stage}}
}

// Global ids: OpportunityStep:3, OpportunityStep:9 and SendingAddress:1 to 3.
const (
	stepThree, stepNine                 = "T3Bwb3J0dW5pdHlTdGVwOjM=", "T3Bwb3J0dW5pdHlTdGVwOjk="
	addressOne, addressTwo, addressNone = "U2VuZGluZ0FkZHJlc3M6MQ==", "U2VuZGluZ0FkZHJlc3M6Mg==", "U2VuZGluZ0FkZHJlc3M6Mw=="
)

// A name that no object of the tenant has, or that several objects have, is reported with its line
// and column.
func TestCompareNames(t *testing.T) {
	const composed, decomposed = "\u00cele-de-France", "I\u0302le-de-France"
	tenant := playbook.TenantObjects{
		Steps: []opportunity.Step{
			tenantStep(stepThree, "Lead", "Enquiry"), tenantStep("s4", "Quoted", "Enquiry"), tenantStep("s5", "Quoted", "Negotiation"), tenantStep("s6", "Closed won", "Won"),
		},
		Regions:          []opportunity.Ref{{ID: "r1", Name: "UK"}, {ID: "r2", Name: composed}},
		SendingAddresses: []playbook.SendingAddress{{ID: addressOne, Name: "Office", Verified: true}, {ID: addressTwo, Name: "New"}},
		Attributes:       []opportunity.Ref{{ID: "purchase-order", Name: "Purchase order"}},
	}
	set := func(key string) string {
		return "transitions:\n  - name: win\n    to: { state: Won }\n    after: [attributes: { set: { " + key + ": yes } }]\n"
	}
	when := func(condition string) string {
		return "transitions:\n  - name: win\n    when: " + condition + "\n    after: [release: {}]\n"
	}
	to := func(step string) string {
		return "transitions:\n  - name: win\n    to: " + step + "\n    after: [release: {}]\n"
	}
	progress := func(step string) string {
		return followUp("        due: { inStep: 1 day }\n        do: { progress: { to: " + step + " } }\n")
	}
	from := func(id string) string {
		return "emails:\n  offer:\n    subject: s\n    body: b\n    from: " + id + "\n"
	}
	const twice = `2 steps have the name "Quoted": s4 ("Quoted", stage "Enquiry"), s5 ("Quoted", stage "Negotiation"); `
	for _, test := range []struct {
		name, file string
		want       []string
	}{
		{"no names", to("{ state: Won }"), nil},
		{"a step", to("{ step: Closed won }"), nil},
		{"a step by its id", to("{ step: " + stepThree + " }"), nil},
		{"a stage", to("{ stage: Won }"), nil},
		{"a renamed step", to("{ step: Paid }"), []string{`3:17: the tenant has no step "Paid"; the known names are Lead, Quoted, Closed won`}},
		{"a step that is almost right", to("{ step: Leed }"), []string{`3:17: the tenant has no step "Leed"; did you mean Lead?`}},
		{"a step in another case", to("{ step: closed Won }"), []string{`3:17: the tenant has no step "closed Won" in this spelling, but has s6 ("Closed won", stage "Won"); use the spelling of the TMS`}},
		{"a stage for a step", to("{ step: Negotiation }"), []string{`3:17: the tenant has no step "Negotiation", but has a stage of this name; write stage instead`}},
		{"a step for a stage", to("{ stage: Lead }"), []string{`3:18: the tenant has no stage "Lead", but has a step of this name; write step instead`}},
		{"an unknown id", to("{ step: " + stepNine + " }"), []string{`3:17: the tenant has no step with the id ` + stepNine + `; there are ` + stepThree + ` ("Lead", stage "Enquiry"), s4 ("Quoted", stage "Enquiry"), s5 ("Quoted", stage "Negotiation"), s6 ("Closed won", stage "Won")`}},
		{"two steps", to("{ step: Quoted }"), []string{"3:17: " + twice + "give the id"}},
		{"both ends", "transitions:\n  - name: win\n    from: { step: A }\n    to: { stage: B }\n    after: [release: {}]\n", []string{
			`3:19: the tenant has no step "A"; the known names are Lead, Quoted, Closed won`, `4:18: the tenant has no stage "B"; the known names are Enquiry, Negotiation, Won`,
		}},

		{"a follow-up in a step", "steps:\n  - at: { step: Leed }\n    followUps: [{ name: a, due: { inStep: 1 day }, do: { attention: { text: t } } }]\n", []string{`2:17: the tenant has no step "Leed"; did you mean Lead?`}},
		{"progress", "steps:\n  - at: { step: Lead }\n    followUps: [{ name: a, due: { inStep: 1 day }, do: { progress: { to: closed won } } }]\n", nil}, // a look-up ignores case
		{"progress to no step", progress("Paid"), []string{`2:17: the tenant has no step "Proposed"; the known names are Lead, Quoted, Closed won`, `6:31: the tenant has no step "Paid"; the known names are Lead, Quoted, Closed won`}},
		{"progress to two steps", progress("quoted"), []string{`2:17: the tenant has no step "Proposed"; the known names are Lead, Quoted, Closed won`, `6:31: 2 steps have the name "quoted": s4 ("Quoted", stage "Enquiry"), s5 ("Quoted", stage "Negotiation"); give the id`}},
		{
			"a last action", "steps:\n  - at: { step: Lead }\n    followUps: [{ name: a, due: { inStep: 1 day }, do: { attention: { text: t } }, repeat: { times: 2, every: 1 day }, then: { progress: { to: Nowhere } } }]\n",
			[]string{`3:144: the tenant has no step "Nowhere"; the known names are Lead, Quoted, Closed won`},
		},

		{"regions of a condition", when(`value > 1 and region in ["UK", "US"]`), []string{`3:42: the tenant has no region "US"; did you mean UK?`}},
		{"another region", when(`not (region == "Ireland") or regionId != "r1" or "r9" == regionId`), []string{
			`3:26: the tenant has no region "Ireland"; the known names are UK, ` + composed, `3:60: the tenant has no region with the id r9; there are r1 ("UK"), r2 ("` + composed + `")`,
		}},
		{"a region in another Unicode form", when(`region == "` + decomposed + `"`), []string{`3:21: the tenant has no region "` + decomposed + `" in this spelling, but has r2 ("` + composed + `"); use the spelling of the TMS`}},
		{"a step of a condition", when(`step == "Quoted" and stage == "Won"`), []string{"3:19: " + twice + "the condition is true for each of these objects; to select only one object, compare stepId"}},
		{"a name that the condition changes", when(`lower(region) == "us" and account == "Nobody" and any(interests, .kind == "event")`), nil},
		{"the condition of an effect", "transitions:\n  - name: win\n    to: { step: Lead }\n    after:\n      - release: {}\n        when: |\n          region ==\n            \"US\"\n", []string{`8:13: the tenant has no region "US"; did you mean UK?`}},

		{"an attribute", set("purchase-order"), nil},
		{"an unknown attribute", set("order"), []string{`4:41: the tenant has no attribute with the key order; there are purchase-order ("Purchase order")`}},
		{"an attribute by its label", set("Purchase order"), []string{`4:50: the tenant has no attribute with the key Purchase order; there are purchase-order ("Purchase order")`}},
		{"attributes of a condition", when(`attributes["purchase-order"] != "" and attributes.vip == "yes" and any(interests, .kind == "event")`), []string{`3:61: the tenant has no attribute with the key vip; there are purchase-order ("Purchase order")`}},
		{"an attribute of a template", "emails:\n  offer:\n    subject: s\n    body: |\n      Hello\n      {{index .Attributes \"purchase-order\"}}\n      {{if index .Attributes \"vip\"}}!{{end}}\n", []string{`7:30: the tenant has no attribute with the key vip; there are purchase-order ("Purchase order")`}},

		{"a sending address", from(addressOne), nil},
		{"an address that is not verified", from(addressTwo), []string{`5:11: the sending address ` + addressTwo + ` ("New") is not verified, so the TMS sends no mail from this address; verify the address in the TMS, or use another address`}},
		{"an unknown address", from(addressNone), []string{`5:11: the tenant has no sending address with the id ` + addressNone + `; there are ` + addressOne + ` ("Office"), ` + addressTwo + ` ("New")`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			loaded, err := playbook.Load([]byte(test.file))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, mistake := range loaded.CompareNames(tenant) {
				got = append(got, mistake.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if unread := loaded.CompareNames(playbook.TenantObjects{}); len(unread) > 0 {
				t.Errorf("without objects of the tenant: %v", unread)
			}
		})
	}
}

// In a tenant without regions, every region name is wrong. When the regions were not read, no region name is compared.
func TestCompareNamesWithAnEmptyList(t *testing.T) {
	loaded, err := playbook.Load([]byte("transitions:\n  - name: win\n    when: region == \"UK\"\n    after: [release: {}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := loaded.CompareNames(playbook.TenantObjects{Regions: []opportunity.Ref{}})
	if len(got) != 1 || got[0].Text != `the tenant has no region "UK"; no name is defined` {
		t.Errorf("got %v", got)
	}
}

func TestNameKinds(t *testing.T) {
	for file, want := range map[string][]playbook.NameKind{
		"": nil,
		"transitions:\n  - name: win\n    to: { step: A }\n    from: { stage: B }\n    when: region == \"UK\"\n    after: [release: {}]\n": {playbook.NamedStage, playbook.NamedStep, playbook.NamedRegion},
		"emails:\n  offer: { subject: s, body: b, from: " + addressOne + " }\n":                                                            {playbook.NamedSendingAddress},
	} {
		loaded, err := playbook.Load([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if got := loaded.NameKinds(); !slices.Equal(got, want) {
			t.Errorf("%q names %v, want %v", file, got, want)
		}
	}
}
