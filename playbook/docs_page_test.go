package playbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

func page(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../docs/playbook.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func examplesOf(text string) []string {
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)\n```yaml\n(.*?\n)```\n").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

func TestExamplesOfThePageLoad(t *testing.T) {
	blocks := examplesOf(page(t))
	if len(blocks) < 7 {
		t.Errorf("%d blocks of YAML", len(blocks))
	}
	for _, block := range blocks {
		p, err := playbook.Load([]byte(block))
		if err != nil {
			t.Errorf("%v\n%s", err, block)
			continue
		}
		for _, name := range regexp.MustCompile(`name: ([a-z-]+)`).FindAllStringSubmatch(block, -1) {
			if !strings.Contains(p.Explain(), "("+name[1]+")") {
				t.Errorf("%s is not explained:\n%s", name[1], p.Explain())
			}
		}
		if err := schemaError(t, []byte(block)); err != nil {
			t.Errorf("the schema: %v\n%s", err, block)
		}
	}
}

// TestPageIsComplete checks that docs/playbook.md names every member, variable and limit, and that
// every member occurs in an example of the page.
func TestPageIsComplete(t *testing.T) {
	text := page(t)
	examples := strings.Join(examplesOf(text), "")
	seen := make(map[reflect.Type]bool)
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for i := range typ.NumField() {
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				if name == "" {
					continue
				}
				if !strings.Contains(text, "`"+name+"`") {
					t.Errorf("the page does not mention %s of %s", name, typ.Name())
				}
				if !regexp.MustCompile(`\b` + name + `:`).MatchString(examples) {
					t.Errorf("no example shows %s of %s", name, typ.Name())
				}
				for _, word := range regexp.MustCompile(`enum=([A-Za-z]+)`).FindAllStringSubmatch(typ.Field(i).Tag.Get("jsonschema"), -1) {
					if !strings.Contains(text, "`"+word[1]+"`") {
						t.Errorf("the page does not mention %s, which is a %s", word[1], name)
					}
				}
				walk(typ.Field(i).Type)
			}
		}
	}
	walk(reflect.TypeFor[playbook.Rules]())
	for _, field := range reflect.VisibleFields(reflect.TypeFor[playbook.MailVariables]()) {
		if !field.Anonymous && !regexp.MustCompile(`\{\{(index )?\.`+field.Name+`\b`).MatchString(text) {
			t.Errorf("the page does not mention the variable %s", field.Name)
		}
	}
	for _, limit := range []string{
		fmt.Sprintf("| a file | %d KiB |", playbook.MaxFileBytes>>10), fmt.Sprintf("| %d each |", playbook.MaxRules),
		fmt.Sprintf("follow-ups of a step | %d |", playbook.MaxEffects), fmt.Sprintf("| %d KiB; %d KiB |", playbook.MaxTextBytes>>10, playbook.MaxExpressionBytes>>10),
		fmt.Sprintf("| effects in all | %d |", playbook.MaxAllEffects), fmt.Sprintf("one line | %d KiB |", playbook.MaxLineBytes>>10),
		fmt.Sprintf("| mistakes reported at once | %d |", diagnostic.MaxEntries), fmt.Sprintf("1 to %d; %d where", playbook.MaxFollowUpsPerOpportunity, playbook.DefaultFollowUpsPerOpportunity),
		fmt.Sprintf("in all, 2 to %d,", playbook.MaxRepetitions), "| holidays | 1,000 |", fmt.Sprintf("at least, %d seconds,", playbook.MinReservationSeconds),
	} {
		if !strings.Contains(text, limit) {
			t.Errorf("the page does not say %q", limit)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^):#]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../docs", link[1])); err != nil {
			t.Errorf("a link of the page leads nowhere: %v", err)
		}
	}
}
