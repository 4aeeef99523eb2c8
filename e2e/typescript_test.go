package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	commonpb "go.temporal.io/api/common/v1"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/settings/testrun"
	"github.com/oppflow/oppflow/stack"
)

// typeScript installs the program of the folder typescript. typeScript returns a function that runs
// npm with further environment variables and returns the standard output.
func typeScript(ctx context.Context, t *testing.T, environment func() []string) func(...string) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			testrun.SkipWithout(t, program+" (Node.js), which runs the program in e2e/typescript")
		}
	}
	dir := filepath.Join(t.TempDir(), "typescript") // npm must install nothing in the checkout
	for _, name := range []string{"package.json", "package-lock.json", "tsconfig.json", "src"} {
		copyInto(t, dir, "typescript", name)
	}
	npm := func(arguments ...string) string {
		t.Helper()
		command := exec.CommandContext(ctx, "npm", arguments...)
		command.Dir, command.Env = dir, slices.Concat(os.Environ(), environment())
		var stderr bytes.Buffer
		command.Stderr = &stderr
		out, err := command.Output()
		if err != nil {
			t.Fatalf("npm %s: %v\n%s\n%s", strings.Join(arguments, " "), err, out, stderr.String())
		}
		return string(out)
	}
	npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	return npm
}

// A codec in TypeScript, which uses no code of Oppflow, reads and writes encrypted payloads.
func TestTypeScriptCodec(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	npm := typeScript(ctx, t, func() []string { return nil })
	path, err := filepath.Abs("../payload/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct{ KeySet json.RawMessage }
	if err := json.Unmarshal(content, &vectors); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, vectors.KeySet, 0o600); err != nil {
		t.Fatal(err)
	}
	ring, err := payload.OpenKeyRing(ctx, payload.FileSource{Path: file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	out := npm("run", "--silent", "vectors", "--", path)
	if err := json.Unmarshal([]byte(out), &data); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	plain, err := payload.NewCodec(ring).Decode([]*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte(payload.Encoding)}, Data: data}})
	if err != nil || string(plain[0].GetData()) != strings.Repeat("x", 100_000) {
		t.Errorf("Go does not decrypt what TypeScript encrypted: %v", err)
	}
}

// A program in TypeScript plays a whole opportunity. The program uses only the contract and no code
// of Oppflow. The workflow's results match the schemas, and the record has everything that the
// program requested.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	var environment []string // the environment of the program
	npm := typeScript(ctx, t, func() []string { return environment })

	p := startParts(t, stack.Options{})
	const reference = opportunity.Reference("from TypeScript")
	environment = append(p.Environ(), "OPPORTUNITY="+string(reference))
	var told struct {
		Reference string
		Steps     []struct {
			Name   string
			Answer json.RawMessage
		}
	}
	out := npm("run", "--silent", "story")
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}

	t.Logf("%s", out)
	schemas := map[string]string{
		"start": "opened-result", "the same start again": "opened-result", "view": "view", "ended": "ended",
		"another start": "error", "another request under its id": "error", "a step out of reach": "error", "a step of no name": "error",
		"an update while paused": "error", "an update after the end": "error", "a start after the end": "error",
	}
	steps := make(map[string]json.RawMessage)
	for _, step := range told.Steps {
		name := schemas[step.Name]
		if name == "" {
			name = "outcome-result"
		}
		delete(schemas, step.Name)
		steps[step.Name] = step.Answer
		if err := validateSchema(t, name, step.Answer); err != nil {
			t.Errorf("%s does not fit %s.json: %v\n%s", step.Name, name, err, step.Answer)
		}
	}
	if len(schemas) > 0 || len(steps) != 20 {
		t.Errorf("the program printed %d results; the results %v are missing", len(steps), schemas)
	}

	var opened opportunity.CreateOutcome
	if err := json.Unmarshal(steps["start"], &opened); err != nil {
		t.Fatal(err)
	}
	var record struct {
		Node struct {
			Name               string
			Step               struct{ Name string }
			Account            struct{ Name string }
			FinancialUnit      struct{ Name string }
			Value              struct{ GrandTotal json.Number }
			IsReservationValid bool
			Interests          struct {
				PageInfo struct{ TotalRecords int }
				Edges    []struct {
					Node struct {
						Item struct {
							TypeName string `json:"__typename"`
						}
						Learners struct{ Edges []struct{} }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(p.Records(opened.Opportunity)), &record); err != nil {
		t.Fatal(err)
	}
	got := record.Node
	var items []string
	learners := 0
	for _, edge := range got.Interests.Edges {
		items = append(items, edge.Node.Item.TypeName)
		learners += len(edge.Node.Learners.Edges)
	}
	if got.Name != "First Aid course" || got.Step.Name != "Won" || got.Account.Name != "Administrate" || got.FinancialUnit.Name != "U.S. Dollars" ||
		!got.IsReservationValid || got.Value.GrandTotal.String() != "499.90" || got.Interests.PageInfo.TotalRecords != 2 || !slices.Equal(items, []string{"Event", "CourseTemplate"}) || learners != 1 {
		t.Errorf("the record has wrong values: %+v", got)
	}
	ended, err := p.client.Wait(ctx, reference)
	if err != nil || ended.State != opportunity.Won || ended.FailedRequests != 1 {
		t.Errorf("the workflow ended with %+v, %v; want the opportunity Won, with one failed request", ended, err)
	}
}

func validateSchema(t *testing.T, name string, answer []byte) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "docs", "schemas", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	return errors.Join(err, schema.Validate(value))
}

func copyInto(t *testing.T, to, from, name string) {
	t.Helper()
	if info, err := os.Stat(filepath.Join(from, name)); err == nil && info.IsDir() {
		err = os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(from, name)))
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	content, err := os.ReadFile(filepath.Join(from, name))
	if err == nil {
		err = errors.Join(os.MkdirAll(to, 0o700), os.WriteFile(filepath.Join(to, name), content, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}
