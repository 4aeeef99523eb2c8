package settings

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// Defaults of [API].
const (
	// DefaultAPIRate is nine tenths of the API's own limit of 6,000 requests per 5 minutes and IP
	// address (documented). The last tenth of the API's limit is for requests that the workers do not
	// count: requests for tokens, checks and requests of the command line.
	DefaultAPIRate = 18
	// DefaultReservationLength is how long places are reserved when a caller gives no expiry time.
	DefaultReservationLength = 14 * 24 * time.Hour
	// DefaultSendWindow is how long after its start an activity may send a change.
	DefaultSendWindow = 20 * time.Second
	// DefaultResponseTime is how long after the send window a worker waits for the response to a
	// change.
	DefaultResponseTime = 15 * time.Second
	// DefaultSettleTime is how long the API may take to commit a request whose response was lost
	// (assumed).
	DefaultSettleTime = 60 * time.Second
	// DefaultQuietTime is how long a run waits after the end of the last command before it plans
	// the follow-ups again.
	DefaultQuietTime = 30 * time.Second
)

// API contains the settings for access to the Administrate Core GraphQL API. Call Resolve before
// use.
type API struct {
	// URL is the GraphQL endpoint: --api-url, ADMINISTRATE_URL. URL has no default, so that no program
	// changes the data of a tenant by accident.
	URL string
	// Token is the Bearer token: ADMINISTRATE_TOKEN. The token has no flag, because a command line
	// is visible to every user of the machine.
	Token Secret
	// TokenFile is a file that contains the token: --api-token-file, ADMINISTRATE_TOKEN_FILE.
	TokenFile string
	// OAuth is the client that requests access tokens if neither Token nor TokenFile is given.
	OAuth OAuth
	// If ReadOnly is true, Oppflow sends no changes to the API, but still reads: --read-only,
	// OPPFLOW_READ_ONLY.
	ReadOnly bool
	// Rate is the number of requests per second that the activities of all workers with the same IP
	// address may send together: --api-rate, OPPFLOW_API_RATE; zero means DefaultAPIRate.
	Rate float64
	// AddressShare is how many namespaces share the IP address. Each namespace uses an equal share
	// of Rate: --api-address-share, OPPFLOW_API_ADDRESS_SHARE; zero means 1.
	AddressShare int
	// ReferenceTag says where a record contains the caller's reference: --reference-tag,
	// OPPFLOW_REFERENCE_TAG.
	ReferenceTag ReferenceTag
	// ReservationLength is how long places are reserved when a caller gives no expiry time:
	// --reservation-length, OPPFLOW_RESERVATION_LENGTH; zero means DefaultReservationLength.
	ReservationLength time.Duration
	// SendWindow is how long after its start an activity may send a change: --send-window,
	// OPPFLOW_SEND_WINDOW; zero means DefaultSendWindow.
	SendWindow time.Duration
	// ResponseTime is how long after the send window a worker waits for the response to a change:
	// --response-time, OPPFLOW_RESPONSE_TIME; zero means DefaultResponseTime. After ResponseTime,
	// the change status is unknown.
	ResponseTime time.Duration
	// SettleTime is how long after a request's deadline the API may still commit the change of the
	// request: --settle-time, OPPFLOW_SETTLE_TIME; zero means DefaultSettleTime.
	SettleTime time.Duration
	// QuietTime is how long a run waits after the end of the last command before it plans the
	// follow-ups again: --quiet-time, OPPFLOW_QUIET_TIME; zero means DefaultQuietTime.
	QuietTime time.Duration
	// ScanPeriod is the time in which the scan compares the records of all open runs once:
	// --scan-period, OPPFLOW_SCAN_PERIOD; zero means DefaultScanPeriod.
	ScanPeriod ScanPeriod
	// AdoptedSince says from which time Oppflow counts the delays of an adopted record's
	// follow-ups: --adopted-since, OPPFLOW_ADOPTED_SINCE; zero means SinceAdoption.
	AdoptedSince AdoptedSince
	// Environment contains the variables that Resolve reads; nil means the environment of the process.
	Environment Environment

	readOnlyFlagGiven bool // also true for --read-only=false
}

// AddFlags binds the fields to flags.
func (a *API) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&a.URL, "api-url", a.URL, "URL of the GraphQL endpoint, such as https://api.getadministrate.com/graphql [ADMINISTRATE_URL]")
	fs.StringVar(&a.TokenFile, "api-token-file", a.TokenFile, "file with the access token for the API; instead of a file, you can set the variable ADMINISTRATE_TOKEN [ADMINISTRATE_TOKEN_FILE]")
	a.OAuth.addFlags(fs)
	fs.Var((*rateFlag)(&a.Rate), "api-rate", "number of API requests per second that all workers of one IP address may send together (default 18) [OPPFLOW_API_RATE]")
	fs.Var((*namespaceCountFlag)(&a.AddressShare), "api-address-share", "number of namespaces whose workers send from the same IP address; each namespace gets an equal part of --api-rate, because the API limits each IP address to 6,000 requests in 5 minutes (default 1) [OPPFLOW_API_ADDRESS_SHARE]")
	fs.Var(&boolFlag{&a.ReadOnly, &a.readOnlyFlagGiven}, "read-only", "send no changes to the API; reads still work [OPPFLOW_READ_ONLY]")
	fs.Lookup("read-only").NoOptDefVal = "true"
	fs.Var(&a.ReferenceTag, "reference-tag", "where a record contains the reference tag with the caller's reference: attribute:<key>, name or none [OPPFLOW_REFERENCE_TAG]")
	fs.Var((*durationFlag)(&a.ReservationLength), "reservation-length", "how long places are reserved if the caller gives no expiry time (default 336h) [OPPFLOW_RESERVATION_LENGTH]")
	fs.Var((*durationFlag)(&a.SendWindow), "send-window", "time after the start of an activity within which the activity may send a change (default 20s) [OPPFLOW_SEND_WINDOW]")
	fs.Var((*durationFlag)(&a.ResponseTime), "response-time", "how long after the send window the worker waits for the response to a change (default 15s) [OPPFLOW_RESPONSE_TIME]")
	fs.Var((*durationFlag)(&a.SettleTime), "settle-time", "how long the API may take to commit a change whose response was lost (default 60s) [OPPFLOW_SETTLE_TIME]")
	fs.Var((*durationFlag)(&a.QuietTime), "quiet-time", "time without a finished command after which Oppflow plans the follow-ups of an opportunity again (default 30s) [OPPFLOW_QUIET_TIME]")
	fs.Var(&a.ScanPeriod, "scan-period", "time in which Oppflow compares the records of all open opportunities once, to notice changes that people made in the TMS; 0 switches the scan off (default 24h) [OPPFLOW_SCAN_PERIOD]")
	fs.Var(&a.AdoptedSince, "adopted-since", "time at which the delays of an adopted record's follow-ups start: adoption (the time of the adoption) or record (the time of the record's last change in the TMS) (default adoption) [OPPFLOW_ADOPTED_SINCE]")
}

// Resolve fills the empty fields from the environment and the defaults, reads the files with
// secrets, and checks all fields. A second call changes nothing.
func (a *API) Resolve() error {
	env := a.Environment
	if a.URL == "" {
		a.URL = env.Get("ADMINISTRATE_URL")
	}
	if err := apiURL().check(a.URL); err != nil {
		return fmt.Errorf("API URL (--api-url or ADMINISTRATE_URL): %w", err)
	}
	if err := a.resolveCredentials(); err != nil {
		return err
	}
	if !a.ReadOnly && !a.readOnlyFlagGiven {
		if err := env.fill(&boolFlag{value: &a.ReadOnly}, "read-only", "OPPFLOW_READ_ONLY"); err != nil {
			return err
		}
	}
	if a.Rate == 0 {
		a.Rate = DefaultAPIRate
		if err := env.fill((*rateFlag)(&a.Rate), "api-rate", "OPPFLOW_API_RATE"); err != nil {
			return err
		}
	}
	if a.AddressShare == 0 {
		a.AddressShare = 1
		if err := env.fill((*namespaceCountFlag)(&a.AddressShare), "api-address-share", "OPPFLOW_API_ADDRESS_SHARE"); err != nil {
			return err
		}
	}
	if err := a.fillChoices(); err != nil {
		return err
	}
	spans := []struct {
		what           string
		value          *time.Duration
		standard       time.Duration
		flag, variable string
	}{
		{"reservation length", &a.ReservationLength, DefaultReservationLength, "reservation-length", "OPPFLOW_RESERVATION_LENGTH"},
		{"send window", &a.SendWindow, DefaultSendWindow, "send-window", "OPPFLOW_SEND_WINDOW"},
		{"response time", &a.ResponseTime, DefaultResponseTime, "response-time", "OPPFLOW_RESPONSE_TIME"},
		{"settle time", &a.SettleTime, DefaultSettleTime, "settle-time", "OPPFLOW_SETTLE_TIME"},
		{"quiet time", &a.QuietTime, DefaultQuietTime, "quiet-time", "OPPFLOW_QUIET_TIME"},
	}
	for _, s := range spans {
		if *s.value != 0 {
			continue
		}
		*s.value = s.standard
		if err := env.fill((*durationFlag)(s.value), s.flag, s.variable); err != nil {
			return err
		}
	}
	// A program may set a field in code, and then no flag has checked the value.
	if r := rateFlag(a.Rate); r.Set(r.String()) != nil {
		return fmt.Errorf("API rate %v (--api-rate or OPPFLOW_API_RATE): must be greater than 0", a.Rate)
	}
	if n := namespaceCountFlag(a.AddressShare); n.Set(n.String()) != nil {
		return fmt.Errorf("address share %d (--api-address-share or OPPFLOW_API_ADDRESS_SHARE): must be 1 to %d", a.AddressShare, maxSharingNamespaces)
	}
	if since := a.AdoptedSince; since.Set(string(since)) != nil {
		return fmt.Errorf("adopted since %q (--adopted-since or OPPFLOW_ADOPTED_SINCE): must be adoption or record", since)
	}
	for _, s := range spans {
		if *s.value < 0 {
			return fmt.Errorf("%s %v (--%s or %s): must be greater than 0", s.what, *s.value, s.flag, s.variable)
		}
	}
	return nil
}

func (a *API) fillChoices() error {
	env := a.Environment
	if a.ReferenceTag == (ReferenceTag{}) {
		if err := env.fill(&a.ReferenceTag, "reference-tag", "OPPFLOW_REFERENCE_TAG"); err != nil {
			return err
		}
	}
	if a.ScanPeriod == (ScanPeriod{}) {
		if err := env.fill(&a.ScanPeriod, "scan-period", "OPPFLOW_SCAN_PERIOD"); err != nil {
			return err
		}
	}
	if a.AdoptedSince != "" {
		return nil
	}
	a.AdoptedSince = SinceAdoption
	return env.fill(&a.AdoptedSince, "adopted-since", "OPPFLOW_ADOPTED_SINCE")
}

// RequestsPerSecond returns how many requests per second this namespace may send: its share of
// Rate.
func (a *API) RequestsPerSecond() float64 { return a.Rate / float64(max(1, a.AddressShare)) }
