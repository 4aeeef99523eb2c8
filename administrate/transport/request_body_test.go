package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestStoppedWrites: after stopWrites has returned true, every write to the connection fails.
// stopWrites returns false while a write is in progress.
func TestStoppedWrites(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer func() { _ = errors.Join(here.Close(), there.Close()) }()
	w := &countingConn{Conn: here}
	if !w.stopWrites(0) {
		t.Fatal("a fresh connection has taken something")
	}
	if n, err := w.Write([]byte("late")); n != 0 || !errors.Is(err, errSealed) {
		t.Errorf("took %d bytes after it was severed, %v", n, err)
	}

	w = &countingConn{Conn: here}
	written := make(chan error, 1)
	go func() {
		_, err := w.Write([]byte("under way")) // the write blocks as long as the other end does not read
		written <- err
	}()
	if _, err := io.ReadFull(there, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if w.stopWrites(0) {
		t.Error("severed as untouched while a write was under way")
	}
	if _, err := io.ReadFull(there, make([]byte, len("nder way"))); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// TestGuardedBodyKeepsTheDeadline: the first read of a guardedBody checks the send deadline. This
// check needs no timer, so the check also works if the process was stopped and continued.
func TestGuardedBodyKeepsTheDeadline(t *testing.T) {
	t.Parallel()
	g := &guardedBody{body: io.NopCloser(strings.NewReader("document")), sendDeadline: time.Now().Add(-time.Nanosecond)}
	if n, err := g.Read(make([]byte, 10)); n != 0 || !errors.Is(err, errSendDeadlinePassed) {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if opened, expired := g.sealForGood(); opened || !expired {
		t.Errorf("opened %v, expired %v", opened, expired)
	}
	g = &guardedBody{body: io.NopCloser(strings.NewReader("document")), sendDeadline: time.Now().Add(time.Hour)}
	if n, err := g.Read(make([]byte, 3)); n != 3 || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	g.sendDeadline = time.Now().Add(-time.Hour)
	if rest, err := io.ReadAll(g); string(rest) != "ument" || err != nil {
		t.Errorf("a document once begun is not ended: %q, %v", rest, err)
	}
}

func TestTheEarlierSendDeadlineCounts(t *testing.T) {
	t.Parallel()
	early, late := time.Now(), time.Now().Add(time.Hour)
	for _, ctx := range []context.Context{
		WithSendDeadline(WithSendDeadline(t.Context(), early), late),
		WithSendDeadline(WithSendDeadline(t.Context(), late), early),
	} {
		if by, ok := SendDeadline(ctx); !ok || !by.Equal(early) {
			t.Errorf("send by %v, want %v", by, early)
		}
	}
}
