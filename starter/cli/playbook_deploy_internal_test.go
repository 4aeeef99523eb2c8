package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/oppflow/oppflow/lifecycle"
)

func threeVersions(now time.Time) lifecycle.PlaybookVersions {
	return lifecycle.PlaybookVersions{
		{Number: 1, TextDropped: true, Bytes: 7, StoredAt: now.Add(-time.Hour), InForceAt: now.Add(-time.Hour)},
		{Number: 2, DeployedBy: "ada", Digest: "d2", Bytes: 8, StoredAt: now.Add(-time.Minute), InForceAt: now.Add(-15 * time.Second)},
		{Number: 3, DeployedBy: "ben", Digest: "d3", Restores: 1, Bytes: 9, StoredAt: now.Add(-5 * time.Second), InForceAt: now.Add(40 * time.Second)},
	}
}

func TestVersionsAreListed(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	var out bytes.Buffer
	columns := tabwriter.NewWriter(&out, 0, 4, 2, ' ', 0)
	showVersions(columns, threeVersions(now), now)
	_ = columns.Flush()
	want := `VERSION  STATE     STORED                IN FORCE SINCE        BY   DIGEST  BYTES  NOTE
3        stored    2026-11-02T09:29:55Z  2026-11-02T09:30:40Z  ben  d3      9      has the text of version 1
2        in force  2026-11-02T09:29:00Z  2026-11-02T09:29:45Z  ada  d2      8      -
1        replaced  2026-11-02T08:30:00Z  2026-11-02T08:30:00Z  -    -       7      the text was dropped
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	if showVersions(&out, nil, now); !strings.Contains(out.String(), "no playbook; deploy one with: oppflow playbook deploy FILE") {
		t.Errorf("got %q", out.String())
	}
}

func TestRollBackVersion(t *testing.T) {
	versions := threeVersions(time.Now())
	for _, test := range []struct {
		versions lifecycle.PlaybookVersions
		number   int
		want     int
		says     string
	}{
		{versions, 0, 2, ""},
		{versions, 2, 2, ""},
		{versions, 3, 3, ""},
		{versions, 1, 1, "the text of version 1 is no longer stored"},
		{versions, 4, 0, "version 4 of the playbook does not exist"},
		{versions[1:2], 0, 0, "the playbook has no version before version 2"},
		{nil, 0, 0, "the namespace has no playbook"},
	} {
		got, err := earlierVersion(test.versions, test.number)
		if got.Number != test.want || (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d of %d versions: %d, %v; want %d, %q", test.number, len(test.versions), got.Number, err, test.want, test.says)
		}
	}
}

// awaitInForce returns when the version of the playbook is in force, even if this machine's clock
// is ahead by clockMargin.
func TestDeployReturnsWhenTheVersionIsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := func(stored time.Time, after time.Duration) lifecycle.PlaybookVersion {
			return lifecycle.PlaybookVersion{Number: 2, StoredAt: stored, InForceAt: stored.Add(after)}
		}
		const after = lifecycle.PlaybookInForceAfter
		for name, test := range map[string]struct {
			ago       time.Duration // the age of the version by this machine's clock
			after     time.Duration
			unchanged bool
			want      time.Duration
		}{
			"just stored":                 {0, after, false, after},
			"just stored, server ahead":   {-time.Hour, after, false, after},
			"just stored, server behind":  {time.Hour, after, false, after},
			"the first one":               {0, 0, false, 0},
			"stored a while ago":          {time.Hour, after, true, 0},
			"stored a moment ago":         {20 * time.Second, after, true, 30 * time.Second},
			"the first one, stored again": {time.Second, 0, true, 0},
		} {
			began := time.Now()
			p := &program{stderr: &bytes.Buffer{}}
			deployed := lifecycle.DeployResult{Version: version(began.Add(-test.ago), test.after), Unchanged: test.unchanged}
			if err := p.awaitInForce(t.Context(), deployed); err != nil || time.Since(began) != test.want {
				t.Errorf("%s: waited %s, %v; want %s", name, time.Since(began), err, test.want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var told bytes.Buffer
		p := &program{stderr: &told}
		if err := p.awaitInForce(ctx, lifecycle.DeployResult{Version: version(time.Now(), after)}); err == nil || !strings.Contains(err.Error(), "version 2 of the playbook is stored and comes into force at") {
			t.Errorf("interrupted: %v", err)
		}
		if !strings.Contains(told.String(), "The version comes into force in 45s") {
			t.Errorf("told %q", told.String())
		}
	})
}
