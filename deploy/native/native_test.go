//go:build linux

package native_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/starter/story"
	"github.com/oppflow/oppflow/worker/host"
)

// outageTimeout is the maximum wait until the worker's health check notices a change. outageTimeout
// is longer than the time after which a worker reports that Temporal does not respond.
const outageTimeout = 2 * time.Minute

// The sample sale of the API documentation (package story) runs with the documented responses. A
// second run of the one-shot services changes nothing. The data in the database survives a stop of
// the Temporal server. Every service stops within its grace period.
func TestComposeFile(t *testing.T) {
	u := startAll(t)

	t.Run("the dynamic configuration has no mistake", func(t *testing.T) {
		file := u.localPath("temporal", *u.project.Services["temporal"].Environment["DYNAMIC_CONFIG_FILE_PATH"])
		said, err := exec.CommandContext(t.Context(), u.programs["temporal-server"], "validate-dynamic-config", file).CombinedOutput()
		if err != nil || strings.TrimSpace(string(said)) != file {
			t.Errorf("%v\n%s", err, said)
		}
		content, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(content, []byte("history.transferProcessorMaxPollRPS")) {
			t.Errorf("the dynamic configuration lacks a setting or could not be read: %v\n%s", err, content)
		}
		if said := u.output("temporal"); strings.Contains(said, "dynamic config") && strings.Contains(said, "unable to") {
			t.Errorf("the server could not read the dynamic configuration:\n%s", said)
		}
	})

	reference := opportunity.Reference("composed-1")
	t.Run("the story comes out as documented", func(t *testing.T) { u.play(t, reference) })

	t.Run("the Web UI shows the namespace", func(t *testing.T) {
		namespace := *u.project.Services["ui"].Environment["TEMPORAL_DEFAULT_NAMESPACE"]
		base := "http://" + u.address("ui", 8080)
		for path, want := range map[string]string{
			"/":                               "<html",
			"/api/v1/settings":                `"DefaultNamespace":"` + namespace + `"`,
			"/api/v1/namespaces/" + namespace: `"name":"` + namespace + `"`,
			"/api/v1/namespaces?pageSize=10":  `"name":"` + namespace + `"`,
			"/api/v1/namespaces/nowhere":      "notfound",
		} {
			if body := strings.Join(strings.Fields(fetch(t, base+path)), ""); !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
				t.Errorf("GET %s: no %s in %.500s", path, want, body)
			}
		}
	})

	t.Run("the one-shot services can run again", func(t *testing.T) {
		before := u.schemaVersions(t)
		for _, step := range []string{"schema", "setup"} {
			if err := u.runOnce(t.Context(), step); err != nil {
				t.Fatal(err)
			}
		}
		if after := u.schemaVersions(t); after != before || strings.Count(after, ".") < 2 {
			t.Errorf("the schema versions changed from %q to %q", before, after)
		}
		said := u.output("setup")
		for _, want := range []string{"exists already; the namespace keeps closed runs for 720h", "all search attributes exist already"} {
			if !strings.Contains(said, want) {
				t.Errorf("the output of the second setup does not contain %q:\n%s", want, said)
			}
		}
	})

	t.Run("the worker goes on when Temporal is back", func(t *testing.T) {
		if err := u.stop("temporal"); err != nil {
			t.Error(err)
		}
		if err := u.checkHealth(t.Context(), "temporal"); err == nil {
			t.Error("the Temporal server is stopped, but its health check passes")
		}
		// The worker reports after 45 s that Temporal does not respond.
		if testrun.Long(t) {
			u.await(t, outageTimeout, "the worker is not healthy", func() bool { return u.checkHealth(t.Context(), "worker") != nil })
			if err := u.checkHealth(t.Context(), "worker"); err == nil || !strings.Contains(err.Error(), "could not poll the task queue") {
				t.Errorf("the health check returned %v; want that the worker could not poll the task queue", err)
			}
		}
		if err := u.start(t, "temporal"); err != nil {
			t.Fatal(err)
		}
		u.play(t, "composed-2")
		u.await(t, outageTimeout, "the worker is healthy again", func() bool { return u.checkHealth(t.Context(), "worker") == nil })
	})

	t.Run("the database survives its server", func(t *testing.T) {
		u.withClient(t, func(temporal client.Client) {
			described, err := temporal.DescribeWorkflow(t.Context(), "opportunity/"+string(reference), "")
			if err != nil {
				t.Fatal(err)
			}
			if status := described.RawResponse.GetWorkflowExecutionInfo().GetStatus(); status != enums.WORKFLOW_EXECUTION_STATUS_COMPLETED {
				t.Errorf("the run of the story's opportunity has the status %v; want completed", status)
			}
			// The Temporal server stores search attributes in the database temporal_visibility, not
			// in the database temporal.
			query := `OpportunityState = "Won" and WorkflowId = "opportunity/` + string(reference) + `"`
			u.await(t, time.Minute, "the list finds the opportunity by its search attributes", func() bool {
				found, err := temporal.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
				return err == nil && found.GetCount() == 1
			})
		})
	})

	t.Run("everything stops when asked", func(t *testing.T) {
		for _, service := range u.stopOrder() {
			if err := u.stop(service); err != nil {
				t.Error(err)
			}
			if check := u.project.Services[service].HealthCheck; check == nil || check.Disable {
				continue
			}
			if err := u.checkHealth(t.Context(), service); err == nil {
				t.Errorf("%s is stopped, but its health check passes", service)
			}
		}
	})
}

func (u *composeRun) withClient(t *testing.T, work func(client.Client)) {
	t.Helper()
	env := u.environment("worker")
	temporal, _, err := host.Connect(t.Context(), host.InsecureTemporal(env["TEMPORAL_ADDRESS"], env["TEMPORAL_NAMESPACE"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	work(temporal)
}

func (u *composeRun) play(t *testing.T, reference opportunity.Reference) {
	t.Helper()
	env := u.environment("worker")
	api, err := administrate.New(administrate.Options{Options: transport.Options{URL: env["ADMINISTRATE_URL"], Tokens: oauth.StaticToken(env["ADMINISTRATE_TOKEN"])}})
	if err != nil {
		t.Fatal(err)
	}
	u.withClient(t, func(temporal client.Client) {
		report, err := story.Play(t.Context(), story.Connections{Temporal: temporal, API: api}, story.Options{Reference: reference})
		if err != nil {
			t.Fatalf("%v\nthe worker:\n%s", err, u.output("worker"))
		}
		for _, mismatch := range report.Mismatches() {
			t.Error(mismatch)
		}
		if report.Compared() < 50 {
			t.Errorf("the story made only %d comparisons", report.Compared())
		}
	})
}

func (u *composeRun) schemaVersions(t *testing.T) string {
	t.Helper()
	schema := u.environment("schema")
	var versions []string
	for _, database := range []string{"temporal", "temporal_visibility"} {
		command := exec.CommandContext(t.Context(), filepath.Join(u.postgres, "psql"), "--no-psqlrc", "--tuples-only", "--no-align",
			"--host", schema["SQL_HOST"], "--port", schema["SQL_PORT"], "--username", schema["SQL_USER"], "--dbname", database,
			"--command", "select db_name || ' ' || curr_version from schema_version")
		command.Env = []string{"PGPASSWORD=" + schema["SQL_PASSWORD"]}
		said, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		versions = append(versions, strings.TrimSpace(string(said)))
	}
	return strings.Join(versions, ", ")
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	_, body, err := get(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func get(ctx context.Context, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	// The HTTP client uses no proxy, because a proxy cannot reach addresses of this machine. The
	// HTTP client leaves no connection open, because an open connection could delay the stop of a
	// service.
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return 0, "", fmt.Errorf("%s: %w", url, err)
	}
	return answer.StatusCode, string(content), nil
}
