package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/server/common/dynamicconfig"
)

func TestUsage(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"--ip", "0.0.0.0"}, "must be a loopback address"},
		{[]string{"--ip", "::"}, "must be a loopback address"},
		{[]string{"--ip", "192.168.1.5"}, "must be a loopback address"},
		{[]string{"--ip", "example.org"}, "must be a loopback address"},
		{[]string{"--ip", ""}, "must be a loopback address"},
		{[]string{"--port", "-1"}, "--port -1"},
		{[]string{"--port", "65536"}, "--port 65536"},
		{[]string{"--ui-port", "x"}, "--ui-port"},
		{[]string{"--port", "7000", "--ui-port", "7000"}, "different ports"},
		{[]string{"--namespace", ""}, "--namespace"},
		{[]string{"--namespace", "a b"}, "--namespace"},
		{[]string{"--namespace", "temporal-system"}, "--namespace"},
		{[]string{"--log-level", "loud"}, "must be debug, info, warn or error"},
		{[]string{"--search-attribute", "Stage"}, "must be Name=Type"},
		{[]string{"--search-attribute", "Sta`ge=Int"}, "must be Name=Type"},
		{[]string{"--search-attribute", "Stage=String"}, "Keyword"},
		{[]string{"--search-attribute", "Stage=Unspecified"}, "Keyword"},
		{[]string{"--search-attribute", "S=Int", "--search-attribute", "S=Text"}, "the search attribute S is already given with the type Int"},
		{[]string{"--dynamic-config-value", "x"}, "key=JSON"},
		{[]string{"--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=many"}, "not JSON"},
		{[]string{"--dynamic-config-value", `limit.historyCount.suggestContinueAsNew="many"`}, "not int"},
		{[]string{"--dynamic-config-value", "limit.noSuchThing=1"}, "unregistered key"},
		{[]string{"--postgres", "db.example.org:5432"}, "must be a loopback address and a port"},
		{[]string{"--postgres", "127.0.0.1"}, "must be a loopback address and a port"},
		{[]string{"--postgres", "127.0.0.1:5432", "--db", "x.db"}, "exclude each other"},
		{[]string{"--codec-endpoint", "127.0.0.1:8482"}, "must be an http or https URL"},
		{[]string{"--bogus"}, "--bogus"},
		{[]string{"start"}, "unexpected argument"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(context.Background(), test.args, &stdout, &stderr); code != 2 {
				t.Errorf("exit status %d, want 2", code)
			}
			if text := stderr.String(); !strings.Contains(text, test.want) || strings.Count(text, "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("wrote %q and %q, want one line with %q", stdout.String(), text, test.want)
			}
		})
	}
}

// When PostgreSQL cannot be reached, the error is one line that contains the address of PostgreSQL.
func TestNoPostgres(t *testing.T) {
	const address = "127.0.0.1:1"
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"--postgres", address, "--port", "0", "--headless"}, &stdout, &stderr)
	if text := stderr.String(); code != 1 || !strings.Contains(text, "--postgres "+address) || strings.Count(text, "\n") != 1 {
		t.Errorf("exit status %d, wrote %q; want 1 and one line that names it", code, text)
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"--help"}, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("exit status %d, %q", code, stderr.String())
	}
	for _, want := range []string{"--port", "7233", "--ui-port", "8233", "--db", "--search-attribute", "--ready-file", "--headless"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help does not say %q", want)
		}
	}
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"--ip", "localhost", "--dynamic-config-value", "history.transferProcessorMaxPollRPS=7", "--dynamic-config-value", `Limit.HistoryCount.SuggestContinueAsNew=9`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.ip != "127.0.0.1" || o.port != 7233 || o.uiPort != 8233 || o.namespace != "default" || o.db != "" || o.logLevel != "warn" {
		t.Errorf("got %+v", o)
	}
	// A dynamic configuration value on the command line replaces the program's own value, in any
	// spelling of the key.
	values := dynamicconfig.NewCollection(o.dynamicConfig, nil)
	if got := dynamicconfig.TransferProcessorMaxPollRPS.Get(values)(); got != 7 {
		t.Errorf("maximum poll rate %d", got)
	}
	if got := dynamicconfig.HistoryCountSuggestContinueAsNew.Get(values)("default"); got != 9 {
		t.Errorf("continue-as-new is suggested after %d events", got)
	}
	if dynamicconfig.EnableServerVersionCheck.Get(values)() || !dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Get(values)() {
		t.Error("the program's own values are not in effect")
	}
}

func TestDatabaseFileTrouble(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("not a database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ path, want string }{
		"no directory":   {filepath.Join(dir, "none", "x.db"), "the directory of this file does not exist"},
		"not a database": {text, "not a SQLite database"},
		"a directory":    {dir, "is a directory"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), []string{"--db", test.path, "--port", "0", "--headless"}, &stdout, &stderr)
			if text := stderr.String(); code != 1 || !strings.Contains(text, test.want) || !strings.Contains(text, "--db "+test.path) || strings.Count(text, "\n") != 1 {
				t.Errorf("exit status %d, %q", code, text)
			}
		})
	}
	if content, err := os.ReadFile(text); err != nil || string(content) != "not a database at all" {
		t.Errorf("the file was touched: %q, %v", content, err)
	}
}
