package settings_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
)

const endpoint = "https://acme.administrateapp.com/graphql"

func resolveAPI(t *testing.T, args, env []string) (settings.API, error) {
	t.Helper()
	api := settings.API{Environment: append(settings.Environment{"HOME=" + t.TempDir()}, env...)}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	api.AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		return api, err
	}
	err := api.Resolve()
	return api, err
}

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPIDefaults(t *testing.T) {
	api, err := resolveAPI(t, nil, []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=tok"})
	if err != nil {
		t.Fatal(err)
	}
	if api.URL != endpoint || api.Token.Reveal() != "tok" || api.Rate != 18 || api.ReferenceTag.String() != "attribute:oppflow" ||
		api.ReservationLength != 336*time.Hour || api.SendWindow != 20*time.Second || api.ResponseTime != 15*time.Second || api.SettleTime != time.Minute || api.QuietTime != 30*time.Second ||
		api.AdoptedSince != settings.SinceAdoption {
		t.Errorf("got %+v", api)
	}
	if again := api; again.Resolve() != nil || again.Rate != api.Rate || again.Token != api.Token {
		t.Errorf("resolving again gave %+v", again)
	}
}

func TestAPIFlagsWinOverEnvironment(t *testing.T) {
	env := []string{
		"ADMINISTRATE_URL=https://env.example/graphql", "ADMINISTRATE_TOKEN=env-token", "OPPFLOW_API_RATE=5",
		"OPPFLOW_REFERENCE_TAG=none", "OPPFLOW_RESERVATION_LENGTH=1h",
		"OPPFLOW_SEND_WINDOW=4s", "OPPFLOW_RESPONSE_TIME=3s", "OPPFLOW_SETTLE_TIME=2s", "OPPFLOW_ADOPTED_SINCE=record",
	}
	fromEnv, err := resolveAPI(t, nil, env)
	if err != nil {
		t.Fatal(err)
	}
	if fromEnv.URL != "https://env.example/graphql" || fromEnv.Token.Reveal() != "env-token" || fromEnv.Rate != 5 ||
		fromEnv.ReferenceTag.Location() != settings.TagNowhere || fromEnv.ReservationLength != time.Hour ||
		fromEnv.SendWindow != 4*time.Second || fromEnv.ResponseTime != 3*time.Second || fromEnv.SettleTime != 2*time.Second ||
		fromEnv.AdoptedSince != settings.SinceRecord {
		t.Errorf("from the environment: %+v", fromEnv)
	}

	// Some flags are given with their default value, because such a flag has priority over a variable.
	fromFlags, err := resolveAPI(t, []string{
		"--api-url", endpoint, "--api-token-file", writeFile(t, "file-token\n"), "--api-rate=20",
		"--reference-tag=attribute:oppflow", "--reservation-length=336h", "--send-window=20s", "--response-time=15s", "--settle-time=60s",
		"--adopted-since=adoption",
	}, env)
	if err != nil {
		t.Fatal(err)
	}
	if fromFlags.URL != endpoint || fromFlags.Token.Reveal() != "file-token" || fromFlags.Rate != 20 ||
		fromFlags.ReferenceTag.String() != "attribute:oppflow" || fromFlags.ReservationLength != 336*time.Hour ||
		fromFlags.SendWindow != 20*time.Second || fromFlags.ResponseTime != 15*time.Second || fromFlags.SettleTime != time.Minute ||
		fromFlags.AdoptedSince != settings.SinceAdoption {
		t.Errorf("from flags: %+v", fromFlags)
	}
}

func TestAPIEmptyVariableIsUnset(t *testing.T) {
	api, err := resolveAPI(t, nil, []string{
		"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=tok", "ADMINISTRATE_TOKEN_FILE=", "OPPFLOW_API_RATE=", "OPPFLOW_REFERENCE_TAG=",
	})
	if err != nil || api.Rate != 18 || api.Token.Reveal() != "tok" {
		t.Errorf("got %+v, %v", api, err)
	}
}

func TestAPIAddressShare(t *testing.T) {
	good := []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=tok"}
	for _, test := range []struct {
		args, env []string
		want      float64
	}{
		{nil, nil, 18},
		{[]string{"--api-address-share=3"}, nil, 6},
		{nil, []string{"OPPFLOW_API_ADDRESS_SHARE=2"}, 9},
		{[]string{"--api-address-share=1"}, []string{"OPPFLOW_API_ADDRESS_SHARE=2"}, 18},
		{[]string{"--api-rate=4", "--api-address-share=2"}, nil, 2},
	} {
		api, err := resolveAPI(t, test.args, append(test.env, good...))
		if err != nil || api.RequestsPerSecond() != test.want {
			t.Errorf("%v %v: %v requests a second, %v; want %v", test.args, test.env, api.RequestsPerSecond(), err, test.want)
		}
		if err := api.Resolve(); err != nil || api.RequestsPerSecond() != test.want {
			t.Errorf("%v %v, resolved again: %v requests a second, %v", test.args, test.env, api.RequestsPerSecond(), err)
		}
	}
}

func TestScanPeriod(t *testing.T) {
	good := []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=tok"}
	for _, test := range []struct {
		args, env []string
		want      time.Duration
	}{
		{nil, nil, 24 * time.Hour},
		{nil, []string{"OPPFLOW_SCAN_PERIOD=2h"}, 2 * time.Hour},
		{nil, []string{"OPPFLOW_SCAN_PERIOD=0"}, 0},
		{[]string{"--scan-period=90m"}, []string{"OPPFLOW_SCAN_PERIOD=0"}, 90 * time.Minute},
		{[]string{"--scan-period=0"}, []string{"OPPFLOW_SCAN_PERIOD=2h"}, 0},
	} {
		api, err := resolveAPI(t, test.args, append(test.env, good...))
		if again := api.Resolve(); err != nil || again != nil || api.ScanPeriod.Period() != test.want {
			t.Errorf("%v %v: %v, %v; want %v", test.args, test.env, api.ScanPeriod.Period(), err, test.want)
		}
	}
}

func TestAPIRefuses(t *testing.T) {
	good := []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=tok"}
	tests := []struct {
		name string
		args []string
		env  []string // variables after the valid variables; without the valid variables if drop is true
		drop bool
		want []string
	}{
		{"no url", nil, []string{"ADMINISTRATE_TOKEN=tok"}, true, []string{"--api-url", "ADMINISTRATE_URL"}},
		{"no token", nil, []string{"ADMINISTRATE_URL=" + endpoint}, true, []string{"--api-token-file", "ADMINISTRATE_TOKEN"}},
		{"no scheme", []string{"--api-url=localhost:8080/graphql"}, nil, false, []string{"--api-url", "https://"}},
		{"ftp", []string{"--api-url=ftp://x/graphql"}, nil, false, []string{"--api-url", "https://"}},
		{"no host", []string{"--api-url=https:///graphql"}, nil, false, []string{"--api-url"}},
		{"fragment", []string{"--api-url=https://x/graphql#a"}, nil, false, []string{"--api-url", "#fragment"}},
		{"token in clear", []string{"--api-url=http://API.GetAdministrate.com./graphql"}, nil, false, []string{"unencrypted"}},
		{"tenant in clear", []string{"--api-url=http://acme.administrateapp.com:80/graphql"}, nil, false, []string{"unencrypted"}},
		{"rate zero", []string{"--api-rate=0"}, nil, false, []string{"--api-rate", "greater than 0"}},
		{"rate NaN", []string{"--api-rate=NaN"}, nil, false, []string{"--api-rate"}},
		{"rate Inf", []string{"--api-rate=+Inf"}, nil, false, []string{"--api-rate"}},
		{"rate env", nil, []string{"OPPFLOW_API_RATE=-1"}, false, []string{"OPPFLOW_API_RATE", "--api-rate", "-1"}},
		{"scan period", []string{"--scan-period=-1h"}, nil, false, []string{"--scan-period"}},
		{"scan period in the environment", nil, []string{"OPPFLOW_SCAN_PERIOD=daily"}, false, []string{"OPPFLOW_SCAN_PERIOD"}},
		{"quiet zero", []string{"--quiet-time=0"}, nil, false, []string{"--quiet-time"}},
		{"address share zero", []string{"--api-address-share=0"}, nil, false, []string{"--api-address-share", "from 1 to 1000"}},
		{"address share of a part", []string{"--api-address-share=1.5"}, nil, false, []string{"--api-address-share", "whole number"}},
		{"address share env", nil, []string{"OPPFLOW_API_ADDRESS_SHARE=-1"}, false, []string{"OPPFLOW_API_ADDRESS_SHARE", "--api-address-share"}},
		{"settle zero", []string{"--settle-time=0"}, nil, false, []string{"--settle-time"}},
		{"send window zero", []string{"--send-window=0s"}, nil, false, []string{"--send-window"}},
		{"send window env", nil, []string{"OPPFLOW_SEND_WINDOW=20"}, false, []string{"OPPFLOW_SEND_WINDOW", "--send-window", "90s"}},
		{"response time", []string{"--response-time=-1s"}, nil, false, []string{"--response-time"}},
		{"response time env", nil, []string{"OPPFLOW_RESPONSE_TIME=soon"}, false, []string{"OPPFLOW_RESPONSE_TIME", "--response-time", "90s"}},
		{"settle env", nil, []string{"OPPFLOW_SETTLE_TIME=60"}, false, []string{"OPPFLOW_SETTLE_TIME", "--settle-time", "90s"}},
		{"reservation", []string{"--reservation-length=-1h"}, nil, false, []string{"--reservation-length"}},
		{"reference tag", []string{"--reference-tag=title"}, nil, false, []string{"--reference-tag", "attribute:<key>, name or none"}},
		{"reference tag env", nil, []string{"OPPFLOW_REFERENCE_TAG=attribute:"}, false, []string{"OPPFLOW_REFERENCE_TAG", "--reference-tag"}},
		{"reference tag space", []string{"--reference-tag=attribute:a b"}, nil, false, []string{"--reference-tag", "spaces"}},
		{"reference tag name key", []string{"--reference-tag=name:x"}, nil, false, []string{"--reference-tag"}},
		{"adopted since", []string{"--adopted-since=change"}, nil, false, []string{"--adopted-since", "adoption or record"}},
		{"adopted since env", nil, []string{"OPPFLOW_ADOPTED_SINCE=Record"}, false, []string{"OPPFLOW_ADOPTED_SINCE", "--adopted-since", "adoption or record"}},
		{"two tokens", nil, []string{"ADMINISTRATE_TOKEN_FILE=x"}, false, []string{"ADMINISTRATE_TOKEN and ADMINISTRATE_TOKEN_FILE"}},
		{"no token file", []string{"--api-token-file=/does/not/exist"}, nil, false, []string{"--api-token-file /does/not/exist", "no such file"}},
		{"empty token file", []string{"--api-token-file=" + writeFile(t, " \n")}, nil, false, []string{"--api-token-file", "is empty"}},
		{"huge token file", []string{"--api-token-file=" + writeFile(t, strings.Repeat("x", 70_000))}, nil, false, []string{"--api-token-file", "larger"}},
		{"token with line break", []string{"--api-token-file=" + writeFile(t, "a\nX-Evil: b")}, nil, false, []string{"--api-token-file", "spaces"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			env := test.env
			if !test.drop {
				env = append(append([]string{}, good...), test.env...)
			}
			_, err := resolveAPI(t, test.args, env)
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

func TestAPIPlainHTTPForLocalSandbox(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:8080/graphql", "http://sandbox:8080/graphql", "http://notgetadministrate.com/graphql"} {
		if _, err := resolveAPI(t, []string{"--api-url=" + url}, []string{"ADMINISTRATE_TOKEN=tok"}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestSecretsDoNotAppear(t *testing.T) {
	const secret = "s3cr3t-value"
	api, err := resolveAPI(t, nil, []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=" + secret})
	if err != nil {
		t.Fatal(err)
	}
	if api.Token.Reveal() != secret {
		t.Fatal("the API has no token")
	}
	api.Environment = nil // the environment belongs to the caller; only a caller that prints its environment shows it
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	preset := api
	preset.AddFlags(fs)
	asJSON, err := json.Marshal(api)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("settings", "api", api, "token", api.Token)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("settings", "api", api, "token", api.Token)
	outputs := []string{
		fs.FlagUsages(), string(asJSON), logged.String(), api.Token.String(),
		fmt.Sprint(api), fmt.Sprintf("%+v %#v %v", api, api, &api),
		fmt.Sprintf("%s %q %x %v %d", api.Token, api.Token, api.Token, &api.Token, api.Token),
	}
	for _, url := range []string{"https://user:" + secret + "@host/graphql", "https://user:" + secret + "@ho st/graphql", "https://user:" + secret + "%@host"} {
		_, err := resolveAPI(t, []string{"--api-url", url}, []string{"ADMINISTRATE_TOKEN=tok"})
		if err == nil {
			t.Fatalf("%s is accepted", url)
		}
		outputs = append(outputs, err.Error())
	}
	_, err = resolveAPI(t, nil, []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=" + secret + " x"})
	if err == nil {
		t.Fatal("a token with a space is accepted")
	}
	outputs = append(outputs, err.Error())
	for _, output := range outputs {
		if strings.Contains(output, secret) || strings.Contains(output, fmt.Sprintf("%x", secret)) {
			t.Errorf("the secret appears in %q", output)
		}
	}
}

// The help names every variable and default, so that users can set variables without reading the
// code.
func TestAPIHelp(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	new(settings.API).AddFlags(fs)
	for _, want := range []string{
		"ADMINISTRATE_URL", "ADMINISTRATE_TOKEN", "ADMINISTRATE_TOKEN_FILE", "default 18)", "OPPFLOW_API_RATE",
		"--api-address-share", "default 1)", "OPPFLOW_API_ADDRESS_SHARE", "6,000 requests in 5 minutes",
		"default attribute:oppflow)", "OPPFLOW_REFERENCE_TAG", "336h", "OPPFLOW_RESERVATION_LENGTH", "60s", "OPPFLOW_SETTLE_TIME",
	} {
		if !strings.Contains(fs.FlagUsages(), want) {
			t.Errorf("help does not say %q:\n%s", want, fs.FlagUsages())
		}
	}
}

func TestMarkRoundTrip(t *testing.T) {
	for _, text := range []string{"attribute:oppflow", "attribute:a:b", "attribute:Référence", "name", "none"} {
		mark, err := settings.ParseReferenceTag(text)
		if err != nil || mark.String() != text {
			t.Errorf("%q: got %q, %v", text, mark, err)
		}
	}
	if mark, _ := settings.ParseReferenceTag("attribute:a:b"); mark.Location() != settings.TagInAttribute || mark.Attribute() != "a:b" {
		t.Errorf("got %q %q", mark.Location(), mark.Attribute())
	}
	var zero settings.ReferenceTag
	if zero.Location() != settings.TagInAttribute || zero.Attribute() != settings.DefaultTagAttribute {
		t.Errorf("the zero ReferenceTag is %q", zero)
	}
}
