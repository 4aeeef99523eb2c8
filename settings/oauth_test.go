package settings_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
)

const tokenEndpoint = "https://auth.getadministrate.com/oauth/token"

func oauthEnv(without ...string) []string {
	env := []string{"ADMINISTRATE_URL=" + endpoint}
	for name, value := range map[string]string{
		"ADMINISTRATE_CLIENT_ID": "id", "ADMINISTRATE_CLIENT_SECRET": "s3cr3t-value", "ADMINISTRATE_TOKEN_URL": tokenEndpoint,
	} {
		if !strings.Contains(" "+strings.Join(without, " ")+" ", " "+name+" ") {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func TestOAuthByEveryWay(t *testing.T) {
	secretFile, refreshFile := writeFile(t, " from-file\n"), writeFile(t, "refresh-from-file\n")
	whole := settings.OAuth{ClientID: "id", ClientSecret: settings.NewSecret("s3cr3t-value"), TokenURL: tokenEndpoint}
	with := func(change func(*settings.OAuth)) settings.OAuth {
		o := whole
		change(&o)
		return o
	}
	for name, test := range map[string]struct {
		args, env []string
		want      settings.OAuth
	}{
		"variables": {nil, oauthEnv(), whole},
		"a secret in a file": {
			nil, append(oauthEnv("ADMINISTRATE_CLIENT_SECRET"), "ADMINISTRATE_CLIENT_SECRET_FILE="+secretFile),
			with(func(o *settings.OAuth) {
				o.ClientSecret, o.ClientSecretFile = settings.NewSecret("from-file"), secretFile
			}),
		},
		"flags over variables": {
			[]string{
				"--api-client-id=flag", "--api-token-url=http://127.0.0.1:1/oauth/token", "--api-client-secret-file", secretFile,
				"--api-refresh-token-file", refreshFile,
			},
			append(oauthEnv(), "ADMINISTRATE_CLIENT_SECRET_FILE=/nowhere", "ADMINISTRATE_REFRESH_TOKEN=env", "ADMINISTRATE_REFRESH_TOKEN_FILE=/nowhere"),
			settings.OAuth{
				ClientID: "flag", ClientSecret: settings.NewSecret("from-file"), ClientSecretFile: secretFile, TokenURL: "http://127.0.0.1:1/oauth/token",
				RefreshToken: settings.NewSecret("refresh-from-file"), RefreshTokenFile: refreshFile,
			},
		},
		"a refresh token": {
			nil, append(oauthEnv(), "ADMINISTRATE_REFRESH_TOKEN=refresh"),
			with(func(o *settings.OAuth) { o.RefreshToken = settings.NewSecret("refresh") }),
		},
		"a refresh token in a file": {
			nil, append(oauthEnv(), "ADMINISTRATE_REFRESH_TOKEN_FILE="+refreshFile),
			with(func(o *settings.OAuth) {
				o.RefreshToken, o.RefreshTokenFile = settings.NewSecret("refresh-from-file"), refreshFile
			}),
		},
		"empty variables": {nil, append(oauthEnv(), "ADMINISTRATE_TOKEN=", "ADMINISTRATE_TOKEN_FILE=", "ADMINISTRATE_REFRESH_TOKEN="), whole},
	} {
		t.Run(name, func(t *testing.T) {
			api, err := resolveAPI(t, test.args, test.env)
			if err != nil {
				t.Fatal(err)
			}
			if api.OAuth != test.want || !api.OAuth.Given() || !api.Token.Empty() {
				t.Errorf("got %+v, secret %v, refresh token %v", api.OAuth, api.OAuth.ClientSecret == test.want.ClientSecret, api.OAuth.RefreshToken == test.want.RefreshToken)
			}
			if err := api.Resolve(); err != nil || api.OAuth != test.want {
				t.Errorf("resolving again gave %+v, %v", api.OAuth, err)
			}
		})
	}
}

func TestOAuthRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		args, env []string
		want      []string
	}{
		"no client id":     {nil, oauthEnv("ADMINISTRATE_CLIENT_ID"), []string{"incomplete", "--api-client-id", "ADMINISTRATE_CLIENT_ID"}},
		"no client secret": {nil, oauthEnv("ADMINISTRATE_CLIENT_SECRET"), []string{"incomplete", "--api-client-secret-file", "ADMINISTRATE_CLIENT_SECRET_FILE"}},
		"no token URL":     {nil, oauthEnv("ADMINISTRATE_TOKEN_URL"), []string{"incomplete", "--api-token-url", "ADMINISTRATE_TOKEN_URL", tokenEndpoint}},
		"a client id alone": {
			[]string{"--api-client-id=id", "--api-url=" + endpoint},
			nil,
			[]string{"incomplete", "client secret", "token URL"},
		},
		"a token URL alone": {[]string{"--api-token-url=" + tokenEndpoint, "--api-url=" + endpoint}, nil, []string{"incomplete", "client id", "client secret"}},
		"a refresh token alone": {
			nil,
			[]string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_REFRESH_TOKEN=x"},
			[]string{"incomplete", "client id", "client secret", "token URL"},
		},
		"a token too":              {nil, append(oauthEnv(), "ADMINISTRATE_TOKEN=tok"), []string{"both", "ADMINISTRATE_TOKEN", "ADMINISTRATE_CLIENT_ID", "remove one"}},
		"a token file too":         {nil, append(oauthEnv(), "ADMINISTRATE_TOKEN_FILE=/nowhere"), []string{"both", "ADMINISTRATE_TOKEN_FILE", "ADMINISTRATE_CLIENT_ID"}},
		"a token file by flag too": {[]string{"--api-token-file=/nowhere"}, oauthEnv(), []string{"both", "--api-token-file", "ADMINISTRATE_CLIENT_ID"}},
		"a client by flag too": {
			[]string{"--api-client-secret-file=/nowhere", "--api-url=" + endpoint},
			[]string{"ADMINISTRATE_TOKEN=tok"},
			[]string{"both", "ADMINISTRATE_TOKEN", "--api-client-secret-file"},
		},
		"two secrets":          {nil, append(oauthEnv(), "ADMINISTRATE_CLIENT_SECRET_FILE=x"), []string{"ADMINISTRATE_CLIENT_SECRET and ADMINISTRATE_CLIENT_SECRET_FILE", "unset one"}},
		"two refresh tokens":   {nil, append(oauthEnv(), "ADMINISTRATE_REFRESH_TOKEN=x", "ADMINISTRATE_REFRESH_TOKEN_FILE=x"), []string{"ADMINISTRATE_REFRESH_TOKEN and ADMINISTRATE_REFRESH_TOKEN_FILE"}},
		"no secret file":       {[]string{"--api-client-secret-file=/does/not/exist"}, oauthEnv(), []string{"--api-client-secret-file /does/not/exist", "no such file"}},
		"empty refresh file":   {[]string{"--api-refresh-token-file=" + writeFile(t, "\n")}, oauthEnv(), []string{"--api-refresh-token-file", "is empty"}},
		"secret in the clear":  {[]string{"--api-token-url=http://auth.getadministrate.com/oauth/token"}, oauthEnv(), []string{"--api-token-url", "client secret unencrypted", "https://"}},
		"no URL":               {[]string{"--api-token-url=auth"}, oauthEnv(), []string{"--api-token-url", "must start with https://"}},
		"a password":           {[]string{"--api-token-url=https://me:s3cr3t-value@host/token"}, oauthEnv(), []string{"--api-token-url", "password", "ADMINISTRATE_CLIENT_SECRET"}},
		"no URL at all":        {[]string{"--api-token-url=https://s3cr3t-value%@host"}, oauthEnv(), []string{"--api-token-url", "is not a URL", "token endpoint"}},
		"a space in the id":    {[]string{"--api-client-id=a b"}, oauthEnv(), []string{"--api-client-id", "spaces"}},
		"a line in the secret": {nil, append(oauthEnv(), "ADMINISTRATE_CLIENT_SECRET=s3cr3t-value\nx"), []string{"ADMINISTRATE_CLIENT_SECRET", "spaces"}},
		"an invisible mark":    {nil, append(oauthEnv(), "ADMINISTRATE_REFRESH_TOKEN=s3cr3t-value\u200b"), []string{"ADMINISTRATE_REFRESH_TOKEN", "characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := resolveAPI(t, test.args, test.env)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "s3cr3t-value") {
				t.Errorf("more than one line, or the secret: %q", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestTokenSetInCodeWinsOverOAuthOfTheEnvironment(t *testing.T) {
	api := settings.API{URL: endpoint, Token: settings.NewSecret("tok"), Environment: oauthEnv()}
	if err := api.Resolve(); err != nil || api.OAuth.Given() || api.Token.Reveal() != "tok" {
		t.Errorf("got %+v, %v", api, err)
	}
	api.OAuth.ClientID = "id"
	if err := api.Resolve(); err == nil || !strings.Contains(err.Error(), "both") {
		t.Errorf("token and client in code: %v", err)
	}
}

func TestOAuthSecretsDoNotAppear(t *testing.T) {
	const secret = "s3cr3t-value"
	api, err := resolveAPI(t, nil, append(oauthEnv(), "ADMINISTRATE_REFRESH_TOKEN="+secret))
	if err != nil {
		t.Fatal(err)
	}
	if api.OAuth.ClientSecret.Reveal() != secret || api.OAuth.RefreshToken.Reveal() != secret {
		t.Fatal("the OAuth client has no secrets")
	}
	api.Environment = nil
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	preset := api
	preset.AddFlags(fs)
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("settings", "api", api)
	for _, output := range []string{fs.FlagUsages(), logged.String(), fmt.Sprintf("%v %+v %#v", api, api, api)} {
		if strings.Contains(output, secret) {
			t.Errorf("the secret appears in %q", output)
		}
	}
	for _, want := range []string{
		"ADMINISTRATE_CLIENT_ID", "ADMINISTRATE_CLIENT_SECRET ", "ADMINISTRATE_CLIENT_SECRET_FILE", "ADMINISTRATE_TOKEN_URL",
		"ADMINISTRATE_REFRESH_TOKEN ", "ADMINISTRATE_REFRESH_TOKEN_FILE", "OPPFLOW_READ_ONLY",
	} {
		if !strings.Contains(fs.FlagUsages(), want) {
			t.Errorf("help does not say %q:\n%s", want, fs.FlagUsages())
		}
	}
}

func TestReadOnly(t *testing.T) {
	env := []string{"ADMINISTRATE_URL=" + endpoint, "ADMINISTRATE_TOKEN=tok"}
	for name, test := range map[string]struct {
		args     []string
		variable string
		want     bool
	}{
		"by default":               {nil, "", false},
		"flag":                     {[]string{"--read-only"}, "", true},
		"flag that says so":        {[]string{"--read-only=true"}, "false", true},
		"variable":                 {nil, "true", true},
		"variable, 1":              {nil, "1", true},
		"variable that says no":    {nil, "false", false},
		"flag against a variable":  {[]string{"--read-only=false"}, "true", false},
		"flag over a bad variable": {[]string{"--read-only"}, "perhaps", true},
	} {
		t.Run(name, func(t *testing.T) {
			api, err := resolveAPI(t, test.args, append(env, "OPPFLOW_READ_ONLY="+test.variable))
			if err != nil || api.ReadOnly != test.want {
				t.Errorf("read-only %v, %v", api.ReadOnly, err)
			}
			if err := api.Resolve(); err != nil || api.ReadOnly != test.want {
				t.Errorf("resolved again: read-only %v, %v", api.ReadOnly, err)
			}
		})
	}
	for _, test := range []struct{ args, env []string }{
		{[]string{"--read-only=perhaps"}, env},
		{nil, append(env, "OPPFLOW_READ_ONLY=perhaps")},
		{nil, append(env, "OPPFLOW_READ_ONLY=yes")}, // an error, and not the value false
	} {
		_, err := resolveAPI(t, test.args, test.env)
		if err == nil || !strings.Contains(err.Error(), "read-only") || !strings.Contains(err.Error(), "true or false") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v", test, err)
		}
	}
}
