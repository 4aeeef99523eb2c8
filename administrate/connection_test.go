package administrate

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/transport"
)

func TestNoConnection(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	unnamed := http1.NewTransport(nil)
	unnamed.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "tms.invalid", IsNotFound: true}}
	}
	for _, test := range []struct {
		name, url string
		transport http.RoundTripper
		shown     string
	}{
		{"refused", "http://127.0.0.1:1", nil, "connection refused"},
		{"no such host", "http://tms.invalid", unnamed, "no such host"},
		{"no TLS at the port", "https://" + plain.Listener.Addr().String(), nil, ""},
		{"a certificate of nobody", secure.URL, nil, "certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := addInterest(t.Context(), client(t, test.url, func(o *Options) { o.Transport = test.transport }))
			if got := outcomeOf(t, err); got != "not sent: unreachable" || !strings.Contains(err.Error(), test.shown) {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
}

// rawServer starts a server that passes each accepted connection to the function serve, one after
// another.
func rawServer(t *testing.T, serve func(i int, conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	ended := t.Context()
	wait.Go(func() {
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer context.AfterFunc(ended, func() { _ = conn.Close() })()
				serve(i, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wait.Wait()
	})
	return "http://" + listener.Addr().String()
}

// TestDroppedConnection checks a connection that ends after the client may have sent a byte of the
// document. The status of the request is unknown, and the client does not send the request again.
func TestDroppedConnection(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"after the first byte of the document": func(conn net.Conn) {
			r, _ := http.ReadRequest(bufio.NewReaderSize(conn, 16))
			_, _ = io.ReadFull(r.Body, make([]byte, 1))
		},
		"within the status line": func(conn net.Conn) {
			r, _ := http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, "HTTP/1.1 200")
		},
		"within the answer": func(conn net.Conn) {
			r, _ := http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+successBody)
		},
		"after no HTTP": func(conn net.Conn) {
			r, _ := http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, secretName+" "+secretToken+"\r\n\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var times atomic.Int32
			url := rawServer(t, func(_ int, conn net.Conn) {
				times.Add(1)
				serve(conn)
				_ = conn.Close()
			})
			err := addInterest(t.Context(), client(t, url, nil))
			if got := outcomeOf(t, err); got != "unknown" {
				t.Errorf("%s: %v", got, err)
			}
			if times.Load() != 1 {
				t.Errorf("%d connections, want 1", times.Load())
			}
		})
	}
}

// TestKeptConnectionDies: the server closes an idle connection while the client sends the next
// request on this connection. When a kept connection closes, Go's transport repeats some requests,
// but must not repeat a mutation.
func TestKeptConnectionDies(t *testing.T) {
	var documents, connections atomic.Int32
	url := rawServer(t, func(i int, conn net.Conn) {
		connections.Add(1)
		defer func() { _ = conn.Close() }()
		in := bufio.NewReader(conn)
		for n := 0; ; n++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			documents.Add(1)
			if i == 0 && n == 1 {
				return
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(successBody), successBody)
		}
	})
	c := client(t, url, nil)
	if err := addInterest(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := outcomeOf(t, addInterest(t.Context(), c)); got != "unknown" {
		t.Errorf("the request on the dying connection: %s", got)
	}
	if documents.Load() != 2 || connections.Load() != 1 {
		t.Errorf("%d documents on %d connections, want 2 on 1", documents.Load(), connections.Load())
	}
	if err := addInterest(t.Context(), c); err != nil {
		t.Errorf("the next request: %v", err)
	}
}

// failingConn is a connection whose writes fail after some successful writes, like an idle
// connection that the other end has reset. The first write that fails still sends some bytes.
type failingConn struct {
	net.Conn
	from   atomic.Int32 // the number of successful writes; negative if no write fails
	before int          // the number of bytes that the failing write still sends
}

func (f *failingConn) Write(p []byte) (int, error) {
	if f.from.Add(-1) != -1 {
		return f.Conn.Write(p)
	}
	f.from.Store(0)
	n, _ := f.Conn.Write(p[:min(len(p), f.before)])
	return n, &net.OpError{Op: "write", Net: "tcp", Err: errors.New("connection reset by peer")}
}

// TestFailedWrites: the client reports a request as not sent only if the connection sent no byte of
// the document. The transport writes the HTTP head first and then the document.
func TestFailedWrites(t *testing.T) {
	for _, test := range []struct {
		name   string
		from   int32
		before int
		want   string
	}{
		{"nothing written", 0, 0, "not sent: unreachable"},
		{"a part of the head written", 0, 10, "not sent: unreachable"},
		{"the head written and nothing of the document", 1, 0, "not sent: unreachable"},
		{"a part of the document written", 1, 1, "unknown"},
	} {
		for _, secure := range []bool{false, true} {
			if secure && test.before == 1 {
				// The server cannot read a TLS record that is incomplete. The outcome of the
				// request is nevertheless unknown, because the connection sent some bytes of the
				// document.
				test.name += " of its record"
			}
			t.Run(fmt.Sprintf("%s, TLS %v", test.name, secure), func(t *testing.T) {
				var documents atomic.Int32
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 {
						documents.Add(1)
						_, _ = io.WriteString(w, successBody)
					}
				}))
				var made []*failingConn
				httpTransport := http1.NewTransport(func(conn net.Conn) net.Conn {
					f := &failingConn{Conn: conn, before: test.before}
					f.from.Store(-1)
					made = append(made, f)
					return transport.CountWrites(f)
				})
				if secure {
					server.EnableHTTP2 = true // the server offers HTTP/2, and the client does not use it
					server.StartTLS()
					httpTransport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
					httpTransport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
				} else {
					server.Start()
				}
				defer server.Close()
				c := client(t, server.URL, func(o *Options) { o.Transport = httpTransport })
				if err := addInterest(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				made[0].from.Store(test.from)
				if err := addInterest(t.Context(), c); outcomeOf(t, err) != test.want {
					t.Errorf("on the failing connection: %v, want %s", err, test.want)
				}
				if err := addInterest(t.Context(), c); err != nil {
					t.Errorf("on the next one: %v", err)
				}
				if len(made) != 2 || documents.Load() != 2 {
					t.Errorf("%d connections, %d documents arrived, want 2 and 2", len(made), documents.Load())
				}
			})
		}
	}
}

// rereadingTransport is a transport that reads the document several times and fails, like a
// transport that repeats requests.
type rereadingTransport struct{ read []int }

func (g *rereadingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	for range 2 {
		body := r.Body
		if r.GetBody != nil {
			body, _ = r.GetBody()
		}
		text, _ := io.ReadAll(body)
		g.read = append(g.read, len(text))
	}
	return nil, errors.New(secretName)
}

// TestForeignTransport: if a transport does not use CountWrites, only the client's guarded request
// body can prove that nothing was sent.
func TestForeignTransport(t *testing.T) {
	g := &rereadingTransport{}
	c := client(t, "http://127.0.0.1/", func(o *Options) { o.Transport = g })
	if got := outcomeOf(t, addInterest(t.Context(), c)); got != "unknown" {
		t.Errorf("read and failed: %s", got)
	}
	if len(g.read) != 2 || g.read[0] == 0 || g.read[1] != 0 {
		t.Errorf("the document was read twice: %v", g.read)
	}

	c = client(t, "http://127.0.0.1/", func(o *Options) {
		o.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New(secretName) })
	})
	if got := outcomeOf(t, addInterest(t.Context(), c)); got != "not sent: unreachable" {
		t.Errorf("never read: %s", got)
	}

	// If a transport continues after its failure, the transport cannot read the document, because
	// the client has closed the body.
	late := make(chan int, 1)
	fail := make(chan struct{})
	c = client(t, "http://127.0.0.1/", func(o *Options) {
		o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			go func() {
				<-fail
				text, _ := io.ReadAll(r.Body)
				late <- len(text)
			}()
			return nil, errors.New("failed")
		})
	})
	if got := outcomeOf(t, addInterest(t.Context(), c)); got != "not sent: unreachable" {
		t.Errorf("not read yet: %s", got)
	}
	close(fail)
	if n := <-late; n != 0 {
		t.Errorf("%d bytes were handed out after the request was called not sent", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
