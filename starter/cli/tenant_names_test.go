package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// strangePlaybook names a step and a region that the sandbox does not have.
const strangePlaybook = `transitions:
  - name: win
    to: { step: Paid }
    when: region in ["UK", "Dominican republic"]
    after:
      - release: {}
`

var strangeNames = []string{
	`:3:17: the tenant has no step "Paid"; the known names are Proposed, Opportunity, Won, Lost, Archived`,
	`:4:28: the tenant has no region "Dominican republic" in this spelling, but has UmVnaW9uOkRS ("Dominican Republic"); use the spelling of the TMS`,
}

func TestCheckComparesAPlaybookWithTheTenant(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	name := writePlaybook(t, "transitions:\n  - name: win\n    to: { step: Won }\n    when: region == \"UK\"\n    after: [release: {}]\n")
	oppflow(t, env, "check", "--playbook", name).wantDone(t, "supports everything that Oppflow sends", "The tenant has each step, stage, region, sending address and attribute that "+name+" names.")
	if len(box.requests) != 3 {
		t.Errorf("%d requests, want one for the schema, one for the steps and one for the regions", len(box.requests))
	}
	oppflow(t, env, "check", "--playbook", "default").wantDone(t, "that the default playbook names.")

	name = writePlaybook(t, strangePlaybook)
	got := oppflow(t, env, "check", "--playbook", name)
	for _, want := range append([]string{"supports everything that Oppflow sends"}, name+strangeNames[0], name+strangeNames[1]) {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not shown:\n%s", want, got.stdout)
		}
	}
	got.wantFailure(t, name+" has 2 names that do not fit the tenant")

	got = oppflow(t, env, "check", "--playbook", name, "--output", "json")
	var read struct {
		Playbook struct {
			File        string
			Mistakes    []diagnostic.Entry
			NotCompared []string
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	if got.code != 1 || read.Playbook.File != name || len(read.Playbook.Mistakes) != 2 || read.Playbook.Mistakes[1].Line != 4 || read.Playbook.Mistakes[1].Column != 28 || read.Playbook.NotCompared == nil {
		t.Errorf("exit code %d, %+v", got.code, read)
	}
	if got := oppflow(t, env, "check", "--output", "json"); strings.Contains(got.stdout, `"playbook"`) {
		t.Errorf("a check without a playbook shows %s", got.stdout)
	}
}

// The command check does not compare names of a kind that the API does not list, and its output
// names these kinds.
func TestCheckSaysWhichNamesItDoesNotCompare(t *testing.T) {
	box := &recordingSandbox{forbidden: "regions(first"}
	name := writePlaybook(t, strangePlaybook)
	got := oppflow(t, box.serve(t), "check", "--playbook", name)
	if !strings.Contains(got.stdout, name+strangeNames[0]) || strings.Contains(got.stdout, strangeNames[1]) || !strings.Contains(got.stdout, "These names are not compared with the tenant: the regions: ") {
		t.Errorf("shown:\n%s", got.stdout)
	}
	got.wantFailure(t, name+" has 1 name that does not fit the tenant")
}

// The sandbox's tenant has one attribute of opportunities, "Purchase order".
func TestCheckComparesAttributes(t *testing.T) {
	env := (&recordingSandbox{}).serve(t)
	name := writePlaybook(t, "transitions:\n  - name: win\n    to: { step: Won }\n    after: [attributes: { set: { order: \"1\" } }]\n")
	const missing = `:4:41: the tenant has no attribute with the key order; there are Q3VzdG9tRmllbGREZWZpbml0aW9uOjE= ("Purchase order")`
	got := oppflow(t, env, "check", "--playbook", name)
	if !strings.Contains(got.stdout, name+missing) {
		t.Errorf("shown:\n%s", got.stdout)
	}
	got.wantFailure(t, name+" has 1 name that does not fit the tenant")
	name = writePlaybook(t, "transitions:\n  - name: win\n    to: { step: Won }\n    after: [attributes: { set: { Q3VzdG9tRmllbGREZWZpbml0aW9uOjE=: \"1\" } }]\n")
	oppflow(t, env, "check", "--playbook", name).wantDone(t, "sending address and attribute that "+name+" names.")
}

func TestCheckRefusesAPlaybookWithMistakes(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	oppflow(t, env, "check", "--playbook", writePlaybook(t, invalidPlaybook)).wantFailure(t, "has 2 mistakes")
	oppflow(t, env, "check", "--playbook", "/no/such/file").wantUsageError(t, 2, "no such file")
	oppflow(t, env, "check", "--playbook", "").wantUsageError(t, 2, "--playbook", "must not be empty")
	if len(box.requests) > 0 {
		t.Errorf("requests were sent: %q", box.requests)
	}
}

// A deployment with names that the tenant does not have stores no playbook. With
// --allow-unknown-names, the deployment stores the playbook. If the API does not respond, the
// command does not compare the names. The last line of standard error says that Temporal cannot be
// reached, or why the command did not connect to Temporal.
func TestDeployComparesThePlaybookWithTheTenant(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	strange, plain := writePlaybook(t, strangePlaybook), writePlaybook(t, validPlaybook)
	const reached, notCompared = "connection refused", "oppflow: the names in the playbook are not compared with the tenant: "
	for name, test := range map[string]struct {
		env  []string
		args []string
		want []string // parts of the lines of standard error
	}{
		"names that are wrong":   {env, []string{strange}, []string{strange + strangeNames[0], strange + strangeNames[1], "2 names that do not fit the tenant; the playbook is not stored"}},
		"allowed":                {env, []string{strange, "--allow-unknown-names"}, []string{strange + strangeNames[0], strange + strangeNames[1], reached}},
		"no names":               {env, []string{plain}, []string{reached}},
		"without the API":        {nil, []string{strange}, []string{notCompared + "set --api-url or ADMINISTRATE_URL", reached}},
		"the API cannot respond": {[]string{"ADMINISTRATE_URL=http://" + closedPort + "/graphql", "ADMINISTRATE_TOKEN=t"}, []string{strange}, []string{notCompared + "cannot reach the API", reached}},
		"no credentials":         {[]string{"ADMINISTRATE_URL=http://" + closedPort + "/graphql"}, []string{strange}, []string{notCompared, reached}},
	} {
		t.Run(name, func(t *testing.T) {
			got := oppflow(t, append([]string{"TEMPORAL_ADDRESS=" + closedPort}, test.env...), append([]string{"playbook", "deploy"}, test.args...)...)
			lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
			if got.code != 1 || got.stdout != "" || len(lines) != len(test.want) {
				t.Fatalf("exit code %d, standard output %q, standard error:\n%s", got.code, got.stdout, got.stderr)
			}
			for i, want := range test.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d is %q, want %q", i, lines[i], want)
				}
			}
		})
	}
}
