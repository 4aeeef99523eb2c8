package lifecycle

import (
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/oppflow/oppflow/opportunity"
)

const (
	// PlaybookInForceAfter is the time from the deployment of a playbook version until the version
	// comes into force. A worker reads the state of the namespace at intervals of two thirds of
	// PlaybookInForceAfter. If a worker's latest read is older than eight ninths of
	// PlaybookInForceAfter, the worker plans nothing and sends nothing. Therefore, when
	// PlaybookInForceAfter is over, no worker plans with the previous version.
	PlaybookInForceAfter = 45 * time.Second
)

const (
	// MaxPlaybookBytes is the maximum length of the text of a playbook, in bytes.
	MaxPlaybookBytes = 256 << 10
	// MaxPlaybookVersions is the maximum number of playbook versions that a namespace stores. The
	// namespace drops the oldest versions.
	MaxPlaybookVersions = 20
	// MaxPlaybookTexts is the maximum size of the texts of all versions together, in bytes of JSON.
	// If the texts are larger, the namespace drops the oldest texts first.
	MaxPlaybookTexts = 768 << 10
)

// maxDeploymentBytes is the maximum size of one deployment, in bytes of JSON. The Temporal server
// accepts an update with a deployment of this size.
const maxDeploymentBytes = opportunity.MaxUpdateBytes - 8<<10

// PlaybookVersion is one version of the playbook of a namespace.
type PlaybookVersion struct {
	// Number counts the versions from 1.
	Number int `json:"number"`
	// DeployedBy says who deployed the version, in a text that the deployer chose.
	DeployedBy string `json:"by,omitempty"`
	// Digest is the digest of the playbook, as the deployer's program computed it.
	Digest string `json:"digest,omitempty"`
	// Restores is the number of the older version whose text this version restores, or 0.
	Restores int `json:"restores,omitempty"`
	// StoredAt is the time at which the version was stored, and InForceAt is the time from which
	// workers plan with the version. StoredAt and InForceAt are equal when no worker had worked in
	// the namespace before.
	StoredAt  time.Time `json:"storedAt"`
	InForceAt time.Time `json:"inForceAt"`
	Bytes     int       `json:"bytes"`
	// Text is the playbook as the tenant wrote it. TextDropped says that the namespace no longer
	// stores the text.
	Text        string `json:"text,omitempty"`
	TextDropped bool   `json:"dropped,omitempty"`
}

// IsImmediate reports whether the version came into force when it was stored. InForce treats an
// immediate version as in force at every time, even before StoredAt.
func (v PlaybookVersion) IsImmediate() bool { return v.InForceAt.Equal(v.StoredAt) }

// PlaybookVersions are the versions of a namespace's playbook, in the order in which they were
// stored.
type PlaybookVersions []PlaybookVersion

// InForce returns the version that is in force at the time `at`, a time of the Temporal server's
// clock. InForce returns false when no version is in force yet.
func (v PlaybookVersions) InForce(at time.Time) (PlaybookVersion, bool) {
	for _, version := range slices.Backward(v) {
		if version.IsImmediate() || !version.InForceAt.After(at) {
			return version, true
		}
	}
	return PlaybookVersion{}, false
}

// Latest returns the version that was stored last, or false when no version is stored.
func (v PlaybookVersions) Latest() (PlaybookVersion, bool) {
	if len(v) == 0 {
		return PlaybookVersion{}, false
	}
	return v[len(v)-1], true
}

// ByNumber returns the version with the given number.
func (v PlaybookVersions) ByNumber(number int) (PlaybookVersion, bool) {
	at := slices.IndexFunc(v, func(one PlaybookVersion) bool { return one.Number == number })
	if at < 0 {
		return PlaybookVersion{}, false
	}
	return v[at], true
}

// CurrentAndLater returns the versions with which a worker may plan at the time `at` or later.
func (v PlaybookVersions) CurrentAndLater(at time.Time) PlaybookVersions {
	now, some := v.InForce(at)
	if !some {
		return v
	}
	return v[slices.IndexFunc(v, func(one PlaybookVersion) bool { return one.Number == now.Number }):]
}

// WithTexts returns all versions, but only the versions with the given numbers have their texts.
func (v PlaybookVersions) WithTexts(numbers ...int) PlaybookVersions {
	some := slices.Clone(v)
	for n := range some {
		if !slices.Contains(numbers, some[n].Number) {
			some[n].Text = ""
		}
	}
	return some
}

// NamespaceInput is the payload of NamespaceOf.
type NamespaceInput struct {
	// Texts are the numbers of the playbook versions whose texts the query returns.
	Texts []int `json:"texts,omitempty"`
}

// Deployment is the payload of Deploy.
type Deployment struct {
	// Text is the playbook as the tenant wrote it. A playbook with an empty text has no rules.
	Text       string `json:"text"`
	Digest     string `json:"digest,omitempty"`
	DeployedBy string `json:"by,omitempty"`
	// Restores is the number of the older version whose text this deployment restores, or 0.
	Restores int `json:"restores,omitempty"`
	// NumberAbove is a lower limit: the number of the new version is greater than NumberAbove.
	// NumberAbove is for a namespace whose workflow was lost together with the playbook versions.
	NumberAbove int `json:"above,omitempty"`
}

// DeployResult is the response to Deploy.
type DeployResult struct {
	// Version describes the version that has the deployed text, without the text itself.
	Version PlaybookVersion `json:"version"`
	// Unchanged says that the latest version already had the deployed text, so that nothing was
	// stored.
	Unchanged bool `json:"unchanged,omitempty"`
}

// NamespaceJoin is the payload of JoinNamespace.
type NamespaceJoin struct {
	// Playbook is the playbook in the worker's settings, or nil when the settings contain no
	// playbook.
	Playbook *Deployment `json:"own,omitempty"`
}

// CheckDeploy returns the error with which Deploy would reject the deployment at the time `now`.
func (s *NamespaceState) CheckDeploy(d Deployment, now time.Time) error {
	switch {
	case len(d.Text) > MaxPlaybookBytes:
		return opportunity.Invalidf("text: the playbook has %d bytes; the limit is %d bytes", len(d.Text), MaxPlaybookBytes)
	case jsonSize(d) > maxDeploymentBytes:
		return opportunity.Invalidf("text: the message has %d bytes as JSON; the limit is %d bytes", jsonSize(d), maxDeploymentBytes)
	case !utf8.ValidString(d.Text):
		return opportunity.Invalidf("text: the playbook is not valid UTF-8")
	case utf8.RuneCountInString(d.DeployedBy) > opportunity.MaxTextLength:
		return opportunity.Invalidf("by: the text must have at most %d characters", opportunity.MaxTextLength)
	case d.Restores < 0, d.NumberAbove < 0:
		return opportunity.Invalidf("restores, above: each value must be a version number or 0")
	}
	needed := s.Playbooks.CurrentAndLater(now)
	size := jsonSize(d.Text)
	for _, version := range needed {
		size += jsonSize(version.Text)
	}
	if latest, some := s.Playbooks.Latest(); some && (len(needed) >= MaxPlaybookVersions || size > MaxPlaybookTexts) {
		return opportunity.Failf(opportunity.Busy, "%d versions of the playbook are not in force yet; deploy the playbook again after %s",
			len(needed)-1, latest.InForceAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// Deploy stores the playbook as a new version, at the time `now`. The new version comes into force
// when the duration `after` is over. If no worker has worked in the namespace yet, the new version
// comes into force at once. If the latest version already has the text, Deploy stores nothing.
func (s *NamespaceState) Deploy(d Deployment, now time.Time, after time.Duration) (DeployResult, error) {
	if err := s.CheckDeploy(d, now); err != nil {
		return DeployResult{}, err
	}
	latest, some := s.Playbooks.Latest()
	if some && !latest.TextDropped && latest.Text == d.Text && d.NumberAbove < latest.Number {
		return DeployResult{Version: latest.withoutText(), Unchanged: true}, nil
	}
	version := PlaybookVersion{
		Number: max(latest.Number, d.NumberAbove) + 1, DeployedBy: d.DeployedBy, Digest: d.Digest, Restores: d.Restores, StoredAt: now, InForceAt: now.Add(after),
		Bytes: len(d.Text), Text: d.Text,
	}
	if !some && !s.WorkerJoined {
		version.InForceAt = now
	}
	if version.InForceAt.Before(latest.InForceAt) {
		version.InForceAt = latest.InForceAt
	}
	s.Playbooks = append(slices.Clone(s.Playbooks), version)
	s.Playbooks = s.Playbooks[max(0, len(s.Playbooks)-MaxPlaybookVersions):]
	s.dropTexts()
	return DeployResult{Version: version.withoutText()}, nil
}

func (s *NamespaceState) dropTexts() {
	size := 0
	for n, version := range slices.Backward(s.Playbooks) {
		if size += jsonSize(version.Text); size > MaxPlaybookTexts {
			s.Playbooks[n].Text, s.Playbooks[n].TextDropped = "", true
		}
	}
}

// Join deploys the playbook in the worker's settings, if the namespace has no playbook. If the
// settings contain no playbook, Join stores that a worker has started to work.
func (s *NamespaceState) Join(j NamespaceJoin, now time.Time, after time.Duration) error {
	if len(s.Playbooks) > 0 {
		return nil
	}
	if j.Playbook == nil {
		s.WorkerJoined = true
		return nil
	}
	_, err := s.Deploy(*j.Playbook, now, after)
	return err
}

// WithTexts returns the state, in which only the playbook versions with the given numbers have
// their texts.
func (s NamespaceState) WithTexts(numbers ...int) NamespaceState {
	s.Playbooks = s.Playbooks.WithTexts(numbers...)
	return s
}

func (v PlaybookVersion) withoutText() PlaybookVersion {
	v.Text = ""
	return v
}

func jsonSize(value any) int {
	data, err := json.Marshal(value)
	if err != nil {
		return 0 // never happens, because value is plain data
	}
	return len(data)
}
