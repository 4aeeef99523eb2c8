package activities

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TaskQueue is the task queue of the API activities. The workflows have a task queue of their own,
// so that a rate limit can apply to the API activities alone.
const TaskQueue = "administrate-api"

// The registered names of the activities.
const (
	CreateOpportunity = "CreateOpportunity"
	ApplyCommands     = "ApplyCommands"
	ReadOpportunity   = "ReadOpportunity"
	FindOpportunity   = "FindOpportunity"
	ResolveNames      = "ResolveNames"
	TagOpportunity    = "MarkOpportunity"
	ProbeAPI          = "ProbeAPI"
	PlanOpportunity   = "PlanOpportunity"
	InspectEffect     = "InspectEffect"
	ExecuteEffect     = "CarryOutEffect"
	CompareRuns       = "CompareRuns"
)

// Reason says why a request was not sent, or why it is unknown whether the request was
// sent.
type Reason string

// The values of Reason.
const (
	// ReasonUnresolvedNames: the request contains a name whose id the worker does not know, or
	// whose id has changed.
	ReasonUnresolvedNames Reason = "names"
	// ReasonEarlierRun: an earlier run of the same reference may have created the record. The workflow
	// must search for a record with the reference tag before it creates a record.
	ReasonEarlierRun Reason = "seen"
	// ReasonReset: the run id on the Temporal server differs from the run id in the workflow's
	// history, so the run was reset or comes from a backup. Before the next request, the workflow must
	// read back the requests that an earlier run may have sent.
	ReasonReset        Reason = "reset"
	ReasonServerErrors Reason = "errors"
	// ReasonNamespaceBusy: Temporal rejects list requests because the namespace sends too many list
	// requests.
	ReasonNamespaceBusy Reason = "namespace"
	ReasonUnreachable   Reason = "unreachable"
	// ReasonAuthentication: the API does not accept the token.
	ReasonAuthentication Reason = "authentication"
	// ReasonWrongTenant: the worker's credentials belong to another tenant than the namespace.
	ReasonWrongTenant Reason = "tenant"
	// ReasonRateLimit: the request exceeds the API's rate limit, or the request waited too long in
	// the worker because of this limit.
	ReasonRateLimit          Reason = "rate"
	ReasonSendDeadlinePassed Reason = "late"
	ReasonUnknownEffectKind  Reason = "version"
	// ReasonPlaybookUnavailable: the worker does not know or cannot load the playbook that is in
	// force, or the opportunity has already used a later version of the playbook.
	ReasonPlaybookUnavailable Reason = "playbook"
	// ReasonTransitionUnplanned: the workflow planned no effects for the transition in the request,
	// although the playbook that is in force has effects for transitions.
	ReasonTransitionUnplanned Reason = "unplanned"
	// ReasonNotJoined: the API refused a request that contains the requests of several effects. The
	// request of each effect can be sent alone.
	ReasonNotJoined Reason = "joined"
	// ReasonAttemptNotEnded: the activity attempt that may have sent the request did not report its
	// end, and may still send the request.
	ReasonAttemptNotEnded Reason = "attempt"
	// ReasonNoWorker: no worker took the activity in time. The workflow sets ReasonNoWorker when
	// the server reports a schedule-to-start time-out.
	ReasonNoWorker Reason = "queue"
)

// CallResult says what is known about one API request as a whole.
type CallResult struct {
	// Subject is the reference if the request creates a record, the key of the effect if the request
	// belongs to an effect, and otherwise the id of the record.
	Subject string `json:"about,omitempty"`
	// Status is done when the API responded to the request; each change in the request then has a
	// status of its own. Status is rejected when the API rejected the request as a whole. When no
	// response shows how the API handled the request, Status is not sent or unknown.
	Status exchange.ChangeStatus `json:"fate"`
	// Reason is set when Status has the value not sent. If Status is unknown, Reason is
	// ReasonAttemptNotEnded or empty.
	Reason Reason `json:"reason,omitempty"`
	// MissingNames are the names that the workflow must resolve; set only for ReasonUnresolvedNames.
	MissingNames []exchange.UnresolvedName `json:"missing,omitempty"`
	// ResolvedNames are names whose ids have changed, with the current ids that the worker has found.
	// The API rejected the request because of the earlier ids.
	ResolvedNames []exchange.ResolvedName `json:"found,omitempty"`
	// RunID is the run id that the Temporal server knows, set for ReasonReset.
	RunID string `json:"run,omitempty"`
	// ServerError says that the API responded with a server error. If ServerError is true, Status
	// or the status of a single change is unknown.
	ServerError bool `json:"failing,omitempty"`
	// RetryAfter is the shortest time that the workflow waits before it sends the request again; 0
	// means that nothing requires a wait.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Error says why a request was rejected or has the status unknown, and may say why a request
	// was not sent.
	Error *opportunity.Error `json:"error,omitempty"`
	// PlaybookFeatures are the features of the worker's playbook; nil if the worker has no
	// playbook.
	PlaybookFeatures *PlaybookFeatures `json:"rules,omitempty"`
}

// CreateInput is the input of CreateOpportunity.
type CreateInput struct {
	Reference     opportunity.Reference   `json:"reference"`
	Start         opportunity.Start       `json:"start"`
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// StartDigest is the digest of the start message as the caller sent it; Start may lack members of
	// that message. If StartDigest is "", the worker does not compare it with the digests of earlier
	// starts.
	StartDigest string `json:"startDigest,omitempty"`
	// SkipEarlierRunCheck says that a search for the reference tag found no record.
	SkipEarlierRunCheck bool `json:"looked,omitempty"`
	// NoEarlierRun says that the reference had no earlier run; the memo and the ids of the run prove
	// this. If NoEarlierRun is false, the workflow must search for the record before the creation,
	// because the index of runs may not show an earlier run yet.
	NoEarlierRun bool `json:"first,omitempty"`
	// RunID is the run id from the workflow's history; the worker does not compare an empty RunID
	// with the server's run id.
	RunID string `json:"run,omitempty"`
}

// CreateResult is the result of CreateOpportunity.
type CreateResult struct {
	CallResult
	Record exchange.Snapshot `json:"record,omitzero"`
	Region opportunity.Ref   `json:"region,omitzero"`
}

// ApplyInput is the input of ApplyCommands: the changes of the record in one request.
type ApplyInput struct {
	Reference     opportunity.Reference   `json:"reference"`
	Opportunity   opportunity.ID          `json:"opportunity"`
	Changes       []exchange.Change       `json:"mutations"`
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// TransitionUnplanned says that the workflow planned no effects for the transition in Changes,
	// because the workflow knows of no playbook with effects for transitions.
	TransitionUnplanned bool `json:"unplanned,omitempty"`
	// HasReservation says that the workflow knows of places that were reserved for the opportunity
	// before the changes.
	HasReservation bool   `json:"reserved,omitempty"`
	RunID          string `json:"run,omitempty"`
}

// ApplyResult contains one result for each change when Status is done.
type ApplyResult struct {
	CallResult
	Results []exchange.ChangeResult `json:"answers,omitempty"`
	// Record is the whole record after the changes. Record is set only if the response to the last
	// change contains the whole record, and if the playbook has rules for transitions.
	Record *exchange.Snapshot `json:"record,omitempty"`
	// TaggedByOther says that a response shows the record with the reference tag of another
	// opportunity.
	TaggedByOther bool `json:"foreign,omitempty"`
}

// ReadInput is the input of ReadOpportunity.
type ReadInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// After is the cursor of the interests to read next, for a record with more interests than one
	// request can read.
	After string `json:"after,omitempty"`
	// ForAdoption says that Oppflow is about to adopt the record. The result then contains the time of
	// the record's last change, if the times of follow-ups count from that time.
	ForAdoption bool `json:"adopts,omitempty"`
	// WorkflowID and RunID identify the run of the opportunity that adopts the record. If
	// WorkflowID and RunID are "", the worker does not check earlier runs.
	WorkflowID string `json:"workflow,omitempty"`
	RunID      string `json:"run,omitempty"`
}

// TagOwner says whose reference tag a record has.
type TagOwner string

// The values of TagOwner.
const (
	// TagOwnerThis: the record has the tag of the reference in the input.
	TagOwnerThis TagOwner = "us"
	// TagOwnerOther: the record has the tag of a reference other than the reference in the input.
	TagOwnerOther TagOwner = "other"
	TagOwnerNone  TagOwner = "nobody"
	// TagOwnerUnknown: the worker does not use reference tags, so it cannot tell whose tag the
	// record has.
	TagOwnerUnknown TagOwner = "untold"
)

// ReadResult is the record, or a later page of the record's interests.
type ReadResult struct {
	Record exchange.Snapshot `json:"record"`
	// TagOwner and RunID are set only in the result with the first page of the interests. RunID is
	// the run id that the Temporal server knows.
	TagOwner TagOwner `json:"owner,omitempty"`
	// TaggedByOther says that the record certainly has the reference tag of another opportunity. A
	// record's name may end in brackets without a tag, so only a tag in an attribute sets
	// TaggedByOther.
	TaggedByOther bool   `json:"foreign,omitempty"`
	RunID         string `json:"run,omitempty"`
	// SettleTime is how long the API may still commit requests of an earlier run. SettleTime is set
	// only if the record already has the tag of the reference in the input.
	SettleTime time.Duration `json:"settling,omitempty"`
	// Next is the cursor of the next page of interests, "" on the last page.
	Next string `json:"next,omitempty"`
	// PlaybookFeatures are the features of the worker's playbook, set only with the first page of
	// the interests; nil if the worker has no playbook.
	PlaybookFeatures *PlaybookFeatures `json:"rules,omitempty"`
}

// TagInput is the request to put the reference tag on a record that has no reference tag.
type TagInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Name is the name of the record, used if the worker writes the tag in the name.
	Name string `json:"name"`
	// WorkflowID and RunID identify the run of the opportunity that adopts the record. If
	// WorkflowID and RunID are "", the worker does not compare the start with the starts of earlier
	// runs.
	WorkflowID string `json:"workflow,omitempty"`
	RunID      string `json:"run,omitempty"`
}

// FindInput is a search for the record that has the tag of the reference.
type FindInput struct {
	Reference opportunity.Reference `json:"reference"`
	// Region is the id or the name of the region in the start message.
	Region        string                  `json:"region"`
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// After is the cursor at which a search of several requests continues.
	After string `json:"after,omitempty"`
	// StartDigest is the digest of the opportunity's start message. If StartDigest is "", the
	// worker does not compare it with the digests of earlier runs.
	StartDigest string `json:"startDigest,omitempty"`
}

// FindResult contains the ids of the records that the search found.
type FindResult struct {
	// Reference is the reference whose tag the worker searched for.
	Reference opportunity.Reference `json:"reference,omitempty"`
	// TagDisabled says that no record can be found, because the worker does not use reference tags.
	TagDisabled bool             `json:"blind,omitempty"`
	Found       []opportunity.ID `json:"found,omitempty"`
	// Conflict is set if a record was found and an earlier run had a different start message.
	Conflict *opportunity.Error `json:"conflict,omitempty"`
	// SettleTime is how long the API may still commit requests of an earlier run to a record that
	// was found.
	SettleTime time.Duration   `json:"settling,omitempty"`
	Region     opportunity.Ref `json:"region,omitzero"`
	// Next is the cursor of the next page of the search, "" on the last page.
	Next string `json:"next,omitempty"`
}

// ResolveInput lists names to resolve.
type ResolveInput struct {
	Names []exchange.UnresolvedName `json:"names"`
}

// ResolveResult contains one entry for each name, in the order of the names in the input.
type ResolveResult struct {
	ResolvedNames []exchange.ResolvedName `json:"resolved"`
}

// ProbeResult says whether the API responded.
type ProbeResult struct {
	Answered bool `json:"answered"`
}
