package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/lifecycle"
)

var scanStart = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)

// nextPage adds the result of one page at the time at which the page is due, and returns the
// messages to the changed runs.
func nextPage(s *lifecycle.ScanState, page lifecycle.ScanPage) []lifecycle.ScanRefresh {
	now := s.NextPageAt()
	s.StartPage(now)
	refreshes := s.AddPage(page)
	s.EndPage(len(refreshes), now)
	return refreshes
}

// refreshesOf returns the workflow ids, the request ids and the times in the messages.
func refreshesOf(refreshes []lifecycle.ScanRefresh) []string {
	var texts []string
	for _, r := range refreshes {
		text := r.WorkflowID + " " + r.Refresh.RequestID
		if !r.Refresh.StepSeenAt.IsZero() {
			text += " seen " + r.Refresh.StepSeenAt.Format("2 15:04")
		}
		texts = append(texts, text)
	}
	return texts
}

func newScan(period time.Duration) *lifecycle.ScanState {
	return &lifecycle.ScanState{ScanSettings: lifecycle.ScanSettings{Period: period}, LastPageAt: scanStart}
}

// The message to a changed run contains the start of the last pass, unless the last pass also found
// the run changed.
func TestMessagesOfTheScan(t *testing.T) {
	t.Parallel()
	s := newScan(24 * time.Hour)
	for n, c := range []struct {
		page lifecycle.ScanPage
		want []string
	}{
		{lifecycle.ScanPage{Changed: []string{"a"}}, []string{"a scan-2026-12-01T06:00:00Z"}},
		{lifecycle.ScanPage{Changed: []string{"a", "b", "b"}}, []string{"a scan-2026-12-02T06:00:00Z", "b scan-2026-12-02T06:00:00Z seen 1 06:00"}},
		{lifecycle.ScanPage{Refused: "no"}, nil},
		{lifecycle.ScanPage{Changed: []string{"a"}}, []string{"a scan-2026-12-04T06:00:00Z"}},
		{lifecycle.ScanPage{Changed: []string{"c"}}, []string{"c scan-2026-12-05T06:00:00Z seen 4 06:00"}},
	} {
		if diff := cmp.Diff(c.want, refreshesOf(nextPage(s, c.page))); diff != "" {
			t.Errorf("pass %d: %s", n+1, diff)
		}
		if s.Problem != c.page.Refused {
			t.Errorf("pass %d: problem %q", n+1, s.Problem)
		}
	}
}

// After its last page, a pass of several pages immediately lists the runs that started during the
// pass.
func TestPassOfSeveralPages(t *testing.T) {
	t.Parallel()
	s := newScan(24 * time.Hour)
	s.OpenRuns = 250
	var times, lists []string
	for n := range 9 {
		page := lifecycle.ScanPage{Runs: 100, OpenRuns: 250}
		if n%4 < 2 {
			page.NextPageToken = []byte{byte(n)}
		}
		times = append(times, s.NextPageAt().Format("2 15:04:05"))
		nextPage(s, page)
		lists = append(lists, fmt.Sprint(len(s.PageToken) > 0, !s.StartedSince().IsZero()))
	}
	if diff := cmp.Diff([]string{
		"30 14:00:00", "30 22:00:00", "1 06:00:00", "1 06:00:01", "1 14:00:01", "1 22:00:01", "2 06:00:01", "2 06:00:02", "2 14:00:02",
	}, times); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"true false", "true false", "false true", "false false"}, lists[:4]); diff != "" {
		t.Error(diff)
	}
	if p := s.LastPass; p.Pages != 4 || p.Runs != 400 || p.EndedAt.Before(p.StartedAt) {
		t.Errorf("%+v", p)
	}
}

func TestSettingsOfTheScan(t *testing.T) {
	t.Parallel()
	s := newScan(24 * time.Hour)
	for _, c := range []struct {
		set    lifecycle.ScanSettings
		period time.Duration
		off    bool
	}{
		{lifecycle.ScanSettings{}, 24 * time.Hour, false},
		{lifecycle.ScanSettings{Period: -1}, 24 * time.Hour, false},
		{lifecycle.ScanSettings{Period: time.Hour}, time.Hour, false},
		{lifecycle.ScanSettings{Off: true}, time.Hour, true},
		{lifecycle.ScanSettings{}, time.Hour, true},
		{lifecycle.ScanSettings{Period: 2 * time.Hour}, 2 * time.Hour, false}, // a worker with another setting started later
	} {
		if s.Set(c.set); s.Period != c.period || s.Off != c.off {
			t.Errorf("%+v: %+v", c.set, s.ScanSettings)
		}
	}
}

// For every number of runs, a pass takes at most the period and one second for each page, and sends
// at most one message to a run. A message says that the last pass saw the step only if the last
// pass saw it. The state of the scan stays small.
func TestScanProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		runs := rapid.IntRange(0, 3000).Draw(t, "runs")
		period := time.Duration(rapid.IntRange(1, 30*24*3600).Draw(t, "seconds")) * time.Second
		s := newScan(period)
		s.OpenRuns = runs
		var before map[string]bool // the runs that the last pass saw unchanged
		for pass := range 4 {
			share := rapid.IntRange(0, 100).Draw(t, fmt.Sprintf("changed of pass %d", pass))
			begins := s.LastPageAt
			unchanged, sent := map[string]bool{}, map[string]bool{}
			take := func(first, last int, token []byte) {
				page := lifecycle.ScanPage{Runs: last - first, OpenRuns: runs, NextPageToken: token}
				for n := first; n < last; n++ {
					id := fmt.Sprintf("opportunity/%0200d", n)
					if unchanged[id] = (n*7919+pass)%100 >= share; !unchanged[id] {
						page.Changed = append(page.Changed, id)
					}
				}
				for _, r := range nextPage(s, page) {
					if sent[r.WorkflowID] {
						t.Fatalf("two messages to %s in one pass", r.WorkflowID)
					}
					sent[r.WorkflowID] = len(s.ChangedRuns) < 250
					if !r.Refresh.StepSeenAt.IsZero() && !before[r.WorkflowID] {
						t.Fatalf("pass %d did not see the step of %s", pass-1, r.WorkflowID)
					}
				}
			}
			pages := runs/100 + 1
			for n := range pages {
				var token []byte
				if n < pages-1 {
					token = []byte{1}
				}
				take(n*100, min(runs, n*100+100), token)
			}
			if pages > 1 {
				take(0, min(runs, 50), nil)
			}
			if s.LastPass.EndedAt.IsZero() || !s.Pass.StartedAt.IsZero() {
				t.Fatalf("the pass has not ended: %+v", s)
			}
			if took := s.LastPass.EndedAt.Sub(begins); took > period+time.Duration(pages+1)*time.Second {
				t.Fatalf("the pass took %s of %s", took, period)
			}
			before = unchanged
		}
		if data, err := json.Marshal(s); err != nil || len(data) > 60_000 {
			t.Fatalf("the state has %d bytes: %v", len(data), err)
		}
	})
}
