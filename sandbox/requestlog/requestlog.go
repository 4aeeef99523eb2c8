// Package requestlog records every request of the sandbox and its outcome. Tests use the request
// log to count requests and to prove that a change was made exactly once. The request log contains
// ids of the API, names of operations and times, but no argument values, such as names or notes.
//
// With a file, the entries of the request log survive the end of the process. The log writes a
// request before any field of the request runs, and writes the outcome before the response is sent.
// If the process dies before the outcome is written, AddCommitted adds the mutations that the
// database shows as committed.
package requestlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// Outcome says what happened to one mutation of a request.
type Outcome string

const (
	// Committed means that the mutation took effect, or that the mutation had nothing to change and
	// returned no error.
	Committed Outcome = "committed"
	// Refused means that the payload of the mutation contains a refusal; Field.Label is the label
	// of the refusal.
	Refused Outcome = "refused"
	// Failed means that the mutation had an internal failure and took no effect.
	Failed Outcome = "failed"
	// NotRun means that the request contained the mutation, but the mutation did not run.
	NotRun Outcome = "not-run"
)

// Field is one mutation of a request: a field inside a GraphQL namespace.
type Field struct {
	// Alias is the alias of the mutation in the request: the alias at the root, a dot, and the
	// alias inside the GraphQL namespace.
	Alias string `json:"alias"`
	// Name is the GraphQL namespace, a dot and the field, such as "opportunities.progress".
	Name string `json:"name"`
	// Opportunity is the id of the opportunity that the mutation names or creates, or "" if there
	// is no opportunity.
	Opportunity string  `json:"opportunity,omitempty"`
	Outcome     Outcome `json:"outcome"`
	Label       string  `json:"label,omitempty"`
}

// Entry describes one request and its outcome.
type Entry struct {
	// Number counts the requests from 1. With a file, the numbers continue after a restart.
	Number   int64     `json:"number"`
	Received time.Time `json:"received"`
	// Answered is the time just before the response was sent. Answered is zero for a request in
	// progress, and for a request that was in progress when the process died.
	Answered time.Time `json:"answered,omitzero"`
	Address  string    `json:"address"`
	// Operations is only "token" for a token request. For a document, Operations contains the name
	// of the document's operation and the names of its fields. The name of a field inside a GraphQL
	// namespace contains the name of the namespace, as in "opportunities.progress".
	Operations []string `json:"operations"`
	// Fields are the mutations of the request. The mutations that ran come first, in the order in
	// which they ended; the mutations that did not run follow. Fields is empty until the outcome of
	// the request is known. For a request that was in progress when the process died, Fields
	// contains at least the committed mutations.
	Fields []Field `json:"fields,omitempty"`
	// Status is the HTTP status, even if a fault withheld the response.
	Status int `json:"status,omitempty"`
	// Fault is the kind of the fault that applied to the request.
	Fault string `json:"fault,omitempty"`
	// ClientGone reports that the client disconnected before the response was sent.
	ClientGone bool `json:"gone,omitempty"`
	// Undelivered reports that the response was not sent completely: a fault withheld the response,
	// or the client disconnected early. A response that was sent completely may still not have
	// arrived at the client.
	Undelivered bool `json:"undelivered,omitempty"`
}

// Log records requests and is safe for concurrent use. A nil Log records nothing.
type Log struct {
	mu       sync.Mutex
	entries  []Entry // in the order of their numbers; the first entry has the number first
	first    int64
	limit    int
	file     *os.File
	writeErr error
}

// Open opens a request log that keeps the last limit requests. Open continues the file at path;
// with path "", the request log has no file.
func Open(path string, limit int) (*Log, error) {
	l := &Log{first: 1, limit: limit}
	if path == "" {
		return l, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("request log: %w", err)
	}
	if err := l.read(file); err != nil {
		return nil, fmt.Errorf("request log %s: %w", path, err)
	}
	l.file = file
	return l, nil
}

// An unfinished last line comes from a process that died while it wrote the line.
func (l *Log) read(file *os.File) error {
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		if ended && len(line) > 0 {
			_, err = file.WriteString("\n") // the next entry begins on a new line
			return err
		}
		if ended {
			return nil
		}
		if err != nil {
			return err
		}
		var e Entry
		if json.Unmarshal(bytes.TrimSpace(line), &e) == nil && e.Number > 0 {
			l.put(e)
		}
	}
}

// put stores an entry in memory and replaces an entry with the same number.
func (l *Log) put(e Entry) {
	next := l.first + int64(len(l.entries))
	switch {
	case e.Number < l.first: // the log no longer keeps the entry
	case e.Number < next:
		l.entries[e.Number-l.first] = e
	default:
		if len(l.entries) == 0 {
			l.first = e.Number
		}
		l.entries = append(l.entries, e)
	}
	if len(l.entries) > l.limit+l.limit/4 {
		drop := len(l.entries) - l.limit
		l.entries, l.first = slices.Clone(l.entries[drop:]), l.first+int64(drop)
	}
}

// Begin records a request and returns its number.
func (l *Log) Begin(e Entry) int64 {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Number = l.first + int64(len(l.entries))
	l.put(e)
	l.write(e)
	return e.Number
}

// End records the outcome of a request.
func (l *Log) End(e Entry) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(e)
	l.write(e)
}

// AddCommitted adds the committed mutations to an entry that has no outcome, because the process
// died during the request.
func (l *Log) AddCommitted(number int64, committed []Field) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := number - l.first; at >= 0 && at < int64(len(l.entries)) && l.entries[at].Answered.IsZero() && len(l.entries[at].Fields) == 0 {
		e := l.entries[at]
		e.Fields = committed
		l.put(e)
		l.write(e)
	}
}

func (l *Log) write(e Entry) {
	if l.file == nil || l.writeErr != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	l.writeErr = err
}

// After returns the first limit requests with a number above the argument after, or all such
// requests if limit is 0.
func (l *Log) After(after int64, limit int) []Entry {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	from := min(max(after-l.first+1, 0), int64(len(l.entries)))
	found := l.entries[from:]
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return slices.Clone(found)
}

// Close closes the file. If a write to the file failed earlier, Close returns the error of the
// first failed write.
func (l *Log) Close() error {
	if l == nil || l.file == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.writeErr
	if closing := l.file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	return nil
}
