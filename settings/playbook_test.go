package settings_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
)

func resolvedPlaybook(t *testing.T, env settings.Environment, args ...string) (settings.Playbook, error) {
	t.Helper()
	if env == nil {
		env = settings.Environment{}
	}
	p := settings.Playbook{Environment: env}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	p.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	err := p.Resolve()
	return p, err
}

func fileIn(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestThePlaybookComesFromAFlagOrTheEnvironment(t *testing.T) {
	for name, test := range map[string]struct {
		env  settings.Environment
		args []string
		want string
	}{
		"nothing":     {nil, nil, ""},
		"environment": {settings.Environment{"OPPFLOW_PLAYBOOK=a.yaml"}, nil, "a.yaml"},
		"flag":        {nil, []string{"--playbook", "default"}, settings.DefaultPlaybook},
		"both":        {settings.Environment{"OPPFLOW_PLAYBOOK=a.yaml"}, []string{"--playbook", "b.yaml"}, "b.yaml"},
	} {
		if got, err := resolvedPlaybook(t, test.env, test.args...); err != nil || got.File != test.want {
			t.Errorf("%s: %q, %v", name, got.File, err)
		}
	}
}

func TestServiceKeysComeFromFiles(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	fileIn(t, dir, "erp", "of the directory\n")
	fileIn(t, dir, "crm", " k-crm ")
	fileIn(t, dir, "empty", "\n")
	fileIn(t, elsewhere, "hidden", "nobody's")
	erp := fileIn(t, elsewhere, "key", "k-erp\n")
	p, err := resolvedPlaybook(t, settings.Environment{"OPPFLOW_SERVICE_KEYS_DIR=" + dir}, "--service-key", "erp="+erp, "--service-key", "gone="+filepath.Join(dir, "gone"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"erp": "k-erp", "crm": "k-crm", "none": "", "": "", ".": "", "..": "", "../" + filepath.Base(elsewhere) + "/hidden": "",
	} {
		if key, err := p.Key(name); err != nil || key.Reveal() != want {
			t.Errorf("%q: %q, %v", name, key.Reveal(), err)
		}
	}
	for _, name := range []string{"empty", "gone"} {
		key, err := p.Key(name)
		if err == nil || !key.Empty() || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "OPPFLOW_SERVICE_KEYS_DIR") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if key, err := p.Key("erp"); err != nil || strings.Contains(fmt.Sprintf("%v %+v %#v", key, key, key), "k-erp") {
		t.Errorf("the key shows: %v", err)
	}
}

func TestMistakesInTheSettingsOfThePlaybook(t *testing.T) {
	file := fileIn(t, t.TempDir(), "file", "x")
	for name, test := range map[string]struct {
		env  settings.Environment
		args []string
		want []string
	}{
		"no file":         {nil, []string{"--service-key", "erp"}, []string{"--service-key", "NAME=FILE"}},
		"no name":         {nil, []string{"--service-key", "=f"}, []string{"--service-key", "NAME=FILE"}},
		"twice":           {nil, []string{"--service-key", "erp=a", "--service-key", "erp=b"}, []string{"erp", "twice"}},
		"no directory":    {settings.Environment{"OPPFLOW_SERVICE_KEYS_DIR=" + file}, nil, []string{"OPPFLOW_SERVICE_KEYS_DIR", file, "must be a directory"}},
		"nothing there":   {settings.Environment{"OPPFLOW_SERVICE_KEYS_DIR=" + file + "s"}, nil, []string{"OPPFLOW_SERVICE_KEYS_DIR", file + "s"}},
		"nothing at all ": {nil, []string{"--service-key", ""}, []string{"NAME=FILE"}},
	} {
		_, err := resolvedPlaybook(t, test.env, test.args...)
		if err == nil {
			t.Errorf("%s: no mistake", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}
