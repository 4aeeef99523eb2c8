package playbook

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// Text is a template in the language of Go's text/template, with named variables, such as "Dear
// {{.Contact}}". A Text may use "if", "else", "with", "and", "or", "not", "eq", "ne" and "index"; a
// Text cannot contain loops and cannot define other templates.
type Text string

var templateFunctions = [...]string{"and", "or", "not", "eq", "ne", "index"}

func (t Text) parse() (*template.Template, error) {
	return template.New("").Option("missingkey=zero").Parse(string(t))
}

func (t Text) render(variables any) (string, error) {
	parsed, err := t.parse()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := parsed.Execute(&b, variables); err != nil {
		return "", err
	}
	return b.String(), nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// textDiagnostic is a mistake at a byte offset of a text.
type textDiagnostic struct {
	offset int
	text   string
}

// diagnose returns the mistakes in a template, and the keys of attributes that the template uses. variables is a struct
// whose fields are the variables that the template may use.
func (t Text) diagnose(variables any) (mistakes, attributes []textDiagnostic) {
	if len(t) > MaxTextBytes {
		return []textDiagnostic{{0, fmt.Sprintf("the text has %d bytes; the limit is %d bytes", len(t), MaxTextBytes)}}, nil
	}
	parsed, err := t.parse()
	if err != nil {
		return []textDiagnostic{templateDiagnostic(string(t), err)}, nil
	}
	if parsed.Tree == nil || parsed.Root == nil {
		return nil, nil
	}
	walk := textWalk{variables: reflect.TypeOf(variables)}
	for _, other := range parsed.Templates() {
		if other.Name() != "" {
			walk.addDiagnostic(0, "the text defines the template %q; write the text of the template where the template is used", diagnostic.Quote(other.Name()))
		}
	}
	walk.list(parsed.Root)
	if len(walk.diagnostics) > 0 {
		return walk.diagnostics, nil
	}
	if err := parsed.Execute(new(strings.Builder), variables); err != nil {
		return []textDiagnostic{templateDiagnostic(string(t), err)}, nil
	}
	return nil, walk.attributes
}

// The text of the error begins with its position: "template: :2:7: …" or "template: :2: …".
func templateDiagnostic(text string, err error) textDiagnostic {
	said := strings.TrimPrefix(err.Error(), "template: :")
	var line, column int
	if n, _ := fmt.Sscanf(said, "%d:%d:", &line, &column); n < 2 {
		column = 0
		_, _ = fmt.Sscanf(said, "%d:", &line)
	}
	offset := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(text[offset:], '\n')
		if next < 0 {
			break
		}
		offset += next + 1
	}
	said = strings.TrimLeft(said, "0123456789:")
	if _, rest, found := strings.Cut(said, ">: "); found {
		said = rest
	}
	return textDiagnostic{min(offset+column, len(text)), "the template cannot be filled in: " + strings.TrimSpace(said)}
}

// textWalk looks for constructs that a template may not use, and for keys of attributes.
type textWalk struct {
	variables   reflect.Type
	diagnostics []textDiagnostic
	attributes  []textDiagnostic
}

func (w *textWalk) addDiagnostic(at parse.Pos, format string, args ...any) {
	w.diagnostics = append(w.diagnostics, textDiagnostic{int(at), fmt.Sprintf(format, args...)})
}

func (w *textWalk) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		w.node(node)
	}
}

func (w *textWalk) node(node parse.Node) {
	switch node := node.(type) {
	case *parse.ActionNode:
		w.pipe(node.Pipe)
	case *parse.IfNode:
		w.branch(node.BranchNode)
	case *parse.WithNode:
		w.branch(node.BranchNode)
	case *parse.TextNode, *parse.CommentNode:
	default:
		w.addDiagnostic(node.Position(), "a template may not use this action; a template may use variables, if, else, with, %s", strings.Join(templateFunctions[:], ", "))
	}
}

func (w *textWalk) branch(branch parse.BranchNode) {
	w.pipe(branch.Pipe)
	w.list(branch.List)
	w.list(branch.ElseList)
}

func (w *textWalk) pipe(pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	for _, command := range pipe.Cmds {
		if len(command.Args) == 3 && command.Args[0].String() == "index" && command.Args[1].String() == ".Attributes" {
			if key, is := command.Args[2].(*parse.StringNode); is {
				w.attributes = append(w.attributes, textDiagnostic{int(key.Position()), key.Text})
			}
		}
		for _, argument := range command.Args {
			w.argument(argument)
		}
	}
}

func (w *textWalk) argument(node parse.Node) {
	switch node := node.(type) {
	case *parse.PipeNode:
		w.pipe(node)
	case *parse.IdentifierNode:
		if !slices.Contains(templateFunctions[:], node.Ident) {
			w.addDiagnostic(node.Position(), "a template may not call %s; a template may call %s", node.Ident, strings.Join(templateFunctions[:], ", "))
		}
	case *parse.FieldNode:
		names := variableNames(w.variables)
		if !slices.Contains(names, node.Ident[0]) {
			w.addDiagnostic(node.Position(), "unknown variable {{.%s}}; %s", diagnostic.Quote(node.Ident[0]), diagnostic.Suggest(node.Ident[0], names))
		}
	case *parse.ChainNode:
		w.argument(node.Node)
	}
}

// variableNames returns the names of the fields, including the fields of embedded structs.
func variableNames(t reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(t) {
		if !field.Anonymous {
			names = append(names, field.Name)
		}
	}
	return names
}
