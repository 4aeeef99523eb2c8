package host

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings"
)

// playbookCache contains the versions of the namespace's playbook that the worker read last. If the
// last read is too old, the worker does not know which version is in force.
type playbookCache struct {
	settings   *settings.Playbook // contains the keys of services
	configured resolvedPlaybook   // the playbook of the worker's settings
	// inForceAfter is the time between the deployment of a version and the moment at which the
	// version is in force.
	inForceAfter time.Duration
	logger       *slog.Logger

	mu            sync.Mutex
	lastRead      time.Time // when the worker sent the last successful read; zero before the first successful read
	readError     error     // the error of the latest read; nil if this read succeeded
	versions      lifecycle.PlaybookVersions
	loaded        map[int]loadedPlaybook
	names         nameProblems
	unknownLogged bool // whether the worker has logged that it does not know the version in force
}

// loadedPlaybook is a version of the playbook, or the reason why this worker cannot use the
// version.
type loadedPlaybook struct {
	tms.VersionedPlaybook
	problem error
}

func newPlaybookCache(s *settings.Playbook, own resolvedPlaybook, logger *slog.Logger) *playbookCache {
	return &playbookCache{settings: s, configured: own, inForceAfter: cmp.Or(s.InForceAfter, lifecycle.PlaybookInForceAfter), logger: logger, loaded: make(map[int]loadedPlaybook)}
}

func (b *playbookCache) readInterval() time.Duration { return b.inForceAfter * 2 / 3 }

// validFor returns how long the result of a read is valid, counted from the time at which the
// worker sent the read. No version that is stored after a read can be in force before the result of
// this read becomes invalid.
func (b *playbookCache) validFor() time.Duration { return b.inForceAfter * 8 / 9 }

type notReadyError struct{ text string }

func (e *notReadyError) Error() string {
	return "the worker plans nothing and sends nothing: " + e.text
}

// Unwrap returns a NotSentError, because the worker has not sent the request.
func (e *notReadyError) Unwrap() error {
	return &administrate.NotSentError{Operation: "Playbook", Reason: administrate.NotReady}
}

// at is a time of the Temporal server's clock if the caller is an activity. An error of versionAt
// is always a notReadyError.
func (b *playbookCache) versionAt(at time.Time) (tms.VersionedPlaybook, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.staleError(); err != nil {
		return tms.VersionedPlaybook{}, err
	}
	version, some := b.versions.InForce(at)
	if !some {
		return tms.VersionedPlaybook{}, nil
	}
	book, known := b.loaded[version.Number]
	switch {
	case !known:
		return tms.VersionedPlaybook{}, &notReadyError{text: fmt.Sprintf("the worker does not have version %d of the playbook", version.Number)}
	case book.problem != nil:
		return tms.VersionedPlaybook{}, &notReadyError{text: fmt.Sprintf("the worker cannot use version %d of the playbook, which is in force: %s", version.Number, book.problem)}
	}
	if b.names.version == version.Number {
		book.NameProblems = b.names.texts
	}
	return book.VersionedPlaybook, nil
}

func (b *playbookCache) staleError() error {
	if b.lastRead.IsZero() {
		return &notReadyError{text: "the worker has not yet read the playbook of the namespace"}
	}
	// After a suspension of the machine, the monotonic clock or the wall clock may show an age that
	// is too short. The longer of the two ages is the real age of the last read.
	now := time.Now()
	age := max(now.Sub(b.lastRead), now.Round(0).Sub(b.lastRead.Round(0)))
	if age <= b.validFor() {
		return nil
	}
	text := fmt.Sprintf("the worker last read the namespace %s ago, so another version of the playbook may be in force", age.Round(time.Second))
	if b.readError != nil {
		text += ": " + Reason(b.readError)
	}
	return &notReadyError{text: text}
}

func isTextMissing(version lifecycle.PlaybookVersion) bool {
	return version.Text == "" && version.Bytes > 0
}

func (b *playbookCache) missingTexts(versions lifecycle.PlaybookVersions) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lacking []int
	for _, version := range neededVersions(versions) {
		if _, known := b.loaded[version.Number]; !known && isTextMissing(version) {
			lacking = append(lacking, version.Number)
		}
	}
	return lacking
}

// neededVersions returns the version that was in force when the latest version was stored, and all
// later versions.
func neededVersions(versions lifecycle.PlaybookVersions) lifecycle.PlaybookVersions {
	latest, some := versions.Latest()
	if !some {
		return nil
	}
	return versions.CurrentAndLater(latest.StoredAt)
}

// store stores the versions from a read; sent is the time at which the worker sent the read. store
// returns an error if the namespace has lost versions that the worker read earlier.
func (b *playbookCache) store(sent time.Time, versions lifecycle.PlaybookVersions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest, _ := versions.Latest()
	if known, _ := b.versions.Latest(); latest.Number < known.Number {
		return fmt.Errorf("the latest version of the playbook in the namespace is %d, but the worker has already read the higher version %d; deploy the playbook with oppflow playbook deploy FILE --above %d, and restart the workers",
			latest.Number, known.Number, known.Number)
	}
	loaded := make(map[int]loadedPlaybook)
	for _, version := range neededVersions(versions) {
		book, known := b.loaded[version.Number]
		switch {
		case known:
		case isTextMissing(version):
			continue // without this case, the worker would use an empty text as a playbook without rules
		default:
			book = b.load(version)
		}
		loaded[version.Number] = book
	}
	b.loaded, b.versions = loaded, versions.WithTexts()
	b.lastRead, b.readError = sent, nil
	return nil
}

func (b *playbookCache) load(version lifecycle.PlaybookVersion) loadedPlaybook {
	loaded, err := loadWithKeys([]byte(version.Text), b.settings)
	if err != nil {
		b.logger.Error("the worker cannot use a version of the playbook; as soon as this version is in force, the worker plans nothing and sends nothing",
			"version", version.Number, "by", version.DeployedBy, "inForceAt", version.InForceAt, "problem", err.Error())
		return loadedPlaybook{problem: err}
	}
	b.logger.Info("the worker has read a version of the playbook", "version", version.Number, "by", version.DeployedBy,
		"digest", loaded.playbook.Digest(), "inForceAt", version.InForceAt)
	if latest := loaded.playbook.Digest(); b.configured.given && b.configured.playbook.Digest() != latest {
		b.logger.Warn("the worker does not use the playbook of its settings, because the namespace has another playbook; to replace the playbook of the namespace, run oppflow playbook deploy",
			"settings", b.settings.File, "digest", b.configured.playbook.Digest(), "version", version.Number, "digestOfVersion", latest)
	}
	return loadedPlaybook{VersionedPlaybook: tms.VersionedPlaybook{Version: version.Number, Playbook: loaded.playbook, ServiceKeys: loaded.keys}}
}

func (b *playbookCache) recordFailure(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readError = err
}

// logState logs once that the worker does not know the version in force, and once that the worker
// knows the version again.
func (b *playbookCache) logState() {
	_, err := b.versionAt(time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil && !b.unknownLogged:
		b.logger.Error("the worker plans nothing and sends nothing", "problem", err.Error())
	case err == nil && b.unknownLogged:
		b.logger.Info("the worker knows again which version of the playbook is in force, and plans and sends changes again")
	}
	b.unknownLogged = err != nil
}

// untilInForce returns 0 if a version is already in force, or if the namespace has no version.
func (b *playbookCache) untilInForce() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.versions) == 0 || b.versions[0].IsImmediate() || b.versions[0].Number > 1 {
		return 0
	}
	// The first version was stored before the worker's last read. So the first version is in force
	// as soon as the time from StoredAt to InForceAt has passed since the last read, even if the
	// clocks of the worker and of the server differ.
	first := b.versions[0]
	return max(0, first.InForceAt.Sub(first.StoredAt)-time.Since(b.lastRead))
}

// deployment returns the worker's own playbook, which the worker deploys in a namespace without a
// playbook, or nil if the worker has no playbook.
func (b *playbookCache) deployment() *lifecycle.Deployment {
	if !b.configured.given {
		return nil
	}
	machine, _ := os.Hostname()
	return &lifecycle.Deployment{Text: string(b.configured.text), Digest: b.configured.playbook.Digest(), DeployedBy: strings.TrimSpace("worker " + machine)}
}

func loadWithKeys(text []byte, s *settings.Playbook) (resolvedPlaybook, error) {
	loaded, err := playbook.Load(text)
	if err != nil {
		return resolvedPlaybook{}, err
	}
	out := resolvedPlaybook{given: true, text: text, playbook: loaded, keys: make(map[string]service.Key)}
	var unread error
	lacking := loaded.MissingSecrets(func(name string) bool {
		key, err := s.Key(name)
		unread = errors.Join(unread, err)
		if !key.Empty() {
			out.keys[name] = service.NewKey(key.Reveal())
		}
		return err != nil || !key.Empty()
	})
	switch {
	case unread != nil:
		return resolvedPlaybook{}, unread
	case len(lacking) > 0:
		return resolvedPlaybook{}, fmt.Errorf("%w; give the key with --service-key NAME=FILE or in OPPFLOW_SERVICE_KEYS_DIR", lacking)
	}
	return out, nil
}

func unknownEffectKinds(s settings.Playbook) []opportunity.EffectKind {
	var kinds []opportunity.EffectKind
	for _, kind := range s.WithoutEffects {
		kinds = append(kinds, opportunity.EffectKind(kind))
	}
	return kinds
}
