//go:build unix

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/settings/readyfile"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/worker/host"
)

// persons are data of a learner and an operator's text that no history and no database may contain
// in clear.
var persons = []string{"Eilonwy", "Quackenbush", "eilonwy.q@example.com", "Eilonwy called"}

// up --encrypt keeps every person out of the histories and of the database. Without --encrypt the
// same search finds the persons. The Web UI can decrypt with its codec server.
func TestEncryptedPersonsAreNowhere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	program, err := harness.Program()
	if err != nil {
		t.Fatal(err)
	}
	for name, flag := range map[string]string{"encrypted": " --encrypt", "clear": ""} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			s := &shell{t: t, env: os.Environ()}
			ready := filepath.Join(t.TempDir(), "ready.json")
			s.startUp(ctx, program+" up --data "+data+" --ready-file "+ready+flag)
			s.run(ctx, program+` start e-1 --name "First Aid" --region UK
`+program+` add-interest e-1 --item Q291cnNlOjE= --quantity 1 --amount 10 --learner "Eilonwy Quackenbush <eilonwy.q@example.com>"
`+program+` progress e-1 --to Opportunity
`+program+` pause e-1 --reason "Eilonwy called" && `+program+` resume e-1`)
			harness.Eventually(t, time.Minute, "the interest is sent", func() bool {
				var view opportunity.View
				if err := json.Unmarshal([]byte(s.run(ctx, program+" show e-1 --output json")), &view); err != nil {
					t.Fatal(err)
				}
				return len(view.Interests) == 1 && len(view.Queue) == 0
			})
			histories := rawHistories(ctx, t, s)
			if endpoint := s.lookup("TEMPORAL_CODEC_ENDPOINT"); endpoint != "" {
				checkWebUI(ctx, t, ready, endpoint, histories)
			}
			s.stop()
			database := databaseFiles(t, data)
			for _, person := range persons {
				for what, content := range map[string][]byte{"the histories": clearBytes(t, histories), "the database": database} {
					if found := bytes.Contains(content, []byte(person)); found != (name == "clear") {
						t.Errorf("%s contain %q: %v", what, person, found)
					}
				}
			}
			if !bytes.Contains(database, []byte("opportunity/e-1")) {
				t.Error("the search found no person in the unencrypted database; the test does not check the search")
			}
		})
	}
}

// rawHistories returns the histories of e-1 and of the namespace's workflow as Temporal stores them.
func rawHistories(ctx context.Context, t *testing.T, s *shell) []*historypb.History {
	t.Helper()
	connection := dialRaw(ctx, t, s.lookup("TEMPORAL_ADDRESS"), s.lookup("TEMPORAL_NAMESPACE"))
	p := &harness.Parts{T: t, Temporal: connection}
	return append(p.Runs("e-1"), p.RunsOf(lifecycle.NamespaceID)...)
}

// clearBytes returns all texts of the histories.
func clearBytes(t *testing.T, histories []*historypb.History) []byte {
	t.Helper()
	var all []byte
	for _, h := range histories {
		content, err := proto.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// databaseFiles returns the content of the files of Temporal's database. Only the owner may read the
// files.
func databaseFiles(t *testing.T, data string) []byte {
	t.Helper()
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has the mode %v, %v; want 0700", info.Mode(), err)
	}
	files, err := filepath.Glob(filepath.Join(data, "temporal.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database in %s: %v", data, err)
	}
	if keys := filepath.Join(data, "keys.json"); exists(t, keys) {
		files = append(files, keys)
	}
	var all []byte
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, %v; want 0600", file, info.Mode(), err)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// checkWebUI checks that the Web UI knows the codec server, and that the codec server decrypts the
// start of e-1 for the Web UI.
func checkWebUI(ctx context.Context, t *testing.T, ready, endpoint string, histories []*historypb.History) {
	t.Helper()
	content, err := os.ReadFile(ready)
	if err != nil {
		t.Fatal(err)
	}
	var report readyfile.Report
	if err := json.Unmarshal(content, &report); err != nil {
		t.Fatal(err)
	}
	ui := report.UI
	if settings := httpText(ctx, t, http.MethodGet, ui+"/api/v1/settings", "", nil); !strings.Contains(settings, `"Endpoint":"`+endpoint+`"`) {
		t.Errorf("the Web UI has the settings %s", settings)
	}
	body, err := protojson.Marshal(histories[0].GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput())
	if err != nil {
		t.Fatal(err)
	}
	var start commonpb.Payloads
	text := httpText(ctx, t, http.MethodPost, endpoint+"/decode", ui, body)
	if err := protojson.Unmarshal([]byte(text), &start); err != nil || !bytes.Contains(start.GetPayloads()[0].GetData(), []byte("First Aid")) {
		t.Errorf("the codec server returned %s, %v", text, err)
	}
}

// httpText returns the body of a response to a page of the origin.
func httpText(ctx context.Context, t *testing.T, method, url, origin string, body []byte) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Namespace", "default")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%s %s: %s, %v: %s", method, url, response.Status, err, text)
	}
	return string(text)
}

// A key is removed while messages that are encrypted with the key wait. The workflow tasks fail
// with a reason that names the key, and the state of the opportunity does not change. When the key
// is back, the opportunity goes on, and no message is lost.
func TestRunSurvivesAMissingKey(t *testing.T) {
	t.Parallel()
	first, err := payload.GenerateKeySet()
	if err != nil {
		t.Fatal(err)
	}
	both, second, err := first.WithNewKey() // the first key encrypts
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := both.WithPrimary(second)
	if err != nil {
		t.Fatal(err)
	}
	without, err := rotated.Without(first.Primary())
	if err != nil {
		t.Fatal(err)
	}
	workers, callers := payload.FileSource{Path: filepath.Join(t.TempDir(), "workers.json")}, payload.FileSource{Path: filepath.Join(t.TempDir(), "callers.json")}
	for _, file := range []payload.FileSource{workers, callers} {
		if err := file.Create(both); err != nil {
			t.Fatal(err)
		}
	}
	p := startParts(t, stack.Options{WorkerArgs: []string{"--encryption-keys", workers.Path}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	caller := p.withKeys(ctx, callers)
	const reference = opportunity.Reference("k-1")
	if _, err := caller.Start(ctx, reference, opportunity.Start{Name: "First Aid", Region: "UK"}); err != nil {
		t.Fatal(err)
	}
	if err := workers.Replace(without); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, time.Minute, "the worker has read the keys again", func() bool { return p.Output.Contains("the encryption keys have changed") })
	for quantity := 1; quantity <= 3; quantity++ {
		if err := caller.Signal(ctx, reference, harness.Interests(quantity)); err != nil {
			t.Fatal(err)
		}
	}
	raw := p.rawParts(ctx)
	harness.Eventually(t, time.Minute, "the workflow task fails", func() bool {
		return strings.Contains(taskFailures(raw.Runs(reference)), "encrypted with the key "+first.Primary().String())
	})
	if status := p.Status(reference); status.String() != "Running" {
		t.Errorf("without the key the run is %v", status)
	}
	if err := workers.Replace(rotated); err != nil {
		t.Fatal(err)
	}
	var view opportunity.View
	harness.Eventually(t, time.Minute, "all messages are done", func() bool {
		view, err = caller.View(ctx, reference)
		return err == nil && len(view.Interests) == 3 && len(view.Queue) == 0
	})
	for n, interest := range view.Interests {
		if interest.Quantity != n+1 {
			t.Errorf("interest %d has the quantity %d", n+1, interest.Quantity)
		}
	}
	if len(view.Attention) > 0 {
		t.Errorf("unexpected attention: %+v", view.Attention)
	}
}

// A worker with keys encrypts the namespace for good. A worker without keys then does not start,
// and says why. A worker without keys that is already running stops.
func TestWorkersWithAndWithoutKeysDoNotMix(t *testing.T) {
	t.Parallel()
	keys, err := payload.GenerateKeySet()
	if err != nil {
		t.Fatal(err)
	}
	file := payload.FileSource{Path: filepath.Join(t.TempDir(), "keys.json")}
	if err := file.Create(keys); err != nil {
		t.Fatal(err)
	}
	p := startParts(t, stack.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := p.AddWorker("--encryption-keys", file.Path).Start(ctx); err != nil {
		t.Fatal(err)
	}
	want := `is encrypted with the key ` + keys.Primary().String() + `, but the worker has no keys; set --encryption-keys or OPPFLOW_ENCRYPTION_KEYS`
	select {
	case <-p.Worker().Exited():
		if err := p.Worker().ExitError(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the worker without keys ended with %v; want %q", err, want)
		}
	case <-ctx.Done():
		t.Fatal("the worker without keys still runs")
	}
	if err := p.AddWorker().Start(ctx); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("another worker without keys: %v; want %q", err, want)
	}
}

func taskFailures(runs []*historypb.History) string {
	var all strings.Builder
	for _, run := range runs {
		for _, event := range run.GetEvents() {
			all.WriteString(event.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage())
		}
	}
	return all.String()
}

// withKeys returns a client whose messages are encrypted with the keys of the file.
func (p *parts) withKeys(ctx context.Context, file payload.FileSource) *lifecycle.Client {
	p.t.Helper()
	temporal := host.InsecureTemporal(p.TemporalAddress(), p.Namespace())
	temporal.EncryptionKeys = file.Path
	connection, _, err := host.Connect(ctx, temporal, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(connection.Close)
	return lifecycle.NewClient(connection)
}

// rawParts returns the parts with a Temporal client that decrypts nothing.
func (p *parts) rawParts(ctx context.Context) *harness.Parts {
	p.t.Helper()
	connection := dialRaw(ctx, p.t, p.TemporalAddress(), p.Namespace())
	return &harness.Parts{T: p.t, Temporal: connection}
}

func dialRaw(ctx context.Context, t *testing.T, address, namespace string) client.Client {
	t.Helper()
	connection, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	return connection
}
