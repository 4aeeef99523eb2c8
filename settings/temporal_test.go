package settings_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/settings"
)

const profiles = `
[profile.default]
address = "file:7233"
namespace = "file-namespace"
[profile.cloud]
address = "cloud:7233"
namespace = "cloud-namespace"
api_key = "key"
`

func clientOptions(t *testing.T, args, env []string) (client.Options, error) {
	t.Helper()
	temporal := settings.Temporal{Environment: append(settings.Environment{}, env...)}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	temporal.AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return temporal.ClientOptions()
}

func TestTemporal(t *testing.T) {
	file := writeFile(t, profiles)
	tests := []struct {
		name               string
		args, env          []string
		address, namespace string
		tls                bool
	}{
		{"defaults", nil, nil, "localhost:7233", "default", false},
		{"empty variables", nil, []string{"TEMPORAL_ADDRESS=", "TEMPORAL_NAMESPACE="}, "localhost:7233", "default", false},
		{"environment", nil, []string{"TEMPORAL_ADDRESS=env:1", "TEMPORAL_NAMESPACE=n"}, "env:1", "n", false},
		{"file", nil, []string{"TEMPORAL_CONFIG_FILE=" + file}, "file:7233", "file-namespace", false},
		{"empty variables keep the file's", nil, []string{"TEMPORAL_CONFIG_FILE=" + file, "TEMPORAL_ADDRESS="}, "file:7233", "file-namespace", false},
		{"file by flag", []string{"--temporal-config-file", file}, nil, "file:7233", "file-namespace", false},
		{"environment over file", nil, []string{"TEMPORAL_CONFIG_FILE=" + file, "TEMPORAL_ADDRESS=env:1"}, "env:1", "file-namespace", false},
		{"profile by variable", nil, []string{"TEMPORAL_CONFIG_FILE=" + file, "TEMPORAL_PROFILE=cloud"}, "cloud:7233", "cloud-namespace", true},
		{"profile by flag", []string{"--temporal-profile=default"}, []string{"TEMPORAL_CONFIG_FILE=" + file, "TEMPORAL_PROFILE=cloud"}, "file:7233", "file-namespace", false},
		{
			"flags over all",
			[]string{"--temporal-address=flag:2", "--temporal-namespace=f"},
			[]string{"TEMPORAL_CONFIG_FILE=" + file, "TEMPORAL_ADDRESS=env:1", "TEMPORAL_NAMESPACE=n"},
			"flag:2", "f", false,
		},
		{"tls", nil, []string{"TEMPORAL_TLS=true"}, "localhost:7233", "default", true},
		{"ipv6", []string{"--temporal-address=[::1]:7233"}, nil, "[::1]:7233", "default", false},
		{"resolver", []string{"--temporal-address=dns:///temporal:7233"}, nil, "dns:///temporal:7233", "default", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options, err := clientOptions(t, test.args, test.env)
			if err != nil {
				t.Fatal(err)
			}
			if options.HostPort != test.address || options.Namespace != test.namespace || (options.ConnectionOptions.TLS != nil) != test.tls {
				t.Errorf("got %s, %s, TLS %v", options.HostPort, options.Namespace, options.ConnectionOptions.TLS != nil)
			}
			if (options.Credentials != nil) != (test.name == "profile by variable") {
				t.Errorf("credentials: %v", options.Credentials != nil)
			}
		})
	}
}

// If Environment is not the environment of the process, ClientOptions does not read the
// configuration file of the user who runs the tests.
func TestTemporalUserFile(t *testing.T) {
	config := t.TempDir()
	path := filepath.Join(config, "temporalio", "temporal.toml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	variable := "XDG_CONFIG_HOME"
	switch runtime.GOOS {
	case "windows":
		variable = "AppData"
	case "darwin":
		t.Skip("this system has no variable for the configuration directory")
	}
	t.Setenv(variable, config)
	tests := map[string]struct {
		environment settings.Environment
		want        string
	}{
		"the process's own":      {nil, "file:7233"},
		"given, the same":        {settings.Environment{variable + "=" + config}, "file:7233"},
		"given, another":         {settings.Environment{variable + "=" + t.TempDir()}, "localhost:7233"},
		"given, with nothing":    {settings.Environment{}, "localhost:7233"},
		"given, another file":    {settings.Environment{variable + "=" + config, "TEMPORAL_CONFIG_FILE=" + os.DevNull}, "localhost:7233"},
		"given, another profile": {settings.Environment{variable + "=" + config, "TEMPORAL_PROFILE=cloud"}, "cloud:7233"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			temporal := settings.Temporal{Environment: test.environment}
			options, err := temporal.ClientOptions()
			if err != nil || options.HostPort != test.want {
				t.Errorf("got %q, %v, want %q", options.HostPort, err, test.want)
			}
		})
	}
}

func TestTemporalRefuses(t *testing.T) {
	file := writeFile(t, profiles)
	tests := []struct {
		name      string
		args, env []string
		want      []string
	}{
		{"scheme", []string{"--temporal-address=http://x:7233"}, nil, []string{"--temporal-address", "TEMPORAL_ADDRESS", "without http://"}},
		{"no port", nil, []string{"TEMPORAL_ADDRESS=temporal"}, []string{"--temporal-address", "TEMPORAL_ADDRESS", `"temporal"`, "host:port"}},
		{"no host", nil, []string{"TEMPORAL_ADDRESS=:7233"}, []string{"TEMPORAL_ADDRESS"}},
		{"port", nil, []string{"TEMPORAL_ADDRESS=x:0"}, []string{"TEMPORAL_ADDRESS", "65535"}},
		{"big port", nil, []string{"TEMPORAL_ADDRESS=x:70000"}, []string{"TEMPORAL_ADDRESS", "65535"}},
		{"profile without a file", []string{"--temporal-profile=nope"}, nil, []string{"--temporal-profile", "nope"}},
		{"profile", []string{"--temporal-profile=nope", "--temporal-config-file=" + file}, nil, []string{"--temporal-profile", "nope"}},
		{"profile by variable", nil, []string{"TEMPORAL_PROFILE=nope", "TEMPORAL_CONFIG_FILE=" + file}, []string{"TEMPORAL_PROFILE", "nope"}},
		{"broken file", []string{"--temporal-config-file=" + writeFile(t, "[profile")}, nil, []string{"--temporal-config-file"}},
		{"tls word", nil, []string{"TEMPORAL_TLS=yes"}, []string{"TEMPORAL_TLS", "true or false"}},
		{"certificate", nil, []string{"TEMPORAL_TLS_CLIENT_CERT_PATH=/none"}, []string{"TEMPORAL_TLS_"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := clientOptions(t, test.args, test.env)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}
