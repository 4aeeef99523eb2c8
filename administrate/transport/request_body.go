package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"time"
)

var (
	errSendDeadlinePassed = errors.New("administrate: the send deadline of the request has passed")
	errSealed             = errors.New("administrate: the request has ended; no more bytes of the request are sent")
)

// deadlinePassed reports whether the time has passed, on the wall clock.
func deadlinePassed(by time.Time) bool { return !time.Now().Round(0).Before(by) }

// guardedBody is the request body from which the transport reads the document. guardedBody opens at
// the first read, if the send deadline has not passed. Before the first read, no transport can send
// a byte of the document. A sealed body returns no bytes, so a document whose body was sealed
// unopened was never sent. A document whose body was opened cannot be read twice. The transport may
// send the head of the request before the first read, but the API executes nothing without a
// document.
type guardedBody struct {
	sendDeadline time.Time // zero: no deadline
	onFirstRead  func()    // called when the body opens, if not nil

	mu      sync.Mutex
	body    io.ReadCloser
	opened  bool
	sealed  bool
	expired bool
}

func (g *guardedBody) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.sealed && !g.opened {
		if !g.sendDeadline.IsZero() && deadlinePassed(g.sendDeadline) {
			g.sealed, g.expired = true, true
		} else {
			g.opened = true
			if g.onFirstRead != nil {
				g.onFirstRead()
			}
		}
	}
	switch {
	case g.expired:
		return 0, errSendDeadlinePassed
	case g.sealed:
		return 0, errSealed
	}
	return g.body.Read(p)
}

// Close is called by a transport that is done with the document.
func (g *guardedBody) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.body.Close()
}

// expireUnopened seals a body that has not been opened, and reports whether it sealed the body.
func (g *guardedBody) expireUnopened() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened || g.sealed {
		return false
	}
	g.sealed, g.expired = true, true
	return true
}

// sealForGood seals the body for good, and returns whether the body was opened and whether it
// expired.
func (g *guardedBody) sealForGood() (opened, expired bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.opened, g.expired
}

// countingConn is a connection that counts the bytes that it took. The transport reads the document
// into its buffer and may then find that the kept connection has ended. A request whose body was
// opened counts as not sent only if the connection took no byte of the document.
type countingConn struct {
	net.Conn

	mu            sync.Mutex
	written       int64
	writing       int
	writesStopped bool
}

func (w *countingConn) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.writesStopped {
		w.mu.Unlock()
		return 0, errSealed
	}
	w.writing++
	w.mu.Unlock()
	n, err := w.Conn.Write(p)
	w.mu.Lock()
	w.writing--
	w.written += int64(n)
	w.mu.Unlock()
	return n, err
}

func (w *countingConn) count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written
}

// stopWrites stops all further writes. stopWrites returns true if the connection has taken exactly
// mark bytes and no write is under way.
func (w *countingConn) stopWrites(mark int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writesStopped = true
	return w.written == mark && w.writing == 0
}

// connTracker remembers the connection of a request, and how many bytes that connection had
// taken when the guarded body opened.
type connTracker struct {
	mu             sync.Mutex
	conn           *countingConn
	writtenAtStart int64
}

func (s *connTracker) clientTrace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		s.mu.Lock()
		defer s.mu.Unlock()
		conn := info.Conn
		if over, ok := conn.(*tls.Conn); ok {
			if over.ConnectionState().NegotiatedProtocol == "h2" {
				s.conn = nil // HTTP/2 shares the connection with other requests
				return
			}
			conn = over.NetConn()
		}
		s.conn, _ = conn.(*countingConn)
	}}
}

// recordStart stores how many bytes the connection took before the document.
func (s *connTracker) recordStart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.writtenAtStart = s.conn.count()
	}
}

// nothingWritten proves, where possible, that the connection took no byte of the document and never
// will. Call it only for a failed request whose guarded body was opened.
func (s *connTracker) nothingWritten() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil && s.conn.stopWrites(s.writtenAtStart)
}

// CountWrites returns the connection with a count of the bytes that it took. A caller's own
// transport must use these connections. Without these counting connections, the outcome of a failed
// request with an opened document is always unknown.
func CountWrites(conn net.Conn) net.Conn { return &countingConn{Conn: conn} }
