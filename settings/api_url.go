package settings

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// vendorDomains are the vendor's own (observed). They are spoken to over TLS only; a plain http URL there is a slip of
// the keyboard that would send a secret in the clear.
func vendorDomains() []string {
	return []string{"getadministrate.com", "administrateapp.com", "stagingadministratehq.com"}
}

// address is a URL that secrets are sent to.
type address struct {
	what    string // what is found there
	example string
	instead string // what to give a user name and a password as
	secret  string // what is sent there
}

func apiURL() address {
	return address{
		what: "GraphQL endpoint", example: "such as https://api.getadministrate.com/graphql",
		instead: "ADMINISTRATE_TOKEN", secret: "token",
	}
}

// tokenURL's example is the vendor's own (documented). It is no default: what is a client of one tenant's test system
// must not be shown to another server by accident.
func tokenURL() address {
	return address{
		what: "OAuth token endpoint", example: "such as https://auth.getadministrate.com/oauth/token",
		instead: "ADMINISTRATE_CLIENT_ID and ADMINISTRATE_CLIENT_SECRET", secret: "client secret",
	}
}

func (a address) check(text string) error {
	if text == "" {
		return errors.New("none given; set the " + a.what + ", " + a.example)
	}
	u, err := url.Parse(text)
	if err != nil {
		// The parser's error repeats the text, which may hold a password.
		return errors.New("is not a URL; give the " + a.what + ", " + a.example)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case u.User != nil:
		return errors.New("must not hold a user name or password; set " + a.instead + " instead")
	case (u.Scheme != "https" && u.Scheme != "http") || host == "":
		return fmt.Errorf("%q must start with https:// (or http:// for a local sandbox), %s", text, a.example)
	case u.Fragment != "":
		return fmt.Errorf("%q must not have a #fragment", text)
	}
	for _, domain := range vendorDomains() {
		if u.Scheme == "http" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return fmt.Errorf("%q would send the %s in the clear; use https://", text, a.secret)
		}
	}
	return nil
}
