package payload_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/settings"
)

const webUI = "https://temporal.example.com"

// codecRequest is a request to a codec server; the zero value is a valid request to decode payloads.
type codecRequest struct {
	method, path, namespace, origin, token string
	body                                   []byte
}

func (c codecRequest) send(t *testing.T, handler http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	if c.method == "" {
		c.method = http.MethodPost
	}
	if c.path == "" {
		c.path = "/decode"
	}
	r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, bytes.NewReader(c.body))
	for name, value := range map[string]string{"X-Namespace": c.namespace, "Origin": c.origin, "Authorization": c.token, "Content-Type": "application/json"} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

func asJSON(t *testing.T, all ...*commonpb.Payload) []byte {
	t.Helper()
	body, err := protojson.Marshal(payloads(all...))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// A Web UI with an allowed origin receives payloads in clear. A request with another origin
// receives no payload.
func TestCodecServer(t *testing.T) {
	t.Parallel()
	ring := newKeyFile(t, newKeys(t)).open()
	sent := encrypt(t, payload.NewCodec(ring), personal())
	authorize, err := payload.Authorizer(t.Context(), settings.CodecServer{Token: settings.NewSecret("secret")})
	if err != nil {
		t.Fatal(err)
	}
	handler := payload.NewHandler(payload.HandlerOptions{Ring: ring, Namespaces: []string{"sales"}, Origins: []string{webUI}, Authorize: authorize})
	body := asJSON(t, sent)
	for name, c := range map[string]struct {
		request codecRequest
		code    int
	}{
		"the Web UI":           {codecRequest{namespace: "sales", origin: webUI, token: "Bearer secret", body: body}, 200},
		"the command line":     {codecRequest{namespace: "sales", token: "Bearer secret", body: body}, 200},
		"another origin":       {codecRequest{namespace: "sales", origin: "https://evil.example.com", token: "Bearer secret", body: body}, 403},
		"a similar origin":     {codecRequest{namespace: "sales", origin: webUI + ".evil.com", token: "Bearer secret", body: body}, 403},
		"another namespace":    {codecRequest{namespace: "hr", origin: webUI, token: "Bearer secret", body: body}, 403},
		"no namespace":         {codecRequest{origin: webUI, token: "Bearer secret", body: body}, 403},
		"no token":             {codecRequest{namespace: "sales", origin: webUI, body: body}, 401},
		"another token":        {codecRequest{namespace: "sales", origin: webUI, token: "Bearer Secret", body: body}, 401},
		"another scheme":       {codecRequest{namespace: "sales", origin: webUI, token: "Basic secret", body: body}, 401},
		"a read":               {codecRequest{method: "GET", namespace: "sales", token: "Bearer secret"}, 405},
		"another path":         {codecRequest{path: "/x/decode", namespace: "sales", token: "Bearer secret", body: body}, 404},
		"no JSON":              {codecRequest{namespace: "sales", token: "Bearer secret", body: []byte("{")}, 400},
		"too large":            {codecRequest{namespace: "sales", token: "Bearer secret", body: make([]byte, 9<<20)}, 413},
		"a preflight":          {codecRequest{method: "OPTIONS", origin: webUI}, 204},
		"a preflight of other": {codecRequest{method: "OPTIONS", origin: "https://evil.example.com"}, 403},
		"health":               {codecRequest{method: "GET", path: "/healthz"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response := c.request.send(t, handler)
			text := response.Body.Bytes()
			if response.Code != c.code {
				t.Fatalf("status %d; want %d: %s", response.Code, c.code, text)
			}
			var received commonpb.Payloads
			isClear := protojson.Unmarshal(text, &received) == nil && len(received.GetPayloads()) == 1 && proto.Equal(received.GetPayloads()[0], personal())
			if isClear != (c.code == 200 && c.request.body != nil) {
				t.Errorf("received %s", text)
			}
			wantOrigin := ""
			if c.request.origin == webUI {
				wantOrigin = webUI
			}
			if got := response.Header().Get("Access-Control-Allow-Origin"); got != wantOrigin {
				t.Errorf("allows the origin %q; want %q", got, wantOrigin)
			}
			if allowed := response.Header().Get("Access-Control-Allow-Headers"); c.code == 204 && (!strings.Contains(allowed, "X-Namespace") || !strings.Contains(allowed, "Authorization")) {
				t.Errorf("allows the headers %q", allowed)
			}
		})
	}
}

// The remote codec of the SDK can use the codec server.
func TestCodecServerOfTheSDK(t *testing.T) {
	t.Parallel()
	ring := newKeyFile(t, newKeys(t)).open()
	server := httptest.NewServer(payload.NewHandler(payload.HandlerOptions{Ring: ring, Namespaces: []string{"sales"}}))
	t.Cleanup(server.Close)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: server.URL, ModifyRequest: func(r *http.Request) error { r.Header.Set("X-Namespace", "sales"); return nil },
	})
	sent, err := remote.Encode([]*commonpb.Payload{personal()})
	if err != nil || !payload.IsEncrypted(sent[0]) {
		t.Fatalf("encoded %v, %v", sent, err)
	}
	got, err := remote.Decode(sent)
	if err != nil || !proto.Equal(got[0], personal()) {
		t.Errorf("decoded %v, %v", got, err)
	}
}

// The server accepts an access token of the Web UI if the issuer's key signed the token for this
// audience and the token has not expired.
func TestAccessTokens(t *testing.T) {
	t.Parallel()
	key, other := newSigner(t), newSigner(t)
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, []byte(`{"keys":[{"kty":"RSA","use":"enc","kid":"e"},`+key.jwk()+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	authorize, err := payload.Authorizer(t.Context(), settings.CodecServer{JWKS: path, Issuer: "https://id.example.com", Audience: "temporal"})
	if err != nil {
		t.Fatal(err)
	}
	claims := func(changes map[string]any) map[string]any {
		all := map[string]any{"iss": "https://id.example.com", "aud": "temporal", "exp": time.Now().Add(time.Hour).Unix(), "sub": "ada"}
		for name, value := range changes {
			all[name] = value
		}
		return all
	}
	for name, c := range map[string]struct {
		token string
		want  bool
	}{
		"valid":            {key.token(claims(nil)), true},
		"several audience": {key.token(claims(map[string]any{"aud": []string{"x", "temporal"}})), true},
		"another key":      {other.token(claims(nil)), false},
		"another issuer":   {key.token(claims(map[string]any{"iss": "https://evil.example.com"})), false},
		"another audience": {key.token(claims(map[string]any{"aud": "wiki"})), false},
		"expired":          {key.token(claims(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})), false},
		"no end":           {key.token(map[string]any{"iss": "https://id.example.com", "aud": "temporal"}), false},
		"no signature":     {key.unsigned(claims(nil)), false},
		"empty":            {"", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/decode", http.NoBody)
		if got := authorize(r, c.token); got != c.want {
			t.Errorf("%s: accepted %v; want %v", name, got, c.want)
		}
	}
}

// signer signs access tokens as an issuer does.
type signer struct {
	t   *testing.T
	key *ecdsa.PrivateKey
}

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, key}
}

func base64URL(content []byte) string { return base64.RawURLEncoding.EncodeToString(content) }

func (s signer) jwk() string {
	point, err := s.key.PublicKey.Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	return `{"kty":"EC","crv":"P-256","use":"sig","kid":"k","x":"` + base64URL(point[1:33]) + `","y":"` + base64URL(point[33:]) + `"}`
}

func (s signer) content(header string, claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		s.t.Fatal(err)
	}
	return base64URL([]byte(header)) + "." + base64URL(body)
}

func (s signer) token(claims map[string]any) string {
	content := s.content(`{"alg":"ES256","typ":"JWT","kid":"k"}`, claims)
	digest := sha256.Sum256([]byte(content))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		s.t.Fatal(err)
	}
	return content + "." + base64URL(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

func (s signer) unsigned(claims map[string]any) string {
	return s.content(`{"alg":"none","typ":"JWT","kid":"k"}`, claims) + "."
}

// Serve uses TLS with the given files, and returns no error when the context ends.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	authority := httptest.NewTLSServer(http.NotFoundHandler()) // the test server has a certificate for 127.0.0.1
	t.Cleanup(authority.Close)
	certFile, keyFile := writeCertificate(t, authority)
	listener := listenLocal(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- payload.Serve(ctx, listener, payload.NewHandler(payload.HandlerOptions{}), certFile, keyFile, discard())
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+listener.Addr().String()+"/healthz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := authority.Client().Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("got %v, %v", response, err)
	}
	if err == nil {
		_ = response.Body.Close()
	}
	authority.Client().CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
