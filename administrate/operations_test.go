package administrate

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"testing"

	gql "github.com/vektah/gqlparser/v2/ast"
	queries "github.com/vektah/gqlparser/v2/parser"

	"github.com/oppflow/oppflow/administrate/transport"
)

// recorder is a Sender that stores the client's documents and sends nothing to the API.
type recorder struct{ documents []transport.Document }

var errRecorded = &NotSentError{Operation: "sample", Reason: Cancelled}

func (r *recorder) Send(_ context.Context, doc transport.Document) (transport.Response, error) {
	r.documents = append(r.documents, doc)
	return transport.Response{}, errRecorded
}

func (r *recorder) client(assumed Assumptions) *Client { return &Client{sender: r, assumed: assumed} }

func (r *recorder) run(ctx context.Context, o SampleOperation, assumed Assumptions) error {
	return o.Do(ctx, r.client(assumed))
}

func coordinates(t *testing.T, doc transport.Document) map[string]bool {
	t.Helper()
	parsed, err := queries.ParseQuery(&gql.Source{Input: doc.Text})
	if err != nil {
		t.Fatalf("%v\n%s", err, doc.Text)
	}
	all := map[string]bool{}
	var value func(at string, v *gql.Value)
	value = func(at string, v *gql.Value) {
		switch v.Kind {
		case gql.ObjectValue, gql.ListValue:
			for _, child := range v.Children {
				next := at
				if child.Name != "" {
					next += "." + child.Name
				}
				value(next, child.Value)
			}
		case gql.Variable:
			all[at+": "+parsed.Operations[0].VariableDefinitions.ForName(v.Raw).Type.String()] = true
		case gql.EnumValue:
			all[at+": "+v.Raw] = true
		default:
			all[at] = true
		}
	}
	var walk func(at string, set gql.SelectionSet)
	walk = func(at string, set gql.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *gql.InlineFragment:
				walk(at+" on "+s.TypeCondition, s.SelectionSet)
			case *gql.Field:
				next := at + "/" + s.Name
				all[next] = true
				for _, a := range s.Arguments {
					value(next+"("+a.Name+")", a.Value)
				}
				walk(next, s.SelectionSet)
			}
		}
	}
	walk(string(parsed.Operations[0].Operation), parsed.Operations[0].SelectionSet)
	return all
}

func checkedCoordinates(t *testing.T) map[string]bool {
	t.Helper()
	assumed, err := Assumptions{}.resolved()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	names := map[string]bool{}
	for _, u := range allOperations() {
		r := &recorder{}
		if err := r.run(t.Context(), u, assumed); !errors.Is(err, errRecorded) || len(r.documents) != 1 {
			t.Fatalf("%s: %v, %d documents", u.Name, err, len(r.documents))
		}
		if names[u.Name] {
			t.Errorf("two operations are called %q", u.Name)
		}
		names[u.Name] = true
		for c := range coordinates(t, r.documents[0]) {
			all[c] = true
		}
	}
	return all
}

func allOperations() []SampleOperation {
	return append(CoreOperations(), SideEffectOperations()...)
}

func wantCovered(t *testing.T, checked map[string]bool, what string, documents []transport.Document) {
	t.Helper()
	for _, doc := range documents {
		for c := range coordinates(t, doc) {
			if !checked[c] {
				t.Errorf("%s sends %s, which no operation in operations.go and operations_side_effects.go does: the check would not see it", what, c)
			}
		}
	}
}

func TestOperationsCoverEveryCall(t *testing.T) {
	t.Parallel()
	checked := checkedCoordinates(t)
	assumed, _ := Assumptions{}.resolved()
	for _, call := range everyCall() {
		r := &recorder{}
		if err := call.do(t.Context(), r.client(assumed)); !errors.Is(err, errRecorded) {
			t.Fatalf("%s: %v", call.name, err)
		}
		wantCovered(t, checked, call.name, r.documents)
	}
}

// TestOperationsCoverEveryMethod fails if no sample operation has an Input of the type that a
// method of the client needs.
func TestOperationsCoverEveryMethod(t *testing.T) {
	t.Parallel()
	checked := checkedCoordinates(t)
	byType := map[reflect.Type][]reflect.Value{reflect.TypeFor[string](): {reflect.ValueOf("text")}}
	var mutations []Mutation
	for _, u := range allOperations() {
		if u.Input == nil {
			continue
		}
		value := reflect.ValueOf(u.Input)
		byType[value.Type()] = append(byType[value.Type()], value)
		if m, ok := u.Input.(Mutation); ok {
			mutations = append(mutations, m)
		}
	}
	byType[reflect.TypeFor[[]Mutation]()] = []reflect.Value{reflect.ValueOf(mutations[:min(len(mutations), MaxMutations)])}
	assumed, _ := Assumptions{}.resolved()
	methods := reflect.TypeFor[*Client]()
	called := 0
	for i := range methods.NumMethod() {
		method := methods.Method(i)
		if method.Type.NumIn() < 2 || method.Type.In(1) != reflect.TypeFor[context.Context]() || method.Name == "Read" {
			continue
		}
		most := 1
		for n := 2; n < method.Type.NumIn(); n++ {
			values := byType[method.Type.In(n)]
			if len(values) == 0 {
				t.Errorf("%s takes a %s, of which operations.go and operations_side_effects.go have none", method.Name, method.Type.In(n))
			}
			most = max(most, len(values))
		}
		for round := range most {
			r := &recorder{}
			args := []reflect.Value{reflect.ValueOf(r.client(assumed)), reflect.ValueOf(t.Context())}
			for n := 2; n < method.Type.NumIn(); n++ {
				if values := byType[method.Type.In(n)]; len(values) > 0 {
					args = append(args, values[round%len(values)])
				}
			}
			if len(args) != method.Type.NumIn() {
				break
			}
			method.Func.Call(args)
			if len(r.documents) == 0 {
				t.Errorf("%s sent nothing", method.Name)
			}
			wantCovered(t, checked, method.Name, r.documents)
			called++
		}
	}
	if called < 40 {
		t.Errorf("only %d calls were made", called)
	}
}

// TestOperationsUseAllThereIs: the sample operations use every mutation, every member that a caller may
// set, and every constant of the three enumerations.
func TestOperationsUseAllThereIs(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", nil, 0) //nolint:staticcheck // one directory without build tags
	if err != nil {
		t.Fatal(err)
	}
	mutations, constants := map[string]bool{}, map[string][]string{}
	for _, file := range packages["administrate"].Files {
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "build" && d.Recv != nil {
					mutations[fmt.Sprint(d.Recv.List[0].Type)] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					value, ok := spec.(*ast.ValueSpec)
					if !ok || value.Type == nil || len(value.Values) != 1 {
						continue
					}
					if literal, ok := value.Values[0].(*ast.BasicLit); ok && d.Tok == token.CONST {
						text, _ := strconv.Unquote(literal.Value)
						typ := fmt.Sprint(value.Type)
						constants[typ] = append(constants[typ], text)
					}
				}
			}
		}
	}
	used := map[string]map[string]bool{}
	note := func(typ, what string) {
		if used[typ] == nil {
			used[typ] = map[string]bool{}
		}
		used[typ][what] = true
	}
	structs := map[reflect.Type]bool{}
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch {
		case v.Kind() == reflect.Pointer && !v.IsNil():
			visit(v.Elem())
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				visit(v.Index(i))
			}
		case v.Kind() == reflect.String:
			note(v.Type().Name(), v.String())
		case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[Client]().PkgPath():
			structs[v.Type()] = true
			for i := range v.NumField() {
				if !v.Field(i).IsZero() {
					note(v.Type().Name(), v.Type().Field(i).Name)
				}
				visit(v.Field(i))
			}
		}
	}
	for _, u := range allOperations() {
		if u.Input != nil {
			visit(reflect.ValueOf(u.Input))
		}
	}
	if len(mutations) < 5 {
		t.Fatalf("found the mutations %v", mutations)
	}
	for name := range mutations {
		if used[name] == nil {
			t.Errorf("no operation sends the mutation %s", name)
		}
	}
	for s := range structs {
		for i := range s.NumField() {
			if !used[s.Name()][s.Field(i).Name] {
				t.Errorf("no operation has %s.%s", s.Name(), s.Field(i).Name)
			}
		}
	}
	for typ, least := range map[string]int{"Kind": 4, "FilterOperation": 13, "OpportunityField": 6} {
		if len(constants[typ]) < least {
			t.Fatalf("found the constants %v of %s", constants[typ], typ)
		}
		for _, text := range constants[typ] {
			if !used[typ][text] {
				t.Errorf("no operation has the %s %q", typ, text)
			}
		}
	}
}
