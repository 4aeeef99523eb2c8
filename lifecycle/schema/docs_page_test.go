package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
)

func docsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, "docs/contract.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fence      = regexp.MustCompile("(?ms)^ *```(\\w+)(?: (\\S+))?\n(.*?)\n *```$")
	inputFlags = regexp.MustCompile(`(?:--input|--update-input) '([^']*)'`)
	nameFlags  = regexp.MustCompile(`(?:--name|--update-name|--type) (\w+)`)
)

// Oppflow accepts every payload on the page, and every payload fits its schema. Every response on
// the page fits its schema and contains only members that Oppflow writes.
func TestExamplesOfThePage(t *testing.T) {
	text, checker, decode := docsPage(t), newChecker(t), decoders()
	payload := func(name string, example []byte) {
		t.Helper()
		if decode[name] == nil {
			t.Errorf("%q is no payload of the contract:\n%s", name, example)
			return
		}
		if err := decode[name](example); err != nil {
			t.Errorf("%s: Oppflow: %v\n%s", name, err, example)
		}
		if err := checker.refuses(name, example); err != nil {
			t.Errorf("%s: its schema: %v\n%s", name, err, example)
		}
	}
	shown := make(map[string]int)
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		language, name, code := block[1], block[2], block[3]
		switch language {
		case "json":
			shown[name]++
			if decode[name] != nil {
				payload(name, []byte(code))
				continue
			}
			if checker[name] == nil {
				t.Errorf("%q is nothing of the contract:\n%s", name, code)
				continue
			}
			if err := checker.refuses(name, []byte(code)); err != nil {
				t.Errorf("%s: its schema: %v\n%s", name, err, code)
			}
			for _, d := range documents() {
				if d.name == name {
					strictly := json.NewDecoder(bytes.NewReader([]byte(code)))
					strictly.DisallowUnknownFields()
					if err := strictly.Decode(reflect.New(reflect.TypeOf(d.value)).Interface()); err != nil {
						t.Errorf("%s: %v\n%s", name, err, code)
					}
				}
			}
		case "sh":
			commands := strings.Split(strings.ReplaceAll(code, "\\\n", " "), "\n")
			for _, command := range commands {
				examples, names := inputFlags.FindAllStringSubmatch(command, -1), nameFlags.FindAllStringSubmatch(command, -1)
				for n, example := range examples {
					name := names[n][1]
					if name == "Lifecycle" {
						name = "start"
					}
					shown["sh "+name]++
					payload(name, []byte(example[1]))
				}
			}
		case "ts":
			if !isInExampleProgram(t, code) {
				t.Errorf("not in e2e/typescript/src:\n%s", code)
			}
			shown["ts"]++
		default:
			t.Errorf("nobody checks this block of %s:\n%s", language, code)
		}
	}
	for _, d := range documents() {
		if shown[d.name] == 0 {
			t.Errorf("no example of %s", d.name)
		}
	}
	for _, name := range []string{"start", "opened", "addInterests", "progress", "outcome", "pause"} {
		if shown["sh "+name] == 0 {
			t.Errorf("no command with %s", name)
		}
	}
	if shown["ts"] < 5 {
		t.Errorf("%d pieces of the program in TypeScript", shown["ts"])
	}
}

func isInExampleProgram(t *testing.T, code string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(checkout, "e2e/typescript/src/*.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), code) {
			return true
		}
	}
	return false
}

// The page lists all messages, error types, attention kinds and files of the contract, and no
// others.
func TestPageIsComplete(t *testing.T) {
	text := docsPage(t)
	source, err := readSource(checkout)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"ErrorType", "AttentionKind", "InterestKind", "OutcomeState"} {
		values := source.values[module+"/opportunity."+list]
		if len(values) == 0 {
			t.Errorf("no values of %s", list)
		}
		for _, value := range values {
			if !strings.Contains(text, "`"+value+"`") {
				t.Errorf("the page does not tell of the %s %s", list, value)
			}
		}
	}
	for name := range decoders() {
		if name != "start" && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the page does not tell of the message %s", name)
		}
	}
	words := strings.Join(strings.Fields(text), " ") // regardless of line breaks
	thousands := func(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
	for _, limit := range []string{
		fmt.Sprintf("%d interests in a message and %d in an opportunity", opportunity.MaxInterestsPerCommand, opportunity.MaxInterests),
		fmt.Sprintf("%d KiB of JSON in a message; %d characters in a text; %d updates that wait", opportunity.MaxCommandBytes>>10, opportunity.MaxTextLength, opportunity.MaxWaitingUpdates),
		fmt.Sprintf("1 to %d printable characters", opportunity.MaxReferenceLength),
		fmt.Sprintf("at most %d bytes, printable", opportunity.MaxRequestIDLength),
		"Oppflow remembers the last " + thousands(opportunity.MaxRememberedRequests) + " request ids",
		fmt.Sprintf("outcomes of the opportunity's last %d requests", opportunity.MaxOutcomes),
		fmt.Sprintf("1 to %d of `item`", opportunity.MaxInterestsPerCommand),
		fmt.Sprintf("%d learners and contacts together", opportunity.MaxLearners),
		fmt.Sprintf("An update that has no outcome after %.0f seconds", opportunity.MaxUpdateWait.Seconds()),
	} {
		if !strings.Contains(words, limit) {
			t.Errorf("the page does not say %q", limit)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(checkout, "docs", link[1])); err != nil {
			t.Errorf("a link of the page leads nowhere: %v", err)
		}
	}
}
