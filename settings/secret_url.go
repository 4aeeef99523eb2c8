package settings

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// vendorDomains returns the domains of the vendor of the TMS (observed). A URL in one of these
// domains must begin with https, because an http URL would send a secret unencrypted.
func vendorDomains() []string {
	return []string{"getadministrate.com", "administrateapp.com", "stagingadministratehq.com"}
}

// secretURL contains the rules for a URL to which Oppflow sends secrets.
type secretURL struct {
	target      string // what the URL leads to, such as a token endpoint
	example     string
	alternative string // how to give a user name and a password instead
	secret      string // the secret that is sent to the URL
}

func apiURL() secretURL {
	return secretURL{
		target: "GraphQL endpoint", example: "such as https://api.getadministrate.com/graphql",
		alternative: "ADMINISTRATE_TOKEN", secret: "token",
	}
}

// The example in the rules is the vendor's own token endpoint (documented). The vendor's token
// endpoint is not a default, because the client secret of a tenant's test system must not reach
// another server by accident.
func tokenURL() secretURL {
	return secretURL{
		target: "OAuth token endpoint", example: "such as https://auth.getadministrate.com/oauth/token",
		alternative: "ADMINISTRATE_CLIENT_ID and ADMINISTRATE_CLIENT_SECRET", secret: "client secret",
	}
}

func (a secretURL) check(text string) error {
	if text == "" {
		return errors.New("no URL is given; set the URL of the " + a.target + ", " + a.example)
	}
	u, err := url.Parse(text)
	if err != nil {
		// The error of the parser contains the URL, and the URL may contain a password.
		return errors.New("the value is not a URL; give the URL of the " + a.target + ", " + a.example)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case u.User != nil:
		return errors.New("must not contain a user name or password; set " + a.alternative + " instead")
	case (u.Scheme != "https" && u.Scheme != "http") || host == "":
		return fmt.Errorf("%q must start with https:// (or http:// for a local sandbox), %s", text, a.example)
	case u.Fragment != "":
		return fmt.Errorf("%q must not have a #fragment", text)
	}
	for _, domain := range vendorDomains() {
		if u.Scheme == "http" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return fmt.Errorf("%q would send the %s unencrypted; use https://", text, a.secret)
		}
	}
	return nil
}
