package playbook

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// decoder reads the file of a playbook, and finds the position of a decoded value in the file by
// the value's path, such as "transitions[0].to.step".
type decoder struct {
	lines       []string
	nodes       map[string]*yaml.Node
	diagnostics diagnostic.List
	// unreadable are the paths of values that could not be read. unknownMembers are the paths of structs with unknown
	// members. The decoder has already reported the mistakes at the paths in unreadable and unknownMembers.
	unreadable, unknownMembers map[string]bool
}

func (s *decoder) read(file []byte, rules *Rules) {
	s.lines = strings.Split(string(file), "\n")
	s.nodes, s.unreadable, s.unknownMembers = make(map[string]*yaml.Node), make(map[string]bool), make(map[string]bool)
	if len(file) > MaxFileBytes {
		s.diagnostics.Add(1, 1, fmt.Sprintf("the file has %d bytes; the limit is %d bytes", len(file), MaxFileBytes))
		return
	}
	var documents []yaml.Node
	if err := yaml.Load(file, &documents, yaml.WithAllDocuments()); err != nil {
		s.reportSyntax(file, err)
		return
	}
	if len(documents) == 0 { // the file is empty, or has comments only
		return
	}
	if len(documents) > 1 {
		s.diagnostics.Add(documents[1].Line, documents[1].Column, "the file contains a second document; a playbook is one document")
	}
	for _, node := range documents[0].Content {
		if isNull(node) {
			return
		}
		s.decode("", node, reflect.ValueOf(rules).Elem(), "")
	}
}

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

func (s *decoder) reportSyntax(file []byte, err error) {
	var wrong *yaml.LoadError
	if !errors.As(err, &wrong) {
		s.diagnostics.Add(1, 1, "the file is not YAML: "+err.Error())
		return
	}
	if found := unknownAnchor.FindStringSubmatch(wrong.Message); found != nil {
		s.diagnostics.Add(wrong.Mark.Line, wrong.Mark.Column, fmt.Sprintf("the alias *%s is not supported; write the value itself", diagnostic.Quote(found[1])))
		return
	}
	at := wrong.Mark
	if wrong.ContextMark.Line > 0 && at.Index >= utf8.RuneCount(bytes.TrimRight(file, " \t\r\n")) {
		at = wrong.ContextMark // the construct that begins at ContextMark has no end
	}
	s.diagnostics.Add(at.Line, at.Column, "the file is not YAML: "+wrong.Message)
}

// If the file has no value at the path, report uses the position of the innermost value that
// encloses the path.
func (s *decoder) report(path, format string, args ...any) {
	line, column := s.position(path)
	s.diagnostics.Add(line, column, fmt.Sprintf(format, args...))
}

func (s *decoder) reportUnreadable(path, format string, args ...any) {
	s.unreadable[path] = true
	s.report(path, format, args...)
}

// isGiven reports whether the file has a value at the path and the decoder could read the value.
func (s *decoder) isGiven(path string) bool { return s.nodes[path] != nil && !s.unreadable[path] }

func (s *decoder) position(path string) (line, column int) {
	for {
		if node := s.nodes[path]; node != nil {
			return node.Line, node.Column
		}
		if path == "" {
			return 1, 1
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

func (s *decoder) positionInText(path, text string, offset int) (line, column int) {
	node := s.nodes[path]
	if node == nil {
		return s.position(path)
	}
	before := text[:min(max(offset, 0), len(text))]
	row := strings.Count(before, "\n")
	column = len([]rune(before[strings.LastIndex(before, "\n")+1:]))
	switch node.Style &^ yaml.TaggedStyle {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		if node.Style&yaml.FoldedStyle != 0 && row == 0 && !strings.HasPrefix(s.line(node.Line+1), s.indentOf(node)+text[:len(before)]) {
			return node.Line, node.Column // the file folds the text from several lines
		}
		return node.Line + 1 + row, len(s.indentOf(node)) + column + 1
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		column++
	}
	written := []rune(s.line(node.Line))
	if start := node.Column - 1; row > 0 || start > len(written) || !strings.Contains(string(written[start:]), text) {
		return node.Line, node.Column // the file has the text with escapes or on several lines
	}
	return node.Line, node.Column + column
}

func (s *decoder) line(number int) string {
	if number < 1 || number > len(s.lines) {
		return ""
	}
	return s.lines[number-1]
}

func (s *decoder) indentOf(node *yaml.Node) string {
	for number := node.Line + 1; number <= len(s.lines); number++ {
		if written := s.line(number); strings.TrimSpace(written) != "" {
			return written[:len(written)-len(strings.TrimLeft(written, " "))]
		}
	}
	return ""
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// tag is the struct tag of the value, and lists the allowed words of a text.
func (s *decoder) decode(path string, node *yaml.Node, value reflect.Value, tag reflect.StructTag) {
	s.nodes[path] = node
	if node.Kind == yaml.AliasNode {
		s.reportUnreadable(path, "the alias *%s is not supported; write the value itself", diagnostic.Quote(node.Value))
		return
	}
	if node.Style&yaml.TaggedStyle != 0 {
		s.reportUnreadable(path, "the YAML tag %s is not supported; leave the YAML tag out", diagnostic.Quote(node.Tag))
		return
	}
	if value.Kind() == reflect.Pointer {
		value.Set(reflect.New(value.Type().Elem()))
		if value = value.Elem(); isNull(node) && value.Kind() == reflect.Struct && !isText(value) {
			s.checkRequired(path, value) // "release:" is an effect without settings
			return
		}
	}
	if isText(value) {
		s.decodeText(path, node, value)
		return
	}
	switch value.Kind() {
	case reflect.Struct:
		s.decodeStruct(path, node, value)
	case reflect.Map:
		s.decodeMap(path, node, value)
	case reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			s.reportUnreadable(path, "the value must be a list, but is %s; begin each line of a list with \"- \"", kindOf(node))
			return
		}
		value.Set(reflect.MakeSlice(value.Type(), len(node.Content), len(node.Content)))
		for i, element := range node.Content {
			s.decode(fmt.Sprintf("%s[%d]", path, i), element, value.Index(i), "")
		}
	case reflect.String:
		if node.Kind != yaml.ScalarNode || isNull(node) {
			s.reportUnreadable(path, "the value must be a text, but is %s", kindOf(node))
			return
		}
		value.SetString(node.Value)
		if words := enumOf(tag); len(words) > 0 && !slices.Contains(words, node.Value) {
			s.reportUnreadable(path, "%q is not one of %s; %s", diagnostic.Quote(node.Value), strings.Join(words, ", "), diagnostic.Suggest(node.Value, words))
		}
	case reflect.Int:
		number, err := strconv.Atoi(node.Value)
		if node.Kind != yaml.ScalarNode || err != nil {
			s.reportUnreadable(path, "the value must be a whole number, but is %s", kindOf(node))
			return
		}
		value.SetInt(int64(number))
	case reflect.Bool:
		if node.Kind != yaml.ScalarNode || node.Value != "true" && node.Value != "false" {
			s.reportUnreadable(path, "the value must be true or false, but is %s", kindOf(node))
			return
		}
		value.SetBool(node.Value == "true")
	}
}

func (s *decoder) decodeText(path string, node *yaml.Node, value reflect.Value) {
	if node.Kind != yaml.ScalarNode || isNull(node) {
		s.reportUnreadable(path, "the value must be a text, but is %s", kindOf(node))
		return
	}
	if reader, ok := value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := reader.UnmarshalText([]byte(node.Value)); err != nil {
			s.reportUnreadable(path, "%v", err)
		}
	}
}

func isText(value reflect.Value) bool {
	return value.CanAddr() && reflect.PointerTo(value.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func (s *decoder) decodeStruct(path string, node *yaml.Node, value reflect.Value) {
	if node.Kind != yaml.MappingNode {
		s.reportUnreadable(path, "the value must be an object, but is %s; give an object with the members %s", kindOf(node), strings.Join(memberNames(value.Type()), ", "))
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, inner := node.Content[i], node.Content[i+1]
		field, known := fieldOf(value.Type(), key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			s.diagnostics.Add(key.Line, key.Column, "the name of a member must be a word")
		case !known:
			s.unknownMembers[path] = true
			s.diagnostics.Add(key.Line, key.Column, fmt.Sprintf("unknown member %q; %s", diagnostic.Quote(key.Value), diagnostic.Suggest(key.Value, memberNames(value.Type()))))
		case seen[key.Value]:
			s.diagnostics.Add(key.Line, key.Column, fmt.Sprintf("the member %q is given twice", key.Value))
		default:
			seen[key.Value] = true
			s.decode(joinPath(path, key.Value), inner, value.FieldByIndex(field.Index), field.Tag)
		}
	}
	s.checkRequired(path, value)
}

func (s *decoder) checkRequired(path string, value reflect.Value) {
	for i := range value.NumField() {
		name, options, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		if options == "" && s.nodes[joinPath(path, name)] == nil {
			s.report(path, "the member %q is missing", name)
		}
	}
}

func (s *decoder) decodeMap(path string, node *yaml.Node, value reflect.Value) {
	if node.Kind != yaml.MappingNode {
		s.reportUnreadable(path, "the value must be a mapping of names, but is %s", kindOf(node))
		return
	}
	value.Set(reflect.MakeMap(value.Type()))
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, inner := node.Content[i], node.Content[i+1]
		name := reflect.ValueOf(key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || key.Value == "" || strings.ContainsAny(key.Value, ".[]"):
			s.diagnostics.Add(key.Line, key.Column, fmt.Sprintf("%q is not a valid name; leave out dots and brackets", diagnostic.Quote(key.Value)))
		case value.MapIndex(name).IsValid():
			s.diagnostics.Add(key.Line, key.Column, fmt.Sprintf("the name %q is given twice", diagnostic.Quote(key.Value)))
		default:
			element := reflect.New(value.Type().Elem()).Elem()
			s.decode(joinPath(path, key.Value), inner, element, "")
			value.SetMapIndex(name, element)
		}
	}
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func fieldOf(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if written, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); written == name {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

func memberNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// enumOf returns the allowed words of a text, from the struct tag that the schema also uses.
func enumOf(tag reflect.StructTag) []string {
	var words []string
	for option := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
		if word, found := strings.CutPrefix(option, "enum="); found {
			words = append(words, word)
		}
	}
	return words
}

func kindOf(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "an object with members"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(node):
		return "empty"
	}
	return fmt.Sprintf("%q", diagnostic.Quote(node.Value))
}
