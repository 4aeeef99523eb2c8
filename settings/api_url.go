package settings

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// vendorDomains are the vendor's own domains (observed). They are used over TLS only. A plain http URL there is a
// typing mistake that would send a secret in the clear.
func vendorDomains() []string {
	return []string{"getadministrate.com", "administrateapp.com", "stagingadministratehq.com"}
}

// address is a URL that gets secrets.
type address struct {
	what    string // the thing at the URL
	example string
	instead string // how to give a user name and a password instead
	secret  string // the secret that the URL gets
}

func apiURL() address {
	return address{
		what: "GraphQL endpoint", example: "such as https://api.getadministrate.com/graphql",
		instead: "ADMINISTRATE_TOKEN", secret: "token",
	}
}

// tokenURL returns the address of the token endpoint. Its example is the vendor's own (documented). The example is
// no default: a client of a tenant's test system must not be shown to another server by accident.
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
		// The parser's error repeats the text, and the text may hold a password.
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
