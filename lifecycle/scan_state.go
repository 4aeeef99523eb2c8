package lifecycle

import (
	"slices"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

const (
	// ScanPageRuns is the largest number of runs that the scan compares with one API request.
	ScanPageRuns = 100
	// minScanInterval is the shortest time between the starts of two pages of the scan.
	minScanInterval = time.Second
	// scanFailurePause is the shortest time between the start of a failed page and the repetition of
	// the page. Temporal itself retries the activity of the page for minutes, and after several
	// failures for an hour.
	scanFailurePause = time.Minute
	// maxChangedRuns is the largest number of changed runs that the scan remembers of one pass.
	maxChangedRuns = 250
)

// ScanState is the state of the scan, the input of its workflow, and the result of the query ScanOf.
//
// The scan works in passes; each pass compares each open run at least once. A pass lists the open
// runs page by page, the latest start first. A run that continues as new moves to the beginning of
// the list. Therefore, a pass of several pages ends with another list of the runs that started
// during the pass.
type ScanState struct {
	ScanSettings
	// Pass is the current pass. LastPass is the last complete pass.
	Pass     ScanPass `json:"pass,omitzero"`
	LastPass ScanPass `json:"lastPass,omitzero"`
	// PageToken is the position of the next page in the list of runs; empty means the first page.
	PageToken []byte `json:"pageToken,omitempty"`
	// ListsNewRuns says that the next page lists the runs that started during the pass.
	ListsNewRuns bool `json:"listsNewRuns,omitempty"`
	// OpenRuns is the number of open runs when the scan listed the last page.
	OpenRuns int `json:"openRuns,omitempty"`
	// LastPageAt is when the scan started the last page. Before the first page, LastPageAt is when the
	// scan started.
	LastPageAt time.Time `json:"lastPageAt,omitzero"`
	// Problem says why the last page failed; "" when the last page succeeded. Failures is the number
	// of consecutive failures.
	Problem  string `json:"problem,omitempty"`
	Failures int    `json:"failures,omitempty"`
	// ChangedRuns are the workflow ids of the runs whose records the current pass found changed.
	// LastChangedRuns are the changed runs of the last pass.
	ChangedRuns     []string `json:"changedRuns,omitempty"`
	LastChangedRuns []string `json:"lastChangedRuns,omitempty"`
	// ChangedRunsCut says that the pass found more changed runs than ChangedRuns contains, or that the
	// pass could not compare all runs. LastChangedRunsCut says the same of the last pass.
	ChangedRunsCut     bool `json:"changedRunsCut,omitempty"`
	LastChangedRunsCut bool `json:"lastChangedRunsCut,omitempty"`
}

// ScanPass describes one pass of the scan.
type ScanPass struct {
	StartedAt time.Time `json:"startedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// Runs and Pages are the numbers of runs and of pages that the pass listed.
	Runs  int `json:"runs"`
	Pages int `json:"pages"`
	// Changed is the number of runs whose records differed from the search attributes. Refreshes is
	// the number of runs that received the message refresh; a run that has ended receives no message.
	Changed   int `json:"changed"`
	Refreshes int `json:"refreshes"`
}

// ScanPage is what the comparison of one page of runs returned.
type ScanPage struct {
	// Runs is the number of runs on the page. OpenRuns is the number of all open runs.
	Runs, OpenRuns int
	// Changed are the workflow ids of the runs whose record differs from the search attributes or no
	// longer exists.
	Changed []string
	// Refused says why the API refused to return the records of the page; "" when the API returned
	// the records.
	Refused       string
	NextPageToken []byte
}

// ScanRefresh is the message refresh that the scan sends to one run.
type ScanRefresh struct {
	WorkflowID string
	Refresh    opportunity.Refresh
}

// Set changes the settings of the scan. A member of the settings that is zero changes nothing.
func (s *ScanState) Set(settings ScanSettings) {
	switch {
	case settings.Off:
		s.Off = true
	case settings.Period > 0:
		s.Period, s.Off = settings.Period, false
	}
}

// NextPageAt returns when the scan compares the next page, or repeats the page that failed. The pages
// of a pass are distributed over the period.
func (s *ScanState) NextPageAt() time.Time {
	interval := s.Period / time.Duration(s.OpenRuns/ScanPageRuns+1)
	switch {
	case s.Failures > 0:
		interval = scanFailurePause
	case s.ListsNewRuns:
		interval = minScanInterval
	}
	return s.LastPageAt.Add(max(interval, minScanInterval))
}

// StartPage starts a page, and starts a pass if no pass is under way. Call StartPage before the
// activity lists the runs of the page.
func (s *ScanState) StartPage(now time.Time) {
	s.LastPageAt = now
	if s.Pass.StartedAt.IsZero() {
		s.Pass = ScanPass{StartedAt: now}
	}
}

// StartedSince returns the start of the pass if the next page lists only the runs that started during
// the pass. Otherwise StartedSince returns the zero time.
func (s *ScanState) StartedSince() time.Time {
	if s.ListsNewRuns {
		return s.Pass.StartedAt
	}
	return time.Time{}
}

// AddFailure stores that a page failed, and why. The scan repeats the page.
func (s *ScanState) AddFailure(problem string) {
	s.Problem, s.Failures = problem, s.Failures+1
}

// AddPage stores the result of a page, and returns the messages to the runs that the pass finds
// changed for the first time. All messages of a pass to the same run have the same request id. Call
// EndPage after the messages were sent.
func (s *ScanState) AddPage(page ScanPage) []ScanRefresh {
	s.Problem, s.Failures = page.Refused, 0
	s.ChangedRunsCut = s.ChangedRunsCut || page.Refused != ""
	s.PageToken, s.OpenRuns = page.NextPageToken, page.OpenRuns
	s.Pass.Runs += page.Runs
	s.Pass.Pages++
	var refreshes []ScanRefresh
	for _, id := range page.Changed {
		if slices.Contains(s.ChangedRuns, id) {
			continue
		}
		s.Pass.Changed++
		refreshes = append(refreshes, ScanRefresh{WorkflowID: id, Refresh: opportunity.Refresh{
			RequestID: "scan-" + s.Pass.StartedAt.UTC().Format(time.RFC3339Nano), Source: "scan", StepSeenAt: s.stepSeenAt(id),
		}})
		if len(s.ChangedRuns) >= maxChangedRuns {
			s.ChangedRunsCut = true
			continue
		}
		s.ChangedRuns = append(s.ChangedRuns, id)
	}
	return refreshes
}

// stepSeenAt returns the start of the last pass, or zero if the last pass did not prove that the
// record was in the step that the run showed.
func (s *ScanState) stepSeenAt(workflowID string) time.Time {
	if s.LastChangedRunsCut || slices.Contains(s.LastChangedRuns, workflowID) {
		return time.Time{}
	}
	return s.LastPass.StartedAt
}

// EndPage stores that the page has ended and how many runs received the message refresh. EndPage
// reports whether the pass has ended.
func (s *ScanState) EndPage(refreshes int, now time.Time) bool {
	s.Pass.Refreshes += refreshes
	switch {
	case len(s.PageToken) > 0:
		return false
	case !s.ListsNewRuns && s.Pass.Pages > 1:
		s.ListsNewRuns = true
		return false
	}
	s.Pass.EndedAt = now
	s.LastPass, s.Pass = s.Pass, ScanPass{}
	s.LastChangedRuns, s.ChangedRuns = s.ChangedRuns, nil
	s.LastChangedRunsCut, s.ChangedRunsCut = s.ChangedRunsCut, false
	s.ListsNewRuns = false
	return true
}
