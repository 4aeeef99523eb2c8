package administrate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

var (
	errExpired = errors.New("administrate: the send-by time has passed")
	errSealed  = errors.New("administrate: the request is over")
)

// passed reports whether the time has passed, on the wall clock.
func passed(by time.Time) bool { return !time.Now().Round(0).Before(by) }

// gate is the document on its way to the transport. The gate opens at the first read, the
// last moment before any byte of the document can leave, and only within the send-by
// time. A sealed gate returns nothing any more. So a document whose gate was sealed
// unopened never left, whatever the transport, and a document whose gate was opened
// cannot be read twice. The head of the request may have left before: without a document
// there is nothing to execute.
type gate struct {
	by   time.Time // zero: any time
	open func()    // called when the gate opens, if not nil

	mu      sync.Mutex
	body    io.ReadCloser
	opened  bool
	sealed  bool
	expired bool
}

// Read returns the document.
func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.sealed && !g.opened {
		if !g.by.IsZero() && passed(g.by) {
			g.sealed, g.expired = true, true
		} else {
			g.opened = true
			if g.open != nil {
				g.open()
			}
		}
	}
	switch {
	case g.expired:
		return 0, errExpired
	case g.sealed:
		return 0, errSealed
	}
	return g.body.Read(p)
}

// Close is called by transports when they are done with the document.
func (g *gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.body.Close()
}

// expire seals a gate that has not been opened and reports whether it did.
func (g *gate) expire() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened || g.sealed {
		return false
	}
	g.sealed, g.expired = true, true
	return true
}

// seal seals the gate for good and returns its state.
func (g *gate) seal() (opened, expired bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	return g.opened, g.expired
}

// wire is a connection that knows whether it took bytes. The transport reads the document
// into its buffer and may then find the kept connection dead. Only in this case an opened
// gate still means not sent.
type wire struct {
	net.Conn

	mu      sync.Mutex
	taken   int64
	writing int
	cut     bool
}

// Write counts what the connection took.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.cut {
		w.mu.Unlock()
		return 0, errSealed
	}
	w.writing++
	w.mu.Unlock()
	n, err := w.Conn.Write(p)
	w.mu.Lock()
	w.writing--
	w.taken += int64(n)
	w.mu.Unlock()
	return n, err
}

func (w *wire) count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken
}

// sever stops all further writes. It reports whether no byte was taken since count
// returned the mark, and no write is under way.
func (w *wire) sever(mark int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	return w.taken == mark && w.writing == 0
}

// sentOn remembers the connection of a request, and how many bytes that connection had
// taken when the document's gate opened.
type sentOn struct {
	mu   sync.Mutex
	wire *wire
	mark int64
}

func (s *sentOn) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		s.mu.Lock()
		defer s.mu.Unlock()
		conn := info.Conn
		if over, ok := conn.(*tls.Conn); ok {
			if over.ConnectionState().NegotiatedProtocol == "h2" {
				s.wire = nil // shared with other requests
				return
			}
			conn = over.NetConn()
		}
		s.wire, _ = conn.(*wire)
	}}
}

// begin sets the mark.
func (s *sentOn) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire != nil {
		s.mark = s.wire.count()
	}
}

// untouched proves, where possible, that the connection took no byte of the document and
// never will. It is only for failed requests whose gate was opened.
func (s *sentOn) untouched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire != nil && s.wire.sever(s.mark)
}

// newTransport returns the default transport: with HTTP/1.1 a request has its connection
// alone, as the proof needs.
func newTransport() *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &wire{Conn: conn}, nil
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        30 * time.Second, // before servers and balancers close them
		MaxResponseHeaderBytes: 64 << 10,
	}
}
