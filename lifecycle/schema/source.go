package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// sourceInfo is the information about the packages of the contract that Go's reflection does not
// return: their comments, and the values of their enumerations.
type sourceInfo struct {
	comments map[string]string   // by import path, type and field, with dots between
	values   map[string][]string // values of string constants, by import path and type
}

const module = "github.com/oppflow/oppflow"

func readSource(checkout string) (*sourceInfo, error) {
	s := &sourceInfo{comments: make(map[string]string), values: make(map[string][]string)}
	for _, room := range []string{"opportunity", "lifecycle"} {
		entries, err := os.ReadDir(filepath.Join(checkout, room))
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() || !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(checkout, room, entry.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			s.read(path.Join(module, room), file)
		}
	}
	return s, nil
}

func (s *sourceInfo) read(pkg string, file *ast.File) {
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.readType(pkg, general, spec)
			case *ast.ValueSpec:
				s.readValues(pkg, general, spec)
			}
		}
	}
}

func (s *sourceInfo) readType(pkg string, general *ast.GenDecl, spec *ast.TypeSpec) {
	name := pkg + "." + spec.Name.Name
	text := spec.Doc.Text()
	if text == "" {
		text = general.Doc.Text()
	}
	s.comments[name] = text
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range structure.Fields.List {
		text := field.Doc.Text()
		if text == "" {
			text = field.Comment.Text()
		}
		for _, n := range field.Names {
			s.comments[name+"."+n.Name] = text
		}
	}
}

func (s *sourceInfo) readValues(pkg string, general *ast.GenDecl, spec *ast.ValueSpec) {
	typ, ok := spec.Type.(*ast.Ident)
	if general.Tok != token.CONST || !ok || len(spec.Values) != 1 {
		return
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return
	}
	if value, err := strconv.Unquote(literal.Value); err == nil {
		s.values[pkg+"."+typ.Name] = append(s.values[pkg+"."+typ.Name], value)
	}
}

// enumeration returns the values of an enumeration type, in the order in which the Go source
// declares the values.
func (s *sourceInfo) enumeration(t reflect.Type) ([]any, error) {
	var all []any
	for _, value := range s.values[t.PkgPath()+"."+t.Name()] {
		all = append(all, value)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the source files contain no constants of type %s", t)
	}
	return all, nil
}

var exportedWord = regexp.MustCompile(`\b[A-Z][A-Za-z]*\b`)

// comment returns the comment of a type, or of its field, on one line. comment replaces the names
// of Go fields with the names of the JSON members.
func (s *sourceInfo) comment(t reflect.Type, field string) string {
	key := t.PkgPath() + "." + t.Name()
	if field != "" {
		key += "." + field
	}
	text := strings.Join(strings.Fields(s.comments[key]), " ")
	if t.Kind() != reflect.Struct {
		return text
	}
	return exportedWord.ReplaceAllStringFunc(text, func(word string) string {
		if member, ok := t.FieldByName(word); ok {
			name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
			return name
		}
		return word
	})
}
