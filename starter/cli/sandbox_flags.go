package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/fault"
)

// gatewayFlags are the flags of the sandbox's parts in front of the API: the rate limit, the faults
// and the request log.
type gatewayFlags struct {
	rate   rateFlag
	window string
	faults string
}

const windowSliding, windowFixed = "sliding", "fixed"

func (d *gatewayFlags) add(fs *pflag.FlagSet, o *sandbox.Options) {
	fs.Var(&d.rate, "rate", "requests that one client address may send, as N/DURATION such as 200/10s; further requests fail with status 429 (default 6000/5m0s)")
	fs.StringVar(&d.window, "rate-window", windowSliding, "how the sandbox counts requests: sliding (over the last DURATION) or fixed (in consecutive windows of DURATION)")
	fs.BoolVar(&o.Rate.RetryAfter, "retry-after", false, "send the header Retry-After with status 429; it is unknown whether the API sends this header")
	fs.BoolVar(&o.Rate.Off, "no-rate-limit", false, "accept any number of requests")
	fs.StringArrayVar(&o.RedirectURIs, "redirect-uri", nil, "exact URL to which the authorization endpoint may redirect a user; may be repeated (default: any URL of this machine)")
	fs.StringVar(&d.faults, "faults", "", "file with a JSON list of faults that are active from the start; while the sandbox runs, you can set more faults at /_sandbox/faults")
	fs.BoolVar(&o.NoRequestLog, "no-request-log", false, "keep no request log; without this flag, /_sandbox/request-log lists the requests, and with --data the list survives a restart")
	fs.IntVar(&o.RequestLogEntries, "request-log-entries", 1_000_000, "maximum number of requests that the request log keeps")
}

func (d *gatewayFlags) resolve(fs *pflag.FlagSet, o *sandbox.Options) ([]fault.Rule, error) {
	for _, with := range []string{"rate", "rate-window", "retry-after"} {
		if o.Rate.Off && fs.Changed(with) {
			return nil, usagef("--%s and --no-rate-limit exclude each other; give one of them", with)
		}
	}
	if o.NoRequestLog && fs.Changed("request-log-entries") {
		return nil, usagef("--request-log-entries and --no-request-log exclude each other; give one of them")
	}
	if o.RequestLogEntries < 1 {
		return nil, usagef("--request-log-entries %d: must be at least 1", o.RequestLogEntries)
	}
	if d.window != windowSliding && d.window != windowFixed {
		return nil, usagef("--rate-window %q: must be %s or %s", d.window, windowSliding, windowFixed)
	}
	o.Rate.Requests, o.Rate.Per, o.Rate.Fixed = d.rate.n, d.rate.per, d.window == windowFixed
	if _, err := assumptions.ParseChoices(o.Assumptions); err != nil {
		return nil, usagef("--assume: %v", err)
	}
	if d.faults == "" {
		return nil, nil
	}
	content, err := os.ReadFile(d.faults)
	if err != nil {
		return nil, usagef("--faults: %v", err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, usagef("--faults %s: must contain a JSON list: %v", d.faults, err)
	}
	var rules []fault.Rule
	for i, one := range list {
		rule, err := sandbox.ReadFault(strings.NewReader(string(one)))
		if err != nil {
			return nil, usagef("--faults %s: entry %d: %v", d.faults, i+1, err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func printAssumptions(to io.Writer) error {
	for _, row := range assumptions.All() {
		if _, err := fmt.Fprintln(to, row.Name); err != nil {
			return err
		}
		for i, v := range row.Options {
			mark := " "
			if i == 0 {
				mark = "*"
			}
			if _, err := fmt.Fprintf(to, "  %s %-12s %s\n", mark, v.Value, v.Description); err != nil {
				return err
			}
		}
		if row.AnyName {
			if _, err := fmt.Fprintf(to, "    %-12s any other name that is valid in a GraphQL schema\n", "NAME"); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(to, "\n* is the default; set another value, for example with --assume "+string(assumptions.All()[0].Name)+"="+assumptions.All()[0].Options[1].Value)
	return err
}

type rateFlag struct {
	n   int
	per time.Duration
}

func (p *rateFlag) String() string {
	if p.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%v", p.n, p.per)
}

func (*rateFlag) Type() string { return "N/DURATION" }

func (p *rateFlag) Set(text string) error {
	number, length, found := strings.Cut(text, "/")
	n, err := strconv.Atoi(number)
	per, bad := time.ParseDuration(length)
	if !found || err != nil || bad != nil || n < 1 || per <= 0 {
		return fmt.Errorf("must be a number of requests and a length of time, such as 200/10s")
	}
	p.n, p.per = n, per
	return nil
}
