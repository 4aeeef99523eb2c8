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
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings"
)

// books are the versions of the namespace's playbook, from the worker's last read. A
// worker whose last read is too old does not know which version is in force.
type books struct {
	settings *settings.Playbook // has the keys of services
	own      following          // the playbook of the worker's settings
	// after is how long after storing a version comes into force.
	after  time.Duration
	logger *slog.Logger

	mu       sync.Mutex
	read     time.Time // when the last successful read was sent; zero before
	failure  error     // of the read after it; nil while reads succeed
	versions lifecycle.PlaybookVersions
	loaded   map[int]loadedBook
	told     bool // whether the log says that the version in force is unknown
}

// loadedBook is a version of the playbook, or the reason why this worker cannot work by
// it.
type loadedBook struct {
	tms.Book
	problem error
}

func newBooks(s *settings.Playbook, own following, logger *slog.Logger) *books {
	return &books{settings: s, own: own, after: cmp.Or(s.InForceAfter, lifecycle.PlaybookInForceAfter), logger: logger, loaded: make(map[int]loadedBook)}
}

// every returns how often the versions are read.
func (b *books) every() time.Duration { return b.after * 2 / 3 }

// validFor returns how long a read counts, from when it was sent. This ends before a
// version that was stored just after the read comes into force.
func (b *books) validFor() time.Duration { return b.after * 8 / 9 }

// unreadyError says why a worker plans and sends nothing for now.
type unreadyError struct{ text string }

func (e *unreadyError) Error() string { return "the worker plans and sends nothing: " + e.text }

// Unwrap returns the cause as a request that was not sent.
func (e *unreadyError) Unwrap() error {
	return &administrate.NotSentError{Operation: "Playbook", Reason: administrate.Unready}
}

// at returns the version that is in force at the time of the Temporal server's clock. Its
// error is an unreadyError.
func (b *books) at(at time.Time) (tms.Book, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.stale(); err != nil {
		return tms.Book{}, err
	}
	version, some := b.versions.InForce(at)
	if !some {
		return tms.Book{}, nil
	}
	book, known := b.loaded[version.Number]
	switch {
	case !known:
		return tms.Book{}, &unreadyError{text: fmt.Sprintf("it does not have version %d of the playbook", version.Number)}
	case book.problem != nil:
		return tms.Book{}, &unreadyError{text: fmt.Sprintf("it cannot work by version %d of the playbook, which is in force: %s", version.Number, book.problem)}
	}
	return book.Book, nil
}

// stale returns why the last read does not count any more; nil when it counts.
func (b *books) stale() error {
	if b.read.IsZero() {
		return &unreadyError{text: "it has not read the namespace yet"}
	}
	// After a suspension of the machine, one of its two clocks shows the real age.
	now := time.Now()
	age := max(now.Sub(b.read), now.Round(0).Sub(b.read.Round(0)))
	if age <= b.validFor() {
		return nil
	}
	text := fmt.Sprintf("it has not read the namespace for %s, so that another version of the playbook may be in force", age.Round(time.Second))
	if b.failure != nil {
		text += ": " + Reason(b.failure)
	}
	return &unreadyError{text: text}
}

// lacks returns the numbers of the versions whose texts must be read.
func (b *books) lacks(versions lifecycle.PlaybookVersions) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lacking []int
	for _, version := range needed(versions) {
		if _, known := b.loaded[version.Number]; !known && version.Text == "" && version.Bytes > 0 {
			lacking = append(lacking, version.Number)
		}
	}
	return lacking
}

// needed returns the versions that may be in force now or later. They are the version in
// force when the latest version was stored, and all later ones.
func needed(versions lifecycle.PlaybookVersions) lifecycle.PlaybookVersions {
	latest, some := versions.Latest()
	if !some {
		return nil
	}
	return versions.Needed(latest.StoredAt)
}

// take stores the versions from a read that was sent at the time. Its error says that
// versions from an earlier read are missing.
func (b *books) take(sent time.Time, versions lifecycle.PlaybookVersions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest, _ := versions.Latest()
	if known, _ := b.versions.Latest(); latest.Number < known.Number {
		return fmt.Errorf("the namespace has versions of the playbook up to %d, and version %d was read before; deploy it with oppflow playbook deploy FILE --above %d, and start the workers again",
			latest.Number, known.Number, known.Number)
	}
	loaded := make(map[int]loadedBook)
	for _, version := range needed(versions) {
		book, known := b.loaded[version.Number]
		if !known {
			book = b.load(version)
		}
		loaded[version.Number] = book
	}
	b.loaded, b.versions = loaded, versions.WithTexts()
	b.read, b.failure = sent, nil
	return nil
}

// load loads the version, and logs it.
func (b *books) load(version lifecycle.PlaybookVersion) loadedBook {
	loaded, err := follow([]byte(version.Text), b.settings)
	if err != nil {
		b.logger.Error("the worker cannot work by a version of the playbook: it plans and sends nothing once that is in force",
			"version", version.Number, "by", version.By, "inForceAt", version.InForceAt, "problem", err.Error())
		return loadedBook{problem: err}
	}
	b.logger.Info("a version of the playbook was read", "version", version.Number, "by", version.By,
		"digest", loaded.playbook.Digest(), "inForceAt", version.InForceAt)
	if latest := loaded.playbook.Digest(); b.own.given && b.own.playbook.Digest() != latest {
		b.logger.Warn("the playbook of the worker's settings does not count: the namespace has another one; deploy it with oppflow playbook deploy",
			"settings", b.settings.File, "digest", b.own.playbook.Digest(), "version", version.Number, "digestOfVersion", latest)
	}
	return loadedBook{Book: tms.Book{Version: version.Number, Playbook: loaded.playbook, Keys: loaded.keys}}
}

// failed records that a read failed.
func (b *books) failed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failure = err
}

// tell logs once that the worker does not know the version in force, and once that it
// knows the version again.
func (b *books) tell() {
	_, err := b.at(time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil && !b.told:
		b.logger.Error("the worker plans and sends nothing", "problem", err.Error())
	case err == nil && b.told:
		b.logger.Info("the worker plans and sends again")
	}
	b.told = err != nil
}

// untilInForce returns how long to wait until the first version is in force. It returns 0
// where one is in force already, or none will come.
func (b *books) untilInForce() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.versions) == 0 || b.versions[0].AtOnce() || b.versions[0].Number > 1 {
		return 0
	}
	// The version was stored before the read, so it is in force after this time, whatever
	// the clock says.
	first := b.versions[0]
	return max(0, first.InForceAt.Sub(first.StoredAt)-time.Since(b.read))
}

// deployment returns the worker's own playbook for a namespace without one; nil when the
// worker has none.
func (b *books) deployment() *lifecycle.Deployment {
	if !b.own.given {
		return nil
	}
	machine, _ := os.Hostname()
	return &lifecycle.Deployment{Text: string(b.own.text), Digest: b.own.playbook.Digest(), By: strings.TrimSpace("worker " + machine)}
}

// follow loads the text of a playbook, and reads the keys it needs.
func follow(text []byte, s *settings.Playbook) (following, error) {
	loaded, err := playbook.Load(text)
	if err != nil {
		return following{}, err
	}
	out := following{given: true, text: text, playbook: loaded, keys: make(map[string]tms.ServiceKey)}
	var unread error
	lacking := loaded.Lacks(func(name string) bool {
		key, err := s.Key(name)
		unread = errors.Join(unread, err)
		if !key.Empty() {
			out.keys[name] = tms.NewServiceKey(key.Reveal())
		}
		return err != nil || !key.Empty()
	})
	switch {
	case unread != nil:
		return following{}, unread
	case len(lacking) > 0:
		return following{}, fmt.Errorf("%w; give it with --service-key NAME=FILE or in OPPFLOW_SERVICE_KEYS_DIR", lacking)
	}
	return out, nil
}

// withoutEffects are the kinds of effects that the settings have the worker not know.
func withoutEffects(s settings.Playbook) []opportunity.EffectKind {
	var kinds []opportunity.EffectKind
	for _, kind := range s.WithoutEffects {
		kinds = append(kinds, opportunity.EffectKind(kind))
	}
	return kinds
}
