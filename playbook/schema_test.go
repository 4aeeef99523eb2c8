package playbook_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	checker "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/oppflow/oppflow/playbook"
)

//go:generate go test -run=^TestSchemaIsUpToDate$ -update

var update = flag.Bool("update", false, "write the schema instead of comparing it")

const schemaFile = "../docs/schemas/playbook.json"

// comments returns the comments on the types and fields of the package, by the keys "Type" and "Type.Field".
func comments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				typ, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				found[typ.Name.Name] = general.Doc.Text()
				if structure, ok := typ.Type.(*ast.StructType); ok {
					for _, field := range structure.Fields.List {
						for _, n := range field.Names {
							found[typ.Name.Name+"."+n.Name] = field.Doc.Text()
						}
					}
				}
			}
		}
	}
	return found
}

var fieldWord = regexp.MustCompile(`\b[A-Z][A-Za-z]*\b`)

func schema(t *testing.T) []byte {
	t.Helper()
	text := comments(t)
	form := func(pattern string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: pattern} }
	reflector := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true,
		Mapper: func(typ reflect.Type) *jsonschema.Schema {
			var s *jsonschema.Schema
			switch typ {
			case reflect.TypeFor[playbook.Period]():
				s = form(`^[0-9]{1,9} ?(s|seconds?|m|minutes?|h|hours?|d|days?|w|weeks?|bh|business hours?|bd|business days?)$`)
				s.Examples = []any{"30 seconds", "30 minutes", "36 hours", "7 days", "2 business days"}
			case reflect.TypeFor[playbook.Clock]():
				s = form(`^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`)
			case reflect.TypeFor[playbook.Date]():
				s = form(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
				s.Format = "date"
			case reflect.TypeFor[playbook.Weekday]():
				s = &jsonschema.Schema{Type: "string"}
				for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
					s.Enum = append(s.Enum, day)
				}
			case reflect.TypeFor[playbook.Expression]():
				s = &jsonschema.Schema{Type: "string", Examples: []any{`value >= 1000 and region in ["UK", "US"]`}}
			case reflect.TypeFor[playbook.Text]():
				s = &jsonschema.Schema{Type: "string"}
			}
			return s
		},
		LookupComment: func(typ reflect.Type, field string) string {
			key := typ.Name()
			if field != "" {
				key += "." + field
			}
			said := strings.Join(strings.Fields(text[key]), " ")
			if typ.Kind() != reflect.Struct {
				return said
			}
			return fieldWord.ReplaceAllStringFunc(said, func(word string) string {
				if member, ok := typ.FieldByName(word); ok {
					name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
					return name
				}
				return word
			})
		},
	}
	s := reflector.Reflect(playbook.Rules{})
	s.ID, s.Title = "https://github.com/oppflow/oppflow/docs/schemas/playbook.json", "Playbook of a tenant"
	number := func(definition *jsonschema.Schema, member string, least, most int) {
		of, ok := definition.Properties.Get(member)
		if !ok {
			t.Fatalf("no member %s", member)
		}
		of.Minimum, of.Maximum = json.Number(strconv.Itoa(least)), json.Number(strconv.Itoa(most))
	}
	number(s, "followUpsAtMost", 1, playbook.MaxFollowUpsPerOpportunity)
	number(s.Definitions["Repeat"], "times", 2, playbook.MaxRepetitions)
	one := func(definition *jsonschema.Schema, spare ...string) {
		for member := definition.Properties.Oldest(); member != nil; member = member.Next() {
			if !strings.Contains(strings.Join(spare, " "), member.Key) {
				definition.OneOf = append(definition.OneOf, &jsonschema.Schema{Required: []string{member.Key}})
			}
		}
	}
	one(s.Definitions["StepSelector"])
	one(s.Definitions["Due"])
	one(s.Definitions["ActionRule"])
	one(s.Definitions["EffectRule"], "when")
	// In the YAML file, an effect without settings may be written without braces.
	for member := s.Definitions["EffectRule"].Properties.Oldest(); member != nil; member = member.Next() {
		_, name, found := strings.Cut(member.Value.Ref, "#/$defs/")
		if found && len(s.Definitions[name].Required) == 0 {
			member.Value = &jsonschema.Schema{
				Description: member.Value.Description,
				OneOf:       []*jsonschema.Schema{{Ref: member.Value.Ref}, {Type: "null"}},
			}
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := json.Indent(&file, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	file.WriteByte('\n')
	return bytes.NewBufferString(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(file.String())).Bytes()
}

func TestSchemaIsUpToDate(t *testing.T) {
	want := schema(t)
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the schema as generated now (-) and as stored (+); run go generate ./playbook:\n%s", diff)
	}
}

var compiledSchema = sync.OnceValues(func() (*checker.Schema, error) { return checker.NewCompiler().Compile(schemaFile) })

// schemaError returns the reason why the schema rejects a file, or nil if the schema accepts the
// file.
func schemaError(t *testing.T, file []byte) error {
	t.Helper()
	compiled, err := compiledSchema()
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(file, &node); err != nil {
		t.Fatal(err)
	}
	daysToText(&node)
	var value any
	if err := node.Decode(&value); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	read, err := checker.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(read)
}

// daysToText changes the YAML type of dates to text, because editors read dates as texts.
func daysToText(node *yaml.Node) {
	if node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, inner := range node.Content {
		daysToText(inner)
	}
}

func TestSchemaAcceptsAllExamples(t *testing.T) {
	for _, file := range seeds(t) {
		if err := schemaError(t, file); err != nil {
			t.Errorf("%v\n%s", err, file)
		}
	}
	for _, file := range []string{
		"{}", rule("    after: [release: ]\n"), "calendar: { quiet: { from: \"20:00\", to: \"24:00\" } }",
	} {
		if err := schemaError(t, []byte(file)); err != nil {
			t.Errorf("%v\n%s", err, file)
		}
	}
}

func TestSchemaRefusesWhatEditorsCanTell(t *testing.T) {
	for _, file := range []string{
		"transitons: []", "followUpsAtMost: 0", "followUpsAtMost: 101", "calendar: { quiet: { from: 8pm, to: \"08:00\" } }",
		rule("    after: [reserve: {}]\n"), rule("    after: [reserve: ]\n"), rule("    after: [reserve: { for: 7 }]\n"), rule("    after: [{}]\n"),
		rule("    after: [{ release: {}, register: {} }]\n"), rule("    after: [relase: {}]\n"),
		rule("    after: [log: { message: m, status: sucess }]\n"),
		"transitions:\n  - name: a\n    to: { step: A, state: Won }\n    after: [release: {}]\n",
		followUp("        due: {}\n        do: { progress: { to: Lost } }\n"),
		followUp("        due: { idle: 1 day }\n        do: {}\n"),
	} {
		if schemaError(t, []byte(file)) == nil {
			t.Errorf("the schema takes\n%s", file)
		}
		if _, err := playbook.Load([]byte(file)); err == nil {
			t.Errorf("loads:\n%s", file)
		}
	}
}
