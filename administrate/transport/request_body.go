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

func deadlinePassed(by time.Time) bool { return !time.Now().Round(0).Before(by) }

// guardedBody is a request body; the HTTP transport reads the document from the guardedBody. The
// first read opens the guardedBody, or fails if the send deadline has passed. Before the first
// read, no transport can send a byte of the document. After a guardedBody is sealed, reads return
// no more bytes. A guardedBody that was sealed before the first read proves that the document was
// never sent. A transport may send the headers of the request before the first read, but the API
// executes nothing without a document.
type guardedBody struct {
	sendDeadline time.Time // zero means no deadline
	onFirstRead  func()    // called at the first read, if not nil

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

// Close seals the body; the transport calls Close when it no longer needs the document.
func (g *guardedBody) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.body.Close()
}

func (g *guardedBody) expireUnopened() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened || g.sealed {
		return false
	}
	g.sealed, g.expired = true, true
	return true
}

func (g *guardedBody) sealForGood() (opened, expired bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.opened, g.expired
}

// countingConn is a connection that counts the bytes that were written to it. The transport may
// read the document into its buffer and only then detect that an idle connection has ended. An
// opened body alone does not show that the document was sent. If no byte of the document was
// written to the connection, the document was provably not sent.
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

// stopWrites makes all further writes to the connection fail. stopWrites returns true if exactly
// mark bytes were written to the connection and no write is in progress.
func (w *countingConn) stopWrites(mark int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writesStopped = true
	return w.written == mark && w.writing == 0
}

// connTracker stores the connection of a request, and how many bytes were written to this
// connection before the guardedBody was opened.
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

func (s *connTracker) recordStart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.writtenAtStart = s.conn.count()
	}
}

// nothingWritten returns true if no byte of the document was written to the connection. After the
// call of nothingWritten, all writes to the connection fail. Call nothingWritten only for a failed
// request whose guardedBody was opened.
func (s *connTracker) nothingWritten() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil && s.conn.stopWrites(s.writtenAtStart)
}

// CountWrites wraps a connection so that the client can count the bytes written to the connection.
// If a caller sets Options.Transport, that transport must wrap its connections with CountWrites.
// Without CountWrites, the client returns an UnknownError for every request that fails after the
// transport began to read the document.
func CountWrites(conn net.Conn) net.Conn { return &countingConn{Conn: conn} }
