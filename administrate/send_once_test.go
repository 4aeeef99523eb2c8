package administrate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
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
	"time"

	"github.com/oppflow/oppflow/administrate/http1"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

const (
	secretToken = "tok-3f9a77d1c0"
	secretName  = "Melissandre"
)

// client returns a client for an address; change alters its options.
func client(t *testing.T, url string, change func(*Options)) *Client {
	t.Helper()
	o := Options{Options: transport.Options{URL: url, Tokens: oauth.StaticToken(secretToken)}}
	if observe != nil {
		o.WrapTransport = observe(t)
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// addInterest is the mutation of these tests: it sends values that no text may show.
func addInterest(ctx context.Context, c *Client) error {
	_, err := c.AddInterest(ctx, AddInterest{
		OpportunityID: "o", ItemID: "i", Kind: Course, Quantity: 1,
		NewLearners: []Learner{{FirstName: secretName, LastName: "Green", Email: secretName + "@example.com"}},
	})
	return err
}

// outcomeOf returns an error of this package as one word, and fails on an error that shows a
// secret.
func outcomeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "done"
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %s", err, err, err)} {
		if strings.Contains(text, secretName) || strings.Contains(text, secretToken) {
			t.Errorf("an error shows what is secret: %s", text)
		}
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		if strings.Contains(inner.Error(), secretName) || strings.Contains(inner.Error(), secretToken) {
			t.Errorf("a cause shows what is secret: %v", inner)
		}
	}
	var (
		notSent  *NotSentError
		unknown  *UnknownError
		rejected *RejectedError
		refused  *RefusedError
		invalid  *InvalidError
	)
	switch {
	case errors.As(err, &notSent):
		return "not sent: " + string(notSent.Reason)
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &rejected):
		return "rejected"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &invalid):
		return "invalid"
	}
	t.Errorf("error of no known type: %T %v", err, err)
	return "?"
}

const successBody = `{"data":{"m0":{"opportunities":null,"addInterest":{"errors":[],"interests":[{"id":"1"}]}}}}`

// TestAnswers is the table of a server's possible answers and the outcome after each. DOC (1,
// 2): 401, 429 and 500. DOC (3.5): an empty list of errors at the top is no error. OBS (3.5): a
// non-empty list in the payload is a rejection, with any status. Missing or null errors are no
// errors, and a missing result is not a success.
func TestAnswers(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	// echo returns an answer with all that the client sent, token included.
	echo := func(status int, form string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			quoted, _ := json.Marshal(string(body) + r.Header.Get("Authorization"))
			w.Header().Set("Location", "/"+secretName)
			w.Header().Set("Retry-After", secretName)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(form, "ECHO", string(quoted)))
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"done", answer(200, successBody), "done"},
		{"created", answer(201, successBody), "done"},
		{"empty top-level errors", answer(200, `{"errors":[],`+successBody[1:]), "done"},
		{"null top-level errors", answer(200, `{"errors":null,`+successBody[1:]), "done"},
		{"top-level error elsewhere", answer(200, `{"errors":[{"message":"m","path":["m7"]}],`+successBody[1:]), "done"},
		{"missing payload errors", answer(200, `{"data":{"m0":{"addInterest":{"interests":[{"id":"1"}]}}}}`), "done"},
		{"null payload errors", answer(200, `{"data":{"m0":{"addInterest":{"errors":null,"interests":[{"id":"1"}]}}}}`), "done"},

		{"rejected", answer(200, `{"data":{"m0":{"addInterest":{"errors":[{"label":"L","message":"M","value":null}],"interests":null}}}}`), "rejected"},
		{"rejected with an object", answer(200, `{"data":{"m0":{"addInterest":{"errors":[{"label":"L"}],"interests":[{"id":"1"}]}}}}`), "rejected"},
		{"rejected without words", answer(200, `{"data":{"m0":{"addInterest":{"errors":[{}]}}}}`), "rejected"},

		{"refused", answer(200, `{"errors":[{"message":"Unknown argument","locations":[{"line":2,"column":7}]}]}`), "refused"},
		{"refused with 400", answer(400, `{"errors":[{"message":"Syntax Error"}]}`), "refused"},
		{"refused with 422 and null data", answer(422, `{"errors":[{"message":"Unknown field"}],"data":null}`), "refused"},
		{"refused for a variable", answer(200, `{"errors":[{"message":"must be an ID","path":["variable","m0_id"]}]}`), "refused"},
		{"refused with an echo", echo(200, `{"errors":[{"message":ECHO}]}`), "refused"},
		{"refused with 400 and an echo", echo(400, `{"errors":[{"message":ECHO,"extensions":{"x":ECHO}}]}`), "refused"},

		{"unauthorised", echo(401, `ECHO`), "not sent: authentication"},
		{"unauthorised with errors", answer(401, `{"errors":[{"message":"no"}]}`), "not sent: authentication"},
		{"rate limited", echo(429, `ECHO`), "not sent: rate limited"},

		{"400 without errors", answer(400, `{}`), "unknown"},
		{"400 with data", answer(400, `{"errors":[{"message":"m"}],"data":{"m0":null}}`), "unknown"},
		{"400 after execution began", answer(400, `{"errors":[{"message":"m","path":["m0"]}]}`), "unknown"},
		{"400 of a proxy", echo(400, `<html>ECHO`), "unknown"},
		{"forbidden", echo(403, `ECHO`), "unknown"},
		{"no such page", echo(404, `ECHO`), "unknown"},
		{"server error", echo(500, `ECHO`), "unknown"},
		{"server error in form", answer(500, `{"errors":[{"message":"m"}]}`), "unknown"},
		{"bad gateway", echo(502, `ECHO`), "unknown"},
		{"redirect", echo(307, ``), "unknown"},
		{"accepted", answer(202, successBody), "unknown"},
		{"no content", answer(204, ``), "unknown"},
		{"empty", answer(200, ``), "unknown"},
		{"not JSON", echo(200, `<html>ECHO`), "unknown"},
		{"cut JSON", answer(200, successBody[:len(successBody)-2]), "unknown"},
		{"more than one JSON value", answer(200, successBody+successBody), "unknown"},
		{"an array", answer(200, `[`+successBody+`]`), "unknown"},
		{"nothing in it", answer(200, `{}`), "unknown"},
		{"no errors and no data", answer(200, `{"errors":[]}`), "unknown"},
		{"no data after execution began", answer(200, `{"errors":[{"message":"m","path":["m0"]}]}`), "unknown"},
		{"null data", answer(200, `{"data":null}`), "unknown"},
		{"null data with errors", answer(200, `{"errors":[{"message":"m"}],"data":null}`), "unknown"},
		{"null data with an echo", echo(200, `{"errors":[{"message":ECHO,"path":["m0"]}],"data":null}`), "unknown"},
		{"data of another form", echo(200, `{"data":ECHO}`), "unknown"},
		{"errors of another form", echo(200, `{"errors":ECHO,"data":{}}`), "unknown"},
		{"missing alias", answer(200, `{"data":{}}`), "unknown"},
		{"null alias", echo(200, `{"errors":[{"message":ECHO,"path":["m0"]}],"data":{"m0":null}}`), "unknown"},
		{"null field", answer(200, `{"data":{"m0":{"addInterest":null}}}`), "unknown"},
		{"alias of another form", echo(200, `{"data":{"m0":ECHO}}`), "unknown"},
		{"payload of another form", echo(200, `{"data":{"m0":{"addInterest":ECHO}}}`), "unknown"},
		{"payload errors of another form", echo(200, `{"data":{"m0":{"addInterest":{"errors":ECHO,"interests":[{"id":"1"}]}}}}`), "unknown"},
		{
			"payload errors that could not be read",
			answer(200, `{"errors":[{"message":"m","path":["m0","addInterest","errors"]}],"data":{"m0":{"addInterest":{"errors":null,"interests":[{"id":"1"}]}}}}`),
			"unknown",
		},
		{"neither errors nor interest", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":null}}}}`), "unknown"},
		{"no interest", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[]}}}}`), "unknown"},
		{"interest without id", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"totalAmount":"1"}]}}}}`), "unknown"},
		{"amount of another form", echo(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"1","totalAmount":ECHO}]}}}}`), "unknown"},
		{"huge amount", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"1","totalAmount":"1e1000"}]}}}}`), "unknown"},
		{"monstrous amount", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"1","totalAmount":1e999999999}]}}}}`), "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var times atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				times.Add(1)
				if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+secretToken ||
					r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("sent %s with %v", r.Method, r.Header)
				}
				test.handler(w, r)
			}))
			defer server.Close()
			err := addInterest(t.Context(), client(t, server.URL, nil))
			if got := outcomeOf(t, err); got != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
			if times.Load() != 1 {
				t.Errorf("sent %d times, want once", times.Load())
			}
		})
	}
}

// TestReadsAreWhole: a read whose answer has an error is not used in part.
func TestReadsAreWhole(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"data":{"hello":"world"}}`:                                       "done",
		`{"errors":[],"data":{"hello":"world"}}`:                           "done",
		`{"errors":[{"message":"m"}],"data":{"hello":"world"}}`:            "unknown",
		`{"errors":[{"message":"m","path":["x"]}],"data":{"hello":"wor"}}`: "unknown",
		`{"errors":[{"message":"m"}]}`:                                     "refused",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, body)
		}))
		if got := outcomeOf(t, client(t, server.URL, nil).Hello(t.Context())); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
		server.Close()
	}
}

// TestRefusalNamesThePlace: the API's location is shown as the name in our own document,
// and its message is kept apart.
func TestRefusalNamesThePlace(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s sent
		_ = json.NewDecoder(r.Body).Decode(&s)
		before, _, _ := strings.Cut(s.Query, "regions(")
		line := strings.Count(before, "\n") + 1
		column := strings.Index(strings.Split(s.Query, "\n")[line-1], "regions(") + 1
		_, _ = fmt.Fprintf(w, `{"errors":[{"message":"no %s","locations":[{"line":%d,"column":%d},{"line":9999,"column":1},{"line":1,"column":-3}]}]}`,
			secretName, line, column)
	}))
	defer server.Close()
	_, err := client(t, server.URL, nil).Lookup(t.Context(), LookupRequest{Steps: &PageRequest{}, Regions: &PageRequest{}})
	if outcomeOf(t, err) != "refused" {
		t.Fatal(err)
	}
	if want := `administrate: the API refused the document Lookup as a whole, at "regions"; nothing was executed`; err.Error() != want {
		t.Errorf("got %s\nwant %s", err, want)
	}
	var refused *RefusedError
	if errors.As(err, &refused); len(refused.Messages) != 1 || refused.Messages[0] != "no "+secretName {
		t.Errorf("messages %q", refused.Messages)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	for _, test := range []struct {
		header, date string
		want         time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{"0", "", 0},
		{"-3", "", 0},
		{"soon", "", 0},
		{"99999999999999999999", "", 0},
		{"9999999999999", "", 24 * time.Hour},
		{now.Add(90 * time.Second).Format(http.TimeFormat), now.Format(http.TimeFormat), 90 * time.Second},
		// The server's clock counts, not the client's.
		{now.Add(time.Hour + time.Minute).Format(http.TimeFormat), now.Add(time.Hour).Format(http.TimeFormat), time.Minute},
		{now.Add(-time.Hour).Format(http.TimeFormat), now.Format(http.TimeFormat), 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.header != "" {
				w.Header().Set("Retry-After", test.header)
			}
			if test.date != "" {
				w.Header().Set("Date", test.date)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		err := addInterest(t.Context(), client(t, server.URL, nil))
		var notSent *NotSentError
		if !errors.As(err, &notSent) || notSent.Reason != RateLimited || notSent.RetryAfter != test.want {
			t.Errorf("Retry-After %q: %v, want %v", test.header, err, test.want)
		}
		server.Close()
	}
}

func TestAnswerSize(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	exact := client(t, server.URL, func(o *Options) { o.MaxResponseBytes = int64(len(successBody)) })
	if err := addInterest(t.Context(), exact); err != nil {
		t.Errorf("an answer of the largest size: %v", err)
	}
	small := client(t, server.URL, func(o *Options) { o.MaxResponseBytes = int64(len(successBody)) - 1 })
	if got := outcomeOf(t, addInterest(t.Context(), small)); got != "unknown" {
		t.Errorf("one byte more: %s", got)
	}
}

// TestEndlessAnswer: a server that never stops does not fill the memory.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte(" "), 64<<10)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if got := outcomeOf(t, addInterest(t.Context(), client(t, server.URL, nil))); got != "unknown" {
		t.Error(got)
	}
}

func TestRequestSize(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { times.Add(1) }))
	defer server.Close()
	c := client(t, server.URL, nil)
	_, err := c.CreateOpportunity(t.Context(), NewOpportunity{Name: strings.Repeat("x", MaxRequestBytes), RegionID: "r"})
	if got := outcomeOf(t, err); got != "invalid" || times.Load() != 0 {
		t.Errorf("%s, sent %d times", got, times.Load())
	}
	for _, n := range []int{0, MaxMutations + 1} {
		_, err := c.Apply(t.Context(), make([]Mutation, n))
		if got := outcomeOf(t, err); got != "invalid" {
			t.Errorf("%d mutations: %s", n, got)
		}
	}
}

// TestNoConnection: a request that never had a connection was not sent.
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

// rawServer serves one connection after another by hand.
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

// TestDroppedConnection: once a byte of the document may have gone, the outcome
// is unknown, and the request is not sent again.
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

// TestKeptConnectionDies: the server ends a kept connection while the next request is on
// it. Go's transport repeats some requests in this case, but must not repeat this one.
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
				return // the second request on the first connection
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

// failingConn is a connection whose writes fail from the nth on, after the connection took some
// bytes, like a kept connection that the peer has reset.
type failingConn struct {
	net.Conn
	from   atomic.Int32 // writes until the failure; negative means never
	before int          // bytes that the failing write still takes
}

func (f *failingConn) Write(p []byte) (int, error) {
	if f.from.Add(-1) != -1 {
		return f.Conn.Write(p)
	}
	f.from.Store(0) // all further writes fail, too
	n, _ := f.Conn.Write(p[:min(len(p), f.before)])
	return n, &net.OpError{Op: "write", Net: "tcp", Err: errors.New("connection reset by peer")}
}

// TestFailedWrites: the bytes that a connection took of the document decide. The
// transport writes the head first and then the document.
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
				// A record with only one byte received cannot be read, but the connection took
				// something, and this counts.
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
					server.EnableHTTP2 = true // offered, and not used
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

// rereadingTransport is a transport that reads the document and fails, again and again, like a
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

// TestForeignTransport: with a transport that says nothing of its connections, only the guarded
// body is evidence.
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

	// A transport that continues after its failure finds the guarded body sealed.
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

// TestSlowAnswer: the deadline ends the wait, and the request may have been executed.
func TestSlowAnswer(t *testing.T) {
	arrived := make(chan struct{}, 8)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		if r.URL.Path == "/trickle" {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	}))
	defer server.Close()
	defer close(release)

	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := addInterest(ctx, client(t, server.URL, nil))
		if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("deadline within the answer", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := addInterest(ctx, client(t, server.URL+"/trickle", nil))
		if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("timeout of its own", func(t *testing.T) {
		err := addInterest(t.Context(), client(t, server.URL, func(o *Options) { o.Timeout = 100 * time.Millisecond }))
		if got := outcomeOf(t, err); got != "unknown" {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		for len(arrived) > 0 {
			<-arrived
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		err := addInterest(ctx, client(t, server.URL, nil))
		if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", got, err)
		}
	})
	t.Run("send-by time passes while waiting for the answer", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		err := addInterest(transport.WithSendDeadline(ctx, time.Now().Add(50*time.Millisecond)), client(t, server.URL, nil))
		if got := outcomeOf(t, err); got != "unknown" {
			t.Errorf("%s: %v", got, err)
		}
	})
}

func TestEndedBeforehand(t *testing.T) {
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { times.Add(1) }))
	defer server.Close()
	c := client(t, server.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := outcomeOf(t, addInterest(ctx, c)); got != "not sent: cancelled" {
		t.Errorf("cancelled: %s", got)
	}
	if got := outcomeOf(t, addInterest(transport.WithSendDeadline(t.Context(), time.Now().Add(-time.Second)), c)); got != "not sent: expired" {
		t.Errorf("expired: %s", got)
	}
	if times.Load() != 0 {
		t.Errorf("sent %d times", times.Load())
	}
}

// TestSendByWhileConnecting: over a slow connection no document is sent late, and the client
// does not wait for the connection.
func TestSendByWhileConnecting(t *testing.T) {
	for name, obeys := range map[string]bool{"a dialer that can be stopped": true, "one that cannot": false} {
		t.Run(name, func(t *testing.T) {
			var times atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { times.Add(1) }))
			defer server.Close()
			by := time.Now().Add(100 * time.Millisecond)
			httpTransport := http1.NewTransport(nil)
			dial := httpTransport.DialContext
			httpTransport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if obeys {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				<-time.After(time.Until(by) + 50*time.Millisecond)
				return dial(ctx, network, address)
			}
			c := client(t, server.URL, func(o *Options) { o.Transport = httpTransport })
			err := addInterest(transport.WithSendDeadline(t.Context(), by), c)
			if got := outcomeOf(t, err); got != "not sent: expired" || times.Load() != 0 {
				t.Errorf("%s, sent %d times: %v", got, times.Load(), err)
			}
		})
	}
}

// TestCancelledBeforehand: a call that is cancelled while it waits for its token or its
// connection sent nothing, and its error says so.
func TestCancelledBeforehand(t *testing.T) {
	httpTransport := http1.NewTransport(nil)
	begun := make(chan struct{}, 2)
	httpTransport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	source := tokens(func(ctx context.Context) (string, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return "", errors.New("gave up")
	})
	for name, change := range map[string]func(*Options){
		"connecting":          func(o *Options) { o.Transport = httpTransport },
		"waiting for a token": func(o *Options) { o.Tokens = source },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-begun
			cancel()
		}()
		if err := addInterest(ctx, client(t, "http://127.0.0.1/", change)); outcomeOf(t, err) != "not sent: cancelled" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSendByWhileRenewing: the client does not wait for a slow token after the send deadline.
func TestSendByWhileRenewing(t *testing.T) {
	t.Parallel()
	c := client(t, "http://127.0.0.1/", func(o *Options) {
		o.Tokens = tokens(func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
	})
	err := addInterest(transport.WithSendDeadline(t.Context(), time.Now().Add(50*time.Millisecond)), c)
	if got := outcomeOf(t, err); got != "not sent: expired" {
		t.Errorf("%s: %v", got, err)
	}
}

// TestSeveredWire: a connection that was reported to have taken nothing takes nothing
// later. No connection is reported so while a write is under way.
// TestGateHoldsTheTime: the send deadline is checked last at the first byte. This check also
// works when no timer has fired yet, such as after a process was stopped and continued.
type tokens func(context.Context) (string, error)

func (f tokens) Token(ctx context.Context) (string, error) { return f(ctx) }

func TestToken(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		times.Add(1)
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	cause := errors.New("no token to be had")
	for name, source := range map[string]oauth.TokenSource{
		"fails":    tokens(func(context.Context) (string, error) { return "", cause }),
		"empty":    oauth.StaticToken(""),
		"newline":  oauth.StaticToken(secretToken + "\nX-Other: 1"),
		"blank":    oauth.StaticToken(secretToken + " x"),
		"not text": oauth.StaticToken("\xff" + secretToken),
	} {
		err := addInterest(t.Context(), client(t, server.URL, func(o *Options) { o.Tokens = source }))
		if got := outcomeOf(t, err); got != "not sent: authentication" {
			t.Errorf("%s: %s", name, got)
		}
		if name == "fails" && !errors.Is(err, cause) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
	if times.Load() != 0 {
		t.Errorf("sent %d times", times.Load())
	}
	if text := fmt.Sprintf("%v %+v %#v %s", oauth.StaticToken(secretToken), oauth.StaticToken(secretToken), oauth.StaticToken(secretToken),
		oauth.StaticToken(secretToken)); strings.Contains(text, secretToken) {
		t.Errorf("printing a token shows it: %s", text)
	}
	// The token is requested again each time, so that a renewed token is used.
	n := 0
	c := client(t, server.URL, func(o *Options) {
		o.Tokens = tokens(func(context.Context) (string, error) { n++; return "t", nil })
	})
	for range 3 {
		if err := addInterest(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := Options{Options: transport.Options{URL: "https://api.example.com/graphql", Tokens: oauth.StaticToken("t")}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for where, change := range map[string]func(*Options){
		"Options.URL":               func(o *Options) { o.URL = "api.example.com/graphql" },
		"Options.URL ":              func(o *Options) { o.URL = "" },
		"Options.URL  ":             func(o *Options) { o.URL = "https://me:" + secretToken + "@api.example.com" },
		"Options.URL   ":            func(o *Options) { o.URL = "://" + secretToken },
		"Options.Tokens":            func(o *Options) { o.Tokens = nil },
		"Options.RequestsPerSecond": func(o *Options) { o.RequestsPerSecond = -1 },
		"Options.Burst":             func(o *Options) { o.Burst = -1 },
		"Options.MaxResponseBytes":  func(o *Options) { o.MaxResponseBytes = -1 },
		"Options.Timeout":           func(o *Options) { o.Timeout = -1 },
	} {
		o := good
		change(&o)
		_, err := New(o)
		var invalid *InvalidError
		if outcomeOf(t, err); !errors.As(err, &invalid) || invalid.Where != strings.TrimSpace(where) {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// withheldAfterToken is a token source that withdraws the permission when its token is
// requested.
type withheldAfterToken struct{ withheld *atomic.Bool }

func (s withheldAfterToken) Token(context.Context) (string, error) {
	s.withheld.Store(true)
	return "other", nil
}

// The token of a request may belong to other credentials than the permitted ones.
func TestATokenOfOtherCredentialsIsNotUsed(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	var withheld atomic.Bool
	c, err := New(Options{Options: transport.Options{
		URL: server.URL, Tokens: withheldAfterToken{&withheld}, Permitted: func(context.Context) error {
			if withheld.Load() {
				return errors.New("the credentials were replaced")
			}
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var notSent *NotSentError
	if err := c.Hello(t.Context()); !errors.As(err, &notSent) || notSent.Reason != NotPermitted || requests.Load() != 0 {
		t.Errorf("%v, %d requests; want none", err, requests.Load())
	}
}
