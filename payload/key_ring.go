package payload

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// ReadInterval is the time between two reads of the keys in KeyRing.Watch.
	ReadInterval  = 10 * time.Second
	minReadPause  = time.Second
	sourceTimeout = 5 * time.Second
)

// KeyRing contains the keys that were last read from a Source. A KeyRing reads its Source again
// when a payload has an unknown key id, and every ReadInterval while Watch runs. A KeyRing is safe
// for concurrent use.
type KeyRing struct {
	source Source
	logger *slog.Logger
	keys   atomic.Pointer[KeySet]
	now    func() time.Time

	mu       sync.Mutex
	lastRead time.Time
	failing  string // the text of the last read's error; "" after a successful read
}

// OpenKeyRing reads the keys of the source. A nil logger logs nothing.
func OpenKeyRing(ctx context.Context, source Source, logger *slog.Logger) (*KeyRing, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	r := &KeyRing{source: source, logger: logger, now: time.Now}
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	keys, err := source.ReadKeys(ctx)
	if err != nil {
		return nil, err
	}
	r.keys.Store(keys)
	return r, nil
}

// Keys returns the keys that were last read.
func (r *KeyRing) Keys() *KeySet { return r.keys.Load() }

// Source returns the Source of the keys.
func (r *KeyRing) Source() Source { return r.source }

// Read reads the keys of the source again. If the read fails, the former keys stay in use, and Read
// logs the error once.
func (r *KeyRing) Read(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read(ctx)
}

func (r *KeyRing) read(ctx context.Context) error {
	r.lastRead = r.now()
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	keys, err := r.source.ReadKeys(ctx)
	if err != nil {
		if r.failing != err.Error() {
			r.failing = err.Error()
			r.logger.ErrorContext(ctx, "the encryption keys cannot be read again; the former keys stay in use", "error", err)
		}
		return err
	}
	r.failing = ""
	former := r.keys.Swap(keys)
	if former.Primary() != keys.Primary() || !slices.Equal(former.IDs(), keys.IDs()) {
		r.logger.InfoContext(ctx, "the encryption keys have changed", "primary", keys.Primary(), "keys", keys.IDs())
	}
	return nil
}

// Watch reads the keys of the source every ReadInterval until ctx ends. Watch calls changed (if not
// nil) after each change of the primary key.
func (r *KeyRing) Watch(ctx context.Context, changed func(*KeySet)) {
	ticker := time.NewTicker(ReadInterval)
	defer ticker.Stop()
	primary := r.Keys().Primary()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		_ = r.Read(ctx) // Read has logged the error
		if keys := r.Keys(); changed != nil && keys.Primary() != primary {
			primary = keys.Primary()
			changed(keys)
		}
	}
}

// Has reports whether the source has a key with this id. If the KeyRing does not have the key, Has
// reads the source again, at most once a second.
func (r *KeyRing) Has(ctx context.Context, id KeyID) bool { return r.withKey(ctx, id).has(id) }

func (r *KeyRing) withKey(ctx context.Context, id KeyID) *KeySet {
	if keys := r.Keys(); keys.has(id) {
		return keys
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if keys := r.Keys(); keys.has(id) || r.now().Sub(r.lastRead) < minReadPause {
		return keys
	}
	_ = r.read(ctx) // read has logged the error
	return r.Keys()
}
