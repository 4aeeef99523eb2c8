package settings

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/pflag"
)

// DefaultCodecAddress is the address at which the codec server listens by default.
const DefaultCodecAddress = "127.0.0.1:8482"

// CodecServer contains the settings of the codec server. Call Resolve before use.
type CodecServer struct {
	// Listen is the host:port to listen at: --listen.
	Listen string
	// Namespaces are the namespaces whose payloads the server decrypts: --namespace, or
	// TEMPORAL_NAMESPACE. The default is "default".
	Namespaces []string
	// Origins are the origins of the Web UIs that may call the server from a browser: --origin.
	Origins []string
	// TokenFile is a file with the Bearer token that the server accepts: --token-file,
	// OPPFLOW_CODEC_TOKEN_FILE.
	TokenFile string
	// JWKS is the https URL or the file of the keys that sign the access tokens of the Web UI:
	// --jwks. Issuer and Audience are the values that an access token must have: --jwt-issuer and
	// --jwt-audience.
	JWKS, Issuer, Audience string
	// TLSCert and TLSKey are the files of the server's certificate and key: --tls-cert, --tls-key.
	// Without a certificate and a key, the server uses plain HTTP.
	TLSCert, TLSKey string
	// Token is the content of TokenFile after Resolve.
	Token Secret
	// Environment contains the variables that Resolve reads; nil means the environment of the process.
	Environment Environment
}

// AddFlags binds the fields to flags.
func (c *CodecServer) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&c.Listen, "listen", cmp.Or(c.Listen, DefaultCodecAddress), "address to listen at; port 0 selects a free port")
	fs.StringSliceVar(&c.Namespaces, "namespace", nil, "namespace whose payloads the server decrypts, repeatable (default \"default\") [TEMPORAL_NAMESPACE]")
	fs.StringSliceVar(&c.Origins, "origin", nil, "origin of a Web UI that may call the server from a browser, repeatable, such as https://temporal.example.com")
	fs.StringVar(&c.TokenFile, "token-file", "", "file with the Bearer token that the server accepts [OPPFLOW_CODEC_TOKEN_FILE]")
	fs.StringVar(&c.JWKS, "jwks", "", "file or https URL of the JSON Web Key Set that signs the access tokens of the Web UI")
	fs.StringVar(&c.Issuer, "jwt-issuer", "", "issuer that an access token must have")
	fs.StringVar(&c.Audience, "jwt-audience", "", "audience that an access token must have")
	fs.StringVar(&c.TLSCert, "tls-cert", "", "file with the server's certificate")
	fs.StringVar(&c.TLSKey, "tls-key", "", "file with the key of the server's certificate")
}

// HasAuthentication reports whether a caller must authenticate.
func (c *CodecServer) HasAuthentication() bool { return !c.Token.Empty() || c.JWKS != "" }

// Resolve fills the empty fields from the environment and checks the settings. A server without
// authentication may listen only at a loopback address.
func (c *CodecServer) Resolve() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: must be host:port, such as %s", c.Listen, DefaultCodecAddress)
	}
	if len(c.Namespaces) == 0 {
		c.Namespaces = []string{cmp.Or(c.Environment.Get("TEMPORAL_NAMESPACE"), "default")}
	}
	for _, origin := range c.Origins {
		if err := checkOrigin(origin); err != nil {
			return fmt.Errorf("--origin %q: %w", origin, err)
		}
	}
	if path := cmp.Or(c.TokenFile, c.Environment.Get("OPPFLOW_CODEC_TOKEN_FILE")); path != "" {
		if c.Token, err = ReadSecret(path); err != nil {
			return fmt.Errorf("--token-file or OPPFLOW_CODEC_TOKEN_FILE: %s: %w", path, err)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together; give both of them")
	}
	if c.JWKS != "" && (c.Issuer == "" || c.Audience == "") {
		return errors.New("--jwks needs --jwt-issuer and --jwt-audience, because the keys of the JSON Web Key Set also sign tokens for other programs")
	}
	if c.JWKS == "" && c.Issuer+c.Audience != "" {
		return errors.New("--jwt-issuer and --jwt-audience need --jwks")
	}
	if ip := net.ParseIP(host); !c.HasAuthentication() && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen %q: without authentication the server may listen only at a loopback address; give --token-file or --jwks", c.Listen)
	}
	return nil
}

// checkOrigin requires an origin exactly as a browser sends it.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Scheme+"://"+u.Host != origin {
		return errors.New("must be a scheme, a host and a port without a slash at the end, such as https://temporal.example.com")
	}
	return nil
}
