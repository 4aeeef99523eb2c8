package host_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/worker/host"
)

// closedPort is an address without a listener. Another program may meanwhile use a port that a test
// found to be free.
const closedPort = "127.0.0.1:1"

func TestWorkerSaysInOneLineWhyItDoesNotStart(t *testing.T) {
	const secret = "tk-3141592653589793"
	api := []string{"ADMINISTRATE_URL=http://127.0.0.1:1/graphql", "ADMINISTRATE_TOKEN=" + secret, "TEMPORAL_CONFIG_FILE=/dev/null"}
	nobody := closedPort
	bare := serve(t, &frontend{})
	partly := lifecycle.SearchAttributes()
	delete(partly, "OpportunityStep")
	delete(partly, "OpportunityNextActionTime")
	incomplete := serve(t, &frontend{attributes: partly})
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const service = "services:\n  erp: { url: https://erp.example.com, secret: erp-key }\n"
	mistaken := file("mistaken.yaml", "transitions:\n  - name: win\n    too: { state: Won }\n")
	calling, key, empty := file("calling.yaml", service), file("key", secret), file("empty", "")
	readable := file("readable.json", "{}")
	if err := os.Chmod(readable, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		env  []string
		code int
		want []string
	}{
		"no encryption keys":     {[]string{"--encryption-keys", dir + "/none.json"}, api, 2, []string{"--encryption-keys", "none.json", "no such file"}},
		"keys by variable":       {nil, append([]string{"OPPFLOW_ENCRYPTION_KEYS=" + empty}, api...), 2, []string{"OPPFLOW_ENCRYPTION_KEYS", empty, "oppflow keys create"}},
		"keys that others read":  {[]string{"--encryption-keys", readable}, api, 2, []string{readable, "mode 0644", "chmod 600"}},
		"no playbook there":      {[]string{"--playbook", dir + "/none.yaml"}, api, 2, []string{"--playbook", "none.yaml", "no such file"}},
		"mistake in a playbook":  {[]string{"--playbook", mistaken}, api, 2, []string{mistaken, "OPPFLOW_PLAYBOOK", "3:5: unknown member", "did you mean to?"}},
		"playbook by variable":   {nil, append([]string{"OPPFLOW_PLAYBOOK=" + mistaken}, api...), 2, []string{mistaken, "3:5"}},
		"several mistakes":       {[]string{"--playbook", file("several.yaml", "emails: 1\nsteps: 2\n")}, api, 2, []string{"1:9: ", "1 more", "oppflow playbook check"}},
		"no key":                 {[]string{"--playbook", calling}, api, 2, []string{calling, "2:48: ", "erp-key", "--service-key", "OPPFLOW_SERVICE_KEYS_DIR"}},
		"an empty key":           {[]string{"--playbook", calling, "--service-key", "erp-key=" + empty}, api, 2, []string{"erp-key", empty, "is empty"}},
		"a key without a file":   {[]string{"--service-key", "erp-key"}, api, 2, []string{"--service-key", "NAME=FILE"}},
		"playbook without fault": {[]string{"--playbook", calling, "--service-key", "erp-key=" + key, "--temporal-address", nobody}, api, 1, []string{nobody}},
		"the default playbook":   {[]string{"--playbook", "default", "--temporal-address", nobody}, api, 1, []string{nobody}},
		"unknown flag":           {[]string{"--fast"}, api, 2, []string{"--fast", "--help"}},
		"argument":               {[]string{"now"}, api, 2, []string{`"now"`, "--help"}},
		"no cache":               {[]string{"--cached-workflows", "0"}, api, 2, []string{"cached-workflows", "greater than 0"}},
		"bad rate":               {[]string{"--api-rate", "-1"}, api, 2, []string{"api-rate", "greater than 0"}},
		"bad reference tag":      {nil, append([]string{"OPPFLOW_REFERENCE_TAG=here"}, api...), 2, []string{"OPPFLOW_REFERENCE_TAG", "attribute:<key>"}},
		"bad log level":          {[]string{"--log-level", "loud"}, api, 2, []string{"log-level", "debug"}},
		"no URL":                 {nil, []string{"ADMINISTRATE_TOKEN=" + secret}, 2, []string{"ADMINISTRATE_URL", "--api-url"}},
		"no token":               {nil, []string{"ADMINISTRATE_URL=http://127.0.0.1:1/graphql"}, 2, []string{"ADMINISTRATE_TOKEN"}},
		"bad address":            {[]string{"--temporal-address", "nowhere"}, api, 2, []string{"--temporal-address", "host:port"}},
		"nobody there":           {[]string{"--temporal-address", nobody}, api, 1, []string{nobody, "TEMPORAL_ADDRESS", "refused"}},
		"no namespace":           {[]string{"--temporal-address", bare, "--temporal-namespace", "nowhere"}, api, 1, []string{`"nowhere"`, "--temporal-namespace"}},
		"nothing set up":         {[]string{"--temporal-address", bare}, api, 1, append(slices.Sorted(maps.Keys(lifecycle.SearchAttributes())), "run: oppflow setup")},
		"not all is set up":      {[]string{"--temporal-address", incomplete}, api, 1, []string{"OpportunityNextActionTime, OpportunityStep; run: oppflow setup"}},
		"environment instead":    {nil, append([]string{"TEMPORAL_ADDRESS=" + incomplete}, api...), 1, []string{"run: oppflow setup"}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := host.Main(t.Context(), test.args, test.env, &stdout, &stderr); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			line := stderr.String()
			if strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "oppflow-worker: ") {
				t.Errorf("not one line of the worker's: %q", line)
			}
			for _, want := range test.want {
				if !strings.Contains(line, want) {
					t.Errorf("%q does not say %q", line, want)
				}
			}
			if strings.Contains(line+stdout.String(), secret) {
				t.Errorf("the token is told: %q", line)
			}
			if stdout.Len() > 0 {
				t.Errorf("written to standard output: %q", stdout.String())
			}
		})
	}
}

func TestWorkerHelpGoesToStandardOutputWithoutSecrets(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := host.Main(t.Context(), []string{"--help"}, []string{"ADMINISTRATE_TOKEN=tk-31415"}, &stdout, &stderr)
	if code != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, stderr.String())
	}
	for _, want := range []string{"--ready-file", "--cached-workflows", "(default 1000)", "--temporal-address", "--api-url", "--settle-time", "--playbook", "--service-key"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help does not tell of %s", want)
		}
	}
	if strings.Contains(stdout.String(), "tk-31415") {
		t.Error("help tells the token")
	}
}

func TestWorkerThatIsStoppedBeforeItRunsEndsWell(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	env := []string{"ADMINISTRATE_URL=http://127.0.0.1:1/graphql", "ADMINISTRATE_TOKEN=x", "TEMPORAL_CONFIG_FILE=/dev/null"}
	if code := host.Main(ctx, []string{"--temporal-address", serve(t, &frontend{})}, env, &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
