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
	errSendDeadlinePassed = errors.New("administrate: the send-by time has passed")
	errSealed             = errors.New("administrate: the request is over")
)

// deadlinePassed reports whether the time has passed, on the wall clock.
func deadlinePassed(by time.Time) bool { return !time.Now().Round(0).Before(by) }

// guardedBody is the request body from which the transport reads the document. It opens at the
// first read, which is the last moment before any byte of the document can be sent, and only
// before the send deadline. A sealed body returns nothing more. So a document whose body was
// sealed unopened was never sent, whatever the transport. A document whose body was opened
// cannot be read twice. The head of the request may have been sent before: without a document
// there is nothing to execute.
type guardedBody struct {
	sendDeadline time.Time // zero: no deadline
	onFirstRead  func()    // called when the body opens, if not nil

	mu      sync.Mutex
	body    io.ReadCloser
	opened  bool
	sealed  bool
	expired bool
}

// Read returns the document.
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

// Close is called by transports when they are done with the document.
func (g *guardedBody) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.body.Close()
}

// expireUnopened seals a body that has not been opened and reports whether it did.
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

// countingConn is a connection that counts the bytes that it took. The transport reads the
// document into its buffer and may then find that the kept connection has ended. Only in this
// case a request whose body was opened counts as not sent.
type countingConn struct {
	net.Conn

	mu            sync.Mutex
	written       int64
	writing       int
	writesStopped bool
}

// Write counts the bytes that the connection took.
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

// stopWrites stops all further writes. It reports whether the connection took no byte after the
// count in mark, and no write is under way.
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
				s.conn = nil // shared with other requests
				return
			}
			conn = over.NetConn()
		}
		s.conn, _ = conn.(*countingConn)
	}}
}

// recordStart sets writtenAtStart.
func (s *connTracker) recordStart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.writtenAtStart = s.conn.count()
	}
}

// nothingWritten proves, where possible, that the connection took no byte of the document and
// never will. It is only for failed requests whose guarded body was opened.
func (s *connTracker) nothingWritten() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil && s.conn.stopWrites(s.writtenAtStart)
}

// CountWrites returns the connection with a count of the bytes that it took. A transport of
// the caller's own needs such connections for the proof that an opened document was not sent.
func CountWrites(conn net.Conn) net.Conn { return &countingConn{Conn: conn} }
