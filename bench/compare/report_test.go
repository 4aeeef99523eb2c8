package compare_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/bench/compare"
)

// Each comparison names its base subject.
func TestReport(t *testing.T) {
	report := compare.Report{
		Command: "go run ./bench", Server: "SQLite in memory", Processors: 2,
		Counts: []compare.SubjectCounts{
			{Subject: "direct", Counts: compare.Counts{Requests: 11}},
			{Subject: compare.Base, Counts: compare.Counts{Requests: 11, Events: 100, Bytes: 12_345, Tasks: 20, Actions: 20}},
			{Subject: "Oppflow", Counts: compare.Counts{Requests: 7, Events: 75, Bytes: 9_950, Tasks: 14, Actions: 19}},
		},
		Rates: []compare.SubjectRate{{Subject: "Oppflow", InFlight: 8, PerSecond: 12.345, OfBase: 1.5, RequestsEach: 7, Usage: compare.Usage{CPUSeconds: 4.44, PeakBytes: 50_000_000}}},
		Latencies: []compare.Latency{
			{What: "bare", P50: 5 * time.Millisecond, P95: 6 * time.Millisecond, P99: 7 * time.Millisecond, N: 10},
			{What: "Oppflow", P50: 5500 * time.Microsecond, P95: 6 * time.Millisecond, P99: 7 * time.Millisecond, N: 10, OfBare: 1.1},
		},
		Idle:  &compare.Idle{Opportunities: 10, Cached: 5, EmptyBytes: 30e6, Bytes: 80e6, AllowedBytes: 150e6, Events: 1950, FirstAnswer: 123 * time.Millisecond},
		Burst: &compare.Burst{Signals: 1000, Sent: 1500 * time.Millisecond, Effect: 2500 * time.Millisecond, Requests: 51, Runs: 2},
	}
	var text strings.Builder
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	want := `The command go run ./bench measured on a machine with 2 processors; the database of the Temporal server is SQLite in memory.

Counts for one lifecycle (11 calls) without other load:

|               | requests | events | of bare | KB of history | tasks | actions | of bare |
| ---           | ---:     | ---:   | ---:    | ---:          | ---:  | ---:    | ---:    |
| direct        | 11       |        |         |               |       |         |         |
| bare, signals | 11       | 100    | 1.00    | 12.3          | 20    | 20      | 1.00    |
| Oppflow       | 7        | 75     | 0.75    | 9.9           | 14    | 19      | 0.95    |

Lifecycles per second, measured for one subject after the other:

|         | in flight | per second | of bare | requests each | worker's CPU s per 1,000 lifecycles | peak MB |
| ---     | ---:      | ---:       | ---:    | ---:          | ---:                                | ---:    |
| Oppflow | 8         | 12.35      | 1.50    | 7.0           | 4.4                                 | 50      |

Latency, without other load:

| one after the other | p50 ms | p95 ms | p99 ms | of bare | n    |
| ---                 | ---:   | ---:   | ---:   | ---:    | ---: |
| bare                | 5.0    | 6.0    | 7.0    |         | 10   |
| Oppflow             | 5.5    | 6.0    | 7.0    | 1.10    | 10   |

10 opportunities are open and have each handled one message; 5 of these opportunities are in the worker's memory. The worker uses 80 MB of resident memory, which is 50 MB more than a worker without opportunities uses (limit of the difference: 120 MB). Another opportunity had 1950 history events and was no longer in the worker's memory; this opportunity responded after 123ms.

1000 signals were sent to one opportunity at once; sending all signals took 1.5s. The last signal took effect 2.5s after the start of sending. All signals together caused 51 API requests and 2 runs.

`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
