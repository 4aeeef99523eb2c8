package activities

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TaskQueue is the task queue of the API activities. The queue is separate from the task queue
// of the workflows, so that it can have a rate limit.
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
)

// Reason says why a request was not sent, or why it is unknown whether the request was
// sent.
type Reason string

// The reasons for not sending.
const (
	// ReasonUnresolvedNames: the request contains a name whose id the worker does not know, or
	// whose id has changed. The workflow must resolve the name first.
	ReasonUnresolvedNames Reason = "names"
	// ReasonEarlierRun: the reference may have had another run, so the record may exist. The
	// workflow must search for the reference tag first.
	ReasonEarlierRun Reason = "seen"
	// ReasonReset: the server and the workflow know the run by different ids, so the run was reset
	// or comes from a backup. The workflow must first read back the requests of the earlier run.
	ReasonReset Reason = "reset"
	// ReasonServerErrors: the API returns errors of its own. A read fails with ReasonServerErrors.
	// The workflow also sets ReasonServerErrors for a change that it read back.
	ReasonServerErrors Reason = "errors"
	// ReasonNamespaceBusy: Temporal rejects list requests because the namespace sends too many. The
	// worker cannot find out whether the reference had another run.
	ReasonNamespaceBusy Reason = "namespace"
	// ReasonUnreachable: there is no connection to the API.
	ReasonUnreachable Reason = "unreachable"
	// ReasonAuthentication: the API does not accept the token.
	ReasonAuthentication Reason = "authentication"
	// ReasonWrongTenant: the namespace belongs to another tenant than the worker's credentials.
	ReasonWrongTenant Reason = "tenant"
	// ReasonRateLimit: the request exceeds the API's rate limit, or waited too long in the worker
	// under this limit.
	ReasonRateLimit Reason = "rate"
	// ReasonSendDeadlinePassed: the deadline for sending the request has passed.
	ReasonSendDeadlinePassed Reason = "late"
	// ReasonUnknownEffectKind: the worker does not know the kind of the effect. A worker of a later
	// version knows the kind.
	ReasonUnknownEffectKind Reason = "version"
	// ReasonPlaybookUnavailable: the worker does not know which playbook is in force, or cannot
	// load the playbook. Or the worker's playbook has a lower version than the opportunity has
	// seen.
	ReasonPlaybookUnavailable Reason = "playbook"
	// ReasonTransitionUnplanned: the playbook in force has effects of transitions, but the workflow
	// did not plan the effects of a transition in the request. The workflow must plan the
	// transition first.
	ReasonTransitionUnplanned Reason = "unplanned"
	// ReasonAttemptNotEnded: the attempt that may have sent the request did not report its end, and
	// may still send the request.
	ReasonAttemptNotEnded Reason = "attempt"
	// ReasonNoWorker: no worker took the activity in time. The workflow sets ReasonNoWorker when
	// the server reports a schedule-to-start time-out.
	ReasonNoWorker Reason = "queue"
)

// CallResult is what is known of a request as a whole.
type CallResult struct {
	// Subject is the subject of the request: the reference of a create, the record of another
	// change, or the key of an effect.
	Subject string `json:"about,omitempty"`
	// Status is done when the API responded to the request; each result then has its own status.
	// Status is rejected when the API rejected the request as a whole. When no response shows how
	// the API handled the request, Status is not sent or unknown.
	Status exchange.ChangeStatus `json:"fate"`
	// Reason is set when Status has the value not sent. With an unknown Status, Reason is
	// ReasonAttemptNotEnded or empty.
	Reason Reason `json:"reason,omitempty"`
	// MissingNames are the names to resolve, for ReasonUnresolvedNames.
	MissingNames []exchange.UnresolvedName `json:"missing,omitempty"`
	// ResolvedNames are the missing names with the ids that the worker found already. The API
	// rejected the request with the earlier ids of these names.
	ResolvedNames []exchange.ResolvedName `json:"found,omitempty"`
	// RunID is the id by which the server knows the run, for ReasonReset.
	RunID string `json:"run,omitempty"`
	// ServerError says that the API responded with an error of its own. Status or the status of a
	// result is then unknown.
	ServerError bool `json:"failing,omitempty"`
	// RetryAfter is how long the workflow waits, at least, before it sends again; 0 means that
	// nothing requires a wait. The API asks for this time, or the settle time requires it.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Error says why a request was rejected or is unknown, and may say why it was not sent.
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
	// StartDigest is the digest of the start as the caller gave it, while Start may lack members.
	// If it is "", the worker does not compare it with earlier starts.
	StartDigest string `json:"startDigest,omitempty"`
	// SkipEarlierRunCheck says that a search for the reference tag found no record. The worker then
	// does not check earlier runs of the reference.
	SkipEarlierRunCheck bool `json:"looked,omitempty"`
	// NoEarlierRun says that the namespace proves that the reference had no run before. Without
	// this proof the workflow must search for the record first, because the index of runs may not
	// show an earlier run yet.
	NoEarlierRun bool `json:"first,omitempty"`
	// RunID is the run id from the workflow's history; "" is not compared.
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
	// TransitionUnplanned says that the effects of a transition in the request were not planned,
	// because the playbook that the workflow knows has no effects of transitions.
	TransitionUnplanned bool `json:"unplanned,omitempty"`
	// RunID is the run id from the workflow's history; "" is not compared.
	RunID string `json:"run,omitempty"`
}

// ApplyResult holds one result for each change when Status is done.
type ApplyResult struct {
	CallResult
	Results []exchange.ChangeResult `json:"answers,omitempty"`
}

// ReadInput is the input of ReadOpportunity.
type ReadInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// After is the cursor of the interests to read next, for a record with more interests than one
	// request can read. With After, the result contains only interests.
	After string `json:"after,omitempty"`
	// ForAdoption says that the read is for an adoption. The record then contains the time of its
	// last change, if the worker counts follow-ups from that time.
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
	// TagOwnerThis: the record has the tag of this reference.
	TagOwnerThis TagOwner = "us"
	// TagOwnerOther: the record has the tag of another reference.
	TagOwnerOther TagOwner = "other"
	// TagOwnerNone: the record has no reference tag.
	TagOwnerNone TagOwner = "nobody"
	// TagOwnerUnknown: the worker does not use reference tags, so it cannot tell whose tag the
	// record has.
	TagOwnerUnknown TagOwner = "untold"
)

// ReadResult is the record, or more of its interests.
type ReadResult struct {
	Record exchange.Snapshot `json:"record"`
	// TagOwner and RunID are set on the first page. RunID is the id by which the server knows the
	// run.
	TagOwner TagOwner `json:"owner,omitempty"`
	// TaggedByOther says that the record certainly has the tag of another reference. A name that
	// only looks like a name with a tag does not set TaggedByOther.
	TaggedByOther bool   `json:"foreign,omitempty"`
	RunID         string `json:"run,omitempty"`
	// SettleTime is how long the API may still commit requests of an earlier run. SettleTime is set
	// only if the record already has the tag of this reference.
	SettleTime time.Duration `json:"settling,omitempty"`
	// Next is the cursor of the next interests, "" at the end of the interests.
	Next string `json:"next,omitempty"`
	// PlaybookFeatures are the features of the worker's playbook, on the first page; nil if the
	// worker has no playbook.
	PlaybookFeatures *PlaybookFeatures `json:"rules,omitempty"`
}

// TagInput is the request to put the reference tag on a record that has none.
type TagInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Name is the name of the record, for a tag in the name.
	Name string `json:"name"`
	// WorkflowID and RunID identify the run of the opportunity that adopts the record. If
	// WorkflowID and RunID are "", the worker does not compare the start with earlier starts.
	WorkflowID string `json:"workflow,omitempty"`
	RunID      string `json:"run,omitempty"`
}

// FindInput is a search for the record that has the tag of the reference.
type FindInput struct {
	Reference opportunity.Reference `json:"reference"`
	// Region is where the record was to be created, by id or name.
	Region string `json:"region"`
	// ResolvedNames are the names whose ids the workflow knows.
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// After continues a search that needs more than one request.
	After string `json:"after,omitempty"`
	// StartDigest is the digest of the start. When the worker finds a record, it compares
	// StartDigest with the digests of earlier runs; "" is not compared.
	StartDigest string `json:"startDigest,omitempty"`
}

// FindResult holds the ids of the records that were found. An operator chooses between several
// records.
type FindResult struct {
	// Reference is the reference whose tag was searched for.
	Reference opportunity.Reference `json:"reference,omitempty"`
	// TagDisabled says that no record can be found, because the worker does not use reference tags.
	TagDisabled bool             `json:"blind,omitempty"`
	Found       []opportunity.ID `json:"found,omitempty"`
	// Conflict is set if a record was found and an earlier run had another start.
	Conflict *opportunity.Error `json:"conflict,omitempty"`
	// SettleTime is how long the API may still commit requests of an earlier run to a record that
	// was found.
	SettleTime time.Duration   `json:"settling,omitempty"`
	Region     opportunity.Ref `json:"region,omitzero"`
	// Next is the cursor of the next page of the search, "" at the end of the search.
	Next string `json:"next,omitempty"`
}

// ResolveInput lists names to resolve.
type ResolveInput struct {
	Names []exchange.UnresolvedName `json:"names"`
}

// ResolveResult holds one entry for each name, in order.
type ResolveResult struct {
	ResolvedNames []exchange.ResolvedName `json:"resolved"`
}

// ProbeResult says that the API responded.
type ProbeResult struct {
	Answered bool `json:"answered"`
}
