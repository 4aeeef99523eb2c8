package activities

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// CompareRunsInput is the input of CompareRuns, which compares the records of one page of open runs
// with the search attributes of the runs.
type CompareRunsInput struct {
	// Pass is when the pass of the scan started.
	Pass time.Time `json:"pass"`
	// PageToken is the position of the page in the list of open runs; empty means the first page.
	PageToken []byte `json:"pageToken,omitempty"`
	// StartedSince limits the list to the runs that started at or after this time; zero sets no limit.
	StartedSince time.Time `json:"startedSince,omitzero"`
}

// CompareRunsResult is the result of CompareRuns.
type CompareRunsResult struct {
	// Pass is CompareRunsInput.Pass.
	Pass time.Time `json:"pass,omitzero"`
	// Runs is the number of runs on the page, and OpenRuns is the number of all open runs.
	Runs     int `json:"runs"`
	OpenRuns int `json:"openRuns"`
	// Changed are the workflow ids of the runs whose record differs from the search attributes or no
	// longer exists.
	Changed []string `json:"changed,omitempty"`
	// Refused says why the API refused to return the records; "" when the API returned the records.
	Refused string `json:"refused,omitempty"`
	// NextPageToken is the position of the next page; empty on the last page.
	NextPageToken []byte `json:"nextPageToken,omitempty"`
}

// Proves reports whether r is a result of the comparison that the input requests.
func (r CompareRunsResult) Proves(in CompareRunsInput) bool {
	return !r.Pass.IsZero() && r.Pass.Equal(in.Pass)
}

// CompareRunsOptions returns the options of CompareRuns after the given number of consecutive
// failures. No other activity has a lower priority than CompareRuns.
func CompareRunsOptions(failures int) workflow.ActivityOptions {
	return WithRound(BackgroundReadOptions("compare the records of open runs"), failures)
}

// NoticeWithin returns the longest time for which a transition by hand may stay unnoticed, counted
// from the last read that showed the earlier step. If a transition stayed unnoticed for longer, an
// operator decides about its mails and calls. NoticeWithin is twice the period of the scan, or 0 if
// the period is unknown or the scan is off.
func (t Times) NoticeWithin() time.Duration { return 2 * t.ScanPeriod }
