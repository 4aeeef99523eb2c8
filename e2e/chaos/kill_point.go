package chaos

import "time"

// KillPoint is the point in a request or a run at which a worker was killed.
type KillPoint string

// The kill points.
const (
	// BeforeSend: an activity had begun, and the worker had not sent its request.
	BeforeSend KillPoint = "before send"
	// BeforeAnswer: the request was sent, and its response had not arrived.
	BeforeAnswer KillPoint = "after send, before response"
	// BeforeReport: the API had responded to the request, and the worker had not reported the
	// result to Temporal.
	BeforeReport KillPoint = "after response, before report"
	// DuringContinueAsNew: a run had continued as new, and the next run had completed no workflow
	// task.
	DuringContinueAsNew KillPoint = "during continue-as-new"
	// DuringCompletion: the transition to a final step was reported to Temporal, and the run had
	// not ended.
	DuringCompletion KillPoint = "during completion"
	// AnyPoint: the experiment did not choose the point.
	AnyPoint KillPoint = "anywhere"
)

// KillPoints are the points that an experiment must reach.
func KillPoints() []KillPoint {
	return []KillPoint{BeforeSend, BeforeAnswer, BeforeReport, DuringContinueAsNew, DuringCompletion}
}

// Kill is one kill of the workers with SIGKILL, with the evidence for the kill point.
type Kill struct {
	Point    KillPoint `json:"place"`
	At       time.Time `json:"at"`
	Evidence string    `json:"evidence"`
}
