package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/settings"
)

// rotatingEndpoint is a token endpoint that accepts each refresh token once and returns another
// refresh token with every response.
type rotatingEndpoint struct {
	*httptest.Server
	mu    sync.Mutex
	good  string
	count int
}

func newRotatingEndpoint(t *testing.T, first string) *rotatingEndpoint {
	t.Helper()
	e := &rotatingEndpoint{good: first}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.PostFormValue("refresh_token") != e.good {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
			return
		}
		e.count++
		e.good = fmt.Sprintf("refresh-%d", e.count)
		_, _ = fmt.Fprintf(w, `{"access_token":"access-%d","token_type":"Bearer","expires_in":3600,"refresh_token":%q}`, e.count, e.good)
	}))
	t.Cleanup(e.Close)
	return e
}

type loggedSource struct {
	oauth.TokenSource
	log *bytes.Buffer
}

func newLoggedSource(t *testing.T, tokenURL string, env ...string) loggedSource {
	t.Helper()
	api := settings.API{Environment: append(settings.Environment{
		"ADMINISTRATE_URL=http://127.0.0.1:1/graphql", "ADMINISTRATE_CLIENT_ID=id", "ADMINISTRATE_CLIENT_SECRET=secret", "ADMINISTRATE_TOKEN_URL=" + tokenURL,
	}, env...)}
	if err := api.Resolve(); err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	source, err := Credentials(api, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return loggedSource{source, log}
}

func (c loggedSource) wantRenewed(t *testing.T, want string) {
	t.Helper()
	if got, err := c.Token(t.Context()); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func (c loggedSource) invalidate(t *testing.T, token string) {
	t.Helper()
	refuser, ok := c.TokenSource.(oauth.TokenInvalidator)
	if !ok {
		t.Fatalf("%T cannot be told of a refused token", c.TokenSource)
	}
	refuser.Invalidate(token)
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "refresh")
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRefreshTokenSurvivesARestart(t *testing.T) {
	e := newRotatingEndpoint(t, "first")
	target := secretFile(t, "first\n")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	one := newLoggedSource(t, e.URL, "ADMINISTRATE_REFRESH_TOKEN_FILE="+link)
	one.wantRenewed(t, "access-1")
	two := newLoggedSource(t, e.URL, "ADMINISTRATE_REFRESH_TOKEN_FILE="+link)
	two.wantRenewed(t, "access-2")
	one.invalidate(t, "access-1")
	one.wantRenewed(t, "access-3")

	content, err := os.ReadFile(target)
	if err != nil || string(content) != "refresh-3\n" {
		t.Errorf("the file holds %q, %v", content, err)
	}
	if info, err := os.Stat(target); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(target)); len(files) != 1 {
		t.Errorf("left over: %v", files)
	}
	if one.log.Len()+two.log.Len() > 0 {
		t.Errorf("logged %s%s", one.log, two.log)
	}
}

// If the program cannot write a refresh token to a file, the program uses the token until the
// process ends, and logs one warning.
func TestRefreshTokenThatCannotBeKept(t *testing.T) {
	unwritable := func(t *testing.T) string {
		path := secretFile(t, "first")
		if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) })
		if probe := filepath.Join(filepath.Dir(path), "probe"); os.WriteFile(probe, nil, 0o600) == nil {
			// For a user who may write everywhere, such as root, a write fails only if the file is
			// missing.
			if err := os.Remove(probe); err != nil {
				t.Fatal(err)
			}
			return ""
		}
		return path
	}
	for name, test := range map[string]struct {
		env  func(t *testing.T) string
		says []string
	}{
		"a variable": {func(*testing.T) string { return "ADMINISTRATE_REFRESH_TOKEN=first" }, []string{"ADMINISTRATE_REFRESH_TOKEN_FILE", "restart"}},
		"a directory that is closed": {func(t *testing.T) string {
			path := unwritable(t)
			if path == "" {
				t.Skip("this user may write everywhere")
			}
			return "ADMINISTRATE_REFRESH_TOKEN_FILE=" + path
		}, []string{"permission denied", "restart"}},
		"a file that has gone": {func(t *testing.T) string {
			return "ADMINISTRATE_REFRESH_TOKEN_FILE=" + secretFile(t, "first")
		}, []string{"no such file", "restart"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newRotatingEndpoint(t, "first")
			env := test.env(t)
			c := newLoggedSource(t, e.URL, env)
			if name == "a file that has gone" {
				_, path, _ := strings.Cut(env, "=")
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			c.wantRenewed(t, "access-1")
			c.invalidate(t, "access-1")
			c.wantRenewed(t, "access-2")
			logged := c.log.String()
			if strings.Count(logged, "\n") != 1 || strings.Contains(logged, "refresh-") {
				t.Errorf("not one line, or the token is told: %s", logged)
			}
			for _, want := range test.says {
				if !strings.Contains(logged, want) {
					t.Errorf("%q does not say %q", logged, want)
				}
			}
		})
	}
}

// If an operator writes a refresh token to the file, the next renewal of the access token uses this
// refresh token. A response to an earlier renewal that arrives late does not overwrite the
// operator's refresh token.
func TestRefreshTokenOfAnOperatorWins(t *testing.T) {
	path := secretFile(t, "first")
	replaced := 0
	r := &refreshToken{file: path, inFile: "first", newest: "first", replaced: func() { replaced++ }}
	if err := os.WriteFile(path, []byte("theirs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Replaced("first", "late"); err != nil {
		t.Error(err)
	}
	content, err := os.ReadFile(path)
	if got, e := r.RefreshToken(); got != "theirs" || e != nil || err != nil || string(content) != "theirs\n" {
		t.Errorf("gives %q, the file holds %q, %v, %v", got, content, e, err)
	}
	if err := r.Replaced("theirs", "next"); err != nil {
		t.Error(err)
	}
	if _, err := r.RefreshToken(); err != nil || replaced != 1 {
		t.Errorf("the tenant is to be compared %d times, %v; want once, for the operator's", replaced, err)
	}
	if got, err := settings.ReadSecret(path); err != nil || got.Reveal() != "next" {
		t.Errorf("the file holds %q, %v", got.Reveal(), err)
	}
}

func TestCredentialsThatFailAreLoggedWithoutSecrets(t *testing.T) {
	e := newRotatingEndpoint(t, "another")
	c := newLoggedSource(t, e.URL, "ADMINISTRATE_REFRESH_TOKEN=rt-3141592653")
	for range 10 {
		if _, err := c.Token(t.Context()); err == nil {
			t.Fatal("a token")
		}
	}
	logged := c.log.String()
	if strings.Count(logged, "\n") != 1 || !strings.Contains(logged, "invalid_grant") || strings.Contains(logged, "rt-31415") || strings.Contains(logged, "=secret") {
		t.Errorf("logged %s", logged)
	}
}

func TestStaticTokenIsUsedAsItIs(t *testing.T) {
	source, err := Credentials(settings.API{Token: settings.NewSecret("tk-1")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := source.Token(t.Context()); err != nil || got != "tk-1" {
		t.Errorf("got %q, %v", got, err)
	}
	if text, err := json.Marshal(fmt.Sprintf("%v %+v %#v", source, source, source)); err != nil || strings.Contains(string(text), "tk-1") {
		t.Errorf("shown: %s", text)
	}
}
