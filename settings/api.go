package settings

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"
)

// Defaults of [API].
const (
	// DefaultAPIRate leaves room for a burst of 60 requests within the API's own limit of 6,000 per 5 minutes and IP
	// address (documented).
	DefaultAPIRate = 19.8
	// DefaultReservationLength is how long places are held when a caller names no end.
	DefaultReservationLength = 14 * 24 * time.Hour
	// DefaultSettleTime is how long the API may take to commit a request whose answer never came (assumed).
	DefaultSettleTime = 60 * time.Second
)

// maxTokenFile is the size a token file may have, in bytes: what is larger is certainly another file.
const maxTokenFile = 64 << 10

// API says how to reach the Administrate Core GraphQL API and how to treat it. Call Resolve before use.
type API struct {
	// URL is the GraphQL endpoint: --api-url, ADMINISTRATE_URL. It has no default, so that no program writes to a
	// tenant by accident.
	URL string
	// Token is the Bearer token: ADMINISTRATE_TOKEN. There is no flag for it, since a command line is visible to every
	// user of the machine.
	Token Secret
	// TokenFile is a file whose content is the token: --api-token-file, ADMINISTRATE_TOKEN_FILE.
	TokenFile string
	// Rate is the number of requests per second this process may send: --api-rate, OPPFLOW_API_RATE.
	// Zero is DefaultAPIRate.
	Rate float64
	// Mark is how a record carries the caller's reference: --mark, OPPFLOW_MARK.
	Mark Mark
	// ReservationLength is how long places are held when a caller names no end: --reservation-length,
	// OPPFLOW_RESERVATION_LENGTH. Zero is DefaultReservationLength.
	ReservationLength time.Duration
	// SettleTime is how long after a request's deadline the API may still commit it: --settle-time,
	// OPPFLOW_SETTLE_TIME. Zero is DefaultSettleTime.
	SettleTime time.Duration
	// Environment is where variables are looked up; nil is the environment of the process.
	Environment Environment
}

// AddFlags binds the fields to flags. What the fields hold already is kept unless a flag is given.
func (a *API) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&a.URL, "api-url", a.URL, "URL of the GraphQL endpoint, such as https://api.getadministrate.com/graphql [ADMINISTRATE_URL]")
	fs.StringVar(&a.TokenFile, "api-token-file", a.TokenFile, "file with the API's access token; else the variable ADMINISTRATE_TOKEN holds it [ADMINISTRATE_TOKEN_FILE]")
	fs.Var((*rate)(&a.Rate), "api-rate", "API requests per second of this process (default 19.8) [OPPFLOW_API_RATE]")
	fs.Var(&a.Mark, "mark", "where a record carries the caller's reference: attribute:<key>, name or none [OPPFLOW_MARK]")
	fs.Var((*span)(&a.ReservationLength), "reservation-length", "how long places are held unless a caller says until when (default 336h) [OPPFLOW_RESERVATION_LENGTH]")
	fs.Var((*span)(&a.SettleTime), "settle-time", "how long the API may take to commit a request whose answer was lost (default 60s) [OPPFLOW_SETTLE_TIME]")
}

// Resolve fills the empty fields from the environment and the defaults, reads the token file, and checks the result.
// Calling it again changes nothing.
func (a *API) Resolve() error {
	env := a.Environment
	if a.URL == "" {
		a.URL = env.Get("ADMINISTRATE_URL")
	}
	if err := checkAPIURL(a.URL); err != nil {
		return fmt.Errorf("API URL (--api-url or ADMINISTRATE_URL): %w", err)
	}
	if err := a.resolveToken(); err != nil {
		return err
	}
	if a.Rate == 0 {
		a.Rate = DefaultAPIRate
		if err := env.fill((*rate)(&a.Rate), "api-rate", "OPPFLOW_API_RATE"); err != nil {
			return err
		}
	}
	if a.Mark == (Mark{}) {
		if err := env.fill(&a.Mark, "mark", "OPPFLOW_MARK"); err != nil {
			return err
		}
	}
	if a.ReservationLength == 0 {
		a.ReservationLength = DefaultReservationLength
		if err := env.fill((*span)(&a.ReservationLength), "reservation-length", "OPPFLOW_RESERVATION_LENGTH"); err != nil {
			return err
		}
	}
	if a.SettleTime == 0 {
		a.SettleTime = DefaultSettleTime
		if err := env.fill((*span)(&a.SettleTime), "settle-time", "OPPFLOW_SETTLE_TIME"); err != nil {
			return err
		}
	}
	// Fields set in code pass no flag's check.
	if r := rate(a.Rate); r.Set(r.String()) != nil {
		return fmt.Errorf("API rate %v (--api-rate or OPPFLOW_API_RATE): must be greater than 0", a.Rate)
	}
	if a.ReservationLength < 0 {
		return fmt.Errorf("reservation length %v (--reservation-length or OPPFLOW_RESERVATION_LENGTH): must be greater than 0", a.ReservationLength)
	}
	if a.SettleTime < 0 {
		return fmt.Errorf("settle time %v (--settle-time or OPPFLOW_SETTLE_TIME): must be greater than 0", a.SettleTime)
	}
	return nil
}

// resolveToken finds the one token. A file named by a flag wins over the environment; two sources of the same rank are
// an error, because using the wrong tenant's token is not a thing to guess at.
func (a *API) resolveToken() error {
	const sources = "ADMINISTRATE_TOKEN, or --api-token-file or ADMINISTRATE_TOKEN_FILE"
	if a.Token.Empty() {
		token, file := a.Environment.Get("ADMINISTRATE_TOKEN"), a.Environment.Get("ADMINISTRATE_TOKEN_FILE")
		source := "--api-token-file " + a.TokenFile
		switch {
		case a.TokenFile != "":
		case token != "" && file != "":
			return errors.New("API token: ADMINISTRATE_TOKEN and ADMINISTRATE_TOKEN_FILE are both set; unset one of them")
		case token != "":
			a.Token, source = NewSecret(token), "ADMINISTRATE_TOKEN"
		case file != "":
			a.TokenFile, source = file, "ADMINISTRATE_TOKEN_FILE "+file
		default:
			return errors.New("API token: none given; set " + sources)
		}
		if a.Token.Empty() {
			token, err := readToken(a.TokenFile)
			if err != nil {
				return fmt.Errorf("API token, %s: %w", source, err)
			}
			a.Token = token
		}
	}
	// The token travels in a header: a line break in it would be a header of its own.
	if strings.ContainsFunc(a.Token.Reveal(), func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
		return errors.New("API token (" + sources + "): contains spaces or characters no token has")
	}
	return nil
}

// readToken returns the file's content without the white space around it.
func readToken(path string) (Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return Secret{}, cause(err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return Secret{}, cause(err)
	}
	if len(content) > maxTokenFile {
		return Secret{}, fmt.Errorf("is larger than %d bytes, which no token is", maxTokenFile)
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return Secret{}, errors.New("is empty; write the access token into it")
	}
	return NewSecret(token), nil
}

// cause is a file error without its path, which the message around it names.
func cause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// vendorDomains are the vendor's own (observed). They are spoken to over TLS only; a plain http URL there is a slip of
// the keyboard that would send the token in the clear.
func vendorDomains() []string {
	return []string{"getadministrate.com", "administrateapp.com", "stagingadministratehq.com"}
}

func checkAPIURL(text string) error {
	const example = "such as https://api.getadministrate.com/graphql"
	if text == "" {
		return errors.New("none given; set the GraphQL endpoint, " + example)
	}
	u, err := url.Parse(text)
	if err != nil {
		// The parser's error repeats the text, which may hold a password.
		return errors.New("is not a URL; give the GraphQL endpoint, " + example)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case u.User != nil:
		return errors.New("must not hold a user name or password; set ADMINISTRATE_TOKEN instead")
	case (u.Scheme != "https" && u.Scheme != "http") || host == "":
		return fmt.Errorf("%q must start with https:// (or http:// for a local sandbox), %s", text, example)
	case u.Fragment != "":
		return fmt.Errorf("%q must not have a #fragment", text)
	}
	for _, domain := range vendorDomains() {
		if u.Scheme == "http" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return fmt.Errorf("%q would send the token in the clear; use https://", text)
		}
	}
	return nil
}
