package settings

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/pflag"
)

// OAuth contains the settings of an OAuth client, which requests access tokens from the tenant's
// token endpoint. With a refresh token, the client uses the refresh token grant and acts for the
// user who gave consent. Without a refresh token, the client uses the client credentials grant. The
// zero value of OAuth means that no client is configured.
type OAuth struct {
	// ClientID names the client: --api-client-id, ADMINISTRATE_CLIENT_ID.
	ClientID string
	// ClientSecret is the client's secret: ADMINISTRATE_CLIENT_SECRET. ClientSecret has no flag,
	// because a command line is visible to every user of the machine.
	ClientSecret Secret
	// ClientSecretFile is a file whose content is the secret: --api-client-secret-file, ADMINISTRATE_CLIENT_SECRET_FILE.
	ClientSecretFile string
	// TokenURL is the token endpoint: --api-token-url, ADMINISTRATE_TOKEN_URL. TokenURL has no
	// default, so that no secret is sent to a server by accident.
	TokenURL string
	// RefreshToken is the refresh token: ADMINISTRATE_REFRESH_TOKEN.
	RefreshToken Secret
	// RefreshTokenFile is a file whose content is the refresh token: --api-refresh-token-file,
	// ADMINISTRATE_REFRESH_TOKEN_FILE. If the token endpoint replaces the refresh token, Oppflow
	// writes the new refresh token to RefreshTokenFile.
	RefreshTokenFile string
}

func (o *OAuth) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.TokenURL, "api-token-url", o.TokenURL, "URL of the OAuth token endpoint, which issues access tokens, such as https://auth.getadministrate.com/oauth/token [ADMINISTRATE_TOKEN_URL]")
	fs.StringVar(&o.ClientID, "api-client-id", o.ClientID, "OAuth client id [ADMINISTRATE_CLIENT_ID]")
	fs.StringVar(&o.ClientSecretFile, "api-client-secret-file", o.ClientSecretFile, "file with the OAuth client secret; instead of a file, you can set the variable ADMINISTRATE_CLIENT_SECRET [ADMINISTRATE_CLIENT_SECRET_FILE]")
	fs.StringVar(&o.RefreshTokenFile, "api-refresh-token-file", o.RefreshTokenFile, "file with an OAuth refresh token; Oppflow writes each new refresh token of the endpoint to this file. You can set the variable ADMINISTRATE_REFRESH_TOKEN instead of a file. Without a refresh token, Oppflow uses the OAuth grant for client credentials [ADMINISTRATE_REFRESH_TOKEN_FILE]")
}

// Given reports whether any setting of the OAuth client is set.
func (o *OAuth) Given() bool { return *o != OAuth{} }

// secretSource names the variables and the flag by which a user may give a secret.
type secretSource struct {
	what     string
	variable string // the variable that holds the secret; with _FILE added, the variable that names a file
	flag     string // the flag that names a file
}

func tokenSource() secretSource {
	return secretSource{"API token", "ADMINISTRATE_TOKEN", "api-token-file"}
}

func clientSecretSource() secretSource {
	return secretSource{"OAuth client secret", "ADMINISTRATE_CLIENT_SECRET", "api-client-secret-file"}
}

func refreshTokenSource() secretSource {
	return secretSource{"OAuth refresh token", "ADMINISTRATE_REFRESH_TOKEN", "api-refresh-token-file"}
}

func (s secretSource) String() string {
	return s.variable + ", --" + s.flag + " or " + s.variable + "_FILE"
}

// givenBy returns the name of the flag or variable that gives the secret, or "" if nothing gives
// the secret. file is the value of the flag.
func (s secretSource) givenBy(env Environment, secret Secret, file string) string {
	switch {
	case file != "":
		return "--" + s.flag
	case !secret.Empty() || env.Get(s.variable) != "":
		return s.variable
	case env.Get(s.variable+"_FILE") != "":
		return s.variable + "_FILE"
	}
	return ""
}

// A file that a flag names has priority over the environment. Two variables for the same secret are
// an error, because resolve must not guess which tenant's secret to use.
func (s secretSource) resolve(env Environment, secret *Secret, file *string) error {
	if !secret.Empty() {
		return nil
	}
	value, named := env.Get(s.variable), env.Get(s.variable+"_FILE")
	source := "--" + s.flag + " " + *file
	switch {
	case *file != "":
	case value != "" && named != "":
		return fmt.Errorf("%s: %s and %s_FILE are both set; unset one of them", s.what, s.variable, s.variable)
	case value != "":
		*secret = NewSecret(value)
		return nil
	case named != "":
		*file, source = named, s.variable+"_FILE "+named
	default:
		return nil
	}
	read, err := ReadSecret(*file)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", s.what, source, err)
	}
	*secret = read
	return nil
}

// resolveCredentials sets either the access token or the OAuth client. If a program sets only an
// access token in code, the access token has priority over the environment. In every other case, an
// access token together with an OAuth client is an error, because the token and the client may
// belong to different tenants.
func (a *API) resolveCredentials() error {
	env := a.Environment
	if !a.Token.Empty() && !a.OAuth.Given() {
		return checkToken(a.Token)
	}
	token, oauth := tokenSource().givenBy(env, a.Token, a.TokenFile), a.OAuth.givenBy(env)
	switch {
	case token == "" && oauth == "":
		return fmt.Errorf("API token: no token is given; set %s; for tokens that Oppflow renews, set ADMINISTRATE_CLIENT_ID, ADMINISTRATE_CLIENT_SECRET and ADMINISTRATE_TOKEN_URL instead", tokenSource())
	case token != "" && oauth != "":
		return fmt.Errorf("API credentials: both an access token (%s) and an OAuth client (%s) are given; remove one of them", token, oauth)
	case oauth != "":
		return a.OAuth.resolve(env)
	}
	if err := tokenSource().resolve(env, &a.Token, &a.TokenFile); err != nil {
		return err
	}
	return checkToken(a.Token)
}

// checkToken rejects a token with a line break, because a line break would begin another header in
// the request.
func checkToken(token Secret) error {
	if strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("API token (%s): the token contains spaces or other characters that are not allowed in a token", tokenSource())
	}
	return nil
}

// givenBy returns the name of a flag or variable that configures an OAuth client, or "" if nothing
// configures a client.
func (o *OAuth) givenBy(env Environment) string {
	for _, plain := range []struct{ value, flag, variable string }{
		{o.ClientID, "api-client-id", "ADMINISTRATE_CLIENT_ID"},
		{o.TokenURL, "api-token-url", "ADMINISTRATE_TOKEN_URL"},
	} {
		switch {
		case plain.value != "":
			return "--" + plain.flag
		case env.Get(plain.variable) != "":
			return plain.variable
		}
	}
	if name := clientSecretSource().givenBy(env, o.ClientSecret, o.ClientSecretFile); name != "" {
		return name
	}
	return refreshTokenSource().givenBy(env, o.RefreshToken, o.RefreshTokenFile)
}

// All fields of OAuth are required, except the refresh token and the names of files.
func (o *OAuth) resolve(env Environment) error {
	if o.ClientID == "" {
		o.ClientID = env.Get("ADMINISTRATE_CLIENT_ID")
	}
	if o.TokenURL == "" {
		o.TokenURL = env.Get("ADMINISTRATE_TOKEN_URL")
	}
	if err := clientSecretSource().resolve(env, &o.ClientSecret, &o.ClientSecretFile); err != nil {
		return err
	}
	if err := refreshTokenSource().resolve(env, &o.RefreshToken, &o.RefreshTokenFile); err != nil {
		return err
	}
	var missing []string
	if o.ClientID == "" {
		missing = append(missing, "the client id (--api-client-id or ADMINISTRATE_CLIENT_ID)")
	}
	if o.ClientSecret.Empty() {
		missing = append(missing, "the client secret ("+clientSecretSource().String()+")")
	}
	if o.TokenURL == "" {
		missing = append(missing, "the token URL (--api-token-url or ADMINISTRATE_TOKEN_URL), "+tokenURL().example)
	}
	if len(missing) > 0 {
		return errors.New("OAuth client: the settings are incomplete; also set " + strings.Join(missing, " and "))
	}
	if err := tokenURL().check(o.TokenURL); err != nil {
		return fmt.Errorf("OAuth token URL (--api-token-url or ADMINISTRATE_TOKEN_URL): %w", err)
	}
	// The token endpoint would refuse a pasted value with a line break or an invisible character,
	// and would give no reason.
	for _, pasted := range []struct{ value, what string }{
		{o.ClientID, "OAuth client id (--api-client-id or ADMINISTRATE_CLIENT_ID)"},
		{o.ClientSecret.Reveal(), "OAuth client secret (" + clientSecretSource().String() + ")"},
		{o.RefreshToken.Reveal(), "OAuth refresh token (" + refreshTokenSource().String() + ")"},
	} {
		if strings.ContainsFunc(pasted.value, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
			return errors.New(pasted.what + ": the value contains spaces or other characters that are not allowed")
		}
	}
	return nil
}
