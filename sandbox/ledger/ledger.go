// Package ledger writes down every request of the sandbox and what became of it, so that "once" and "how many requests"
// are facts. It holds ids of the API, names of operations and times, and nothing that a caller typed.
//
// With a file it survives the death of the process: a request stands there from before anything of it runs, and its
// outcome before it is answered. What was committed between the two is known from the database: see Mend.
package ledger

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

// Outcome is what became of a field of a mutation.
type Outcome string

// The outcomes of a field.
const (
	// Committed: it took effect, or there was nothing to do and the API says so with no error.
	Committed Outcome = "committed"
	// Refused: the payload says why not, in Label.
	Refused Outcome = "refused"
	// Failed: it failed inside; nothing of it took effect.
	Failed Outcome = "failed"
	// NotRun: it was asked for, and nothing of it ran.
	NotRun Outcome = "not-run"
)

// Field is one field of a mutation's namespace.
type Field struct {
	// Alias is how the request calls it: the alias at the root, and behind a dot that inside the namespace.
	Alias string `json:"alias"`
	// Name is the namespace and the field, such as "opportunities.progress".
	Name string `json:"name"`
	// Opportunity is the id of the one it is about, "" where there is none.
	Opportunity string  `json:"opportunity,omitempty"`
	Outcome     Outcome `json:"outcome"`
	Label       string  `json:"label,omitempty"`
}

// Entry is a request.
type Entry struct {
	// Number counts the requests from 1, over restarts where there is a file.
	Number   int64     `json:"number"`
	Received time.Time `json:"received"`
	// Answered is when it was about to be answered; zero for one that is under way, or was when the process died.
	Answered time.Time `json:"answered,omitzero"`
	Address  string    `json:"address"`
	// Operations are "token", or the name that the document gives its operation, and its fields: those of namespaces
	// with their namespace, in the order of the document and as often as they occur.
	Operations []string `json:"operations"`
	// Fields are those of mutations: what ran, in the order in which it was done, and then what did not run. Before the
	// outcome is known there are none; of a request that was under way when the process died there are at least those
	// that had been committed.
	Fields []Field `json:"fields,omitempty"`
	// Status is that of HTTP, also where a fault kept the answer back.
	Status int `json:"status,omitempty"`
	// Fault is the kind of the one it met.
	Fault string `json:"fault,omitempty"`
	// Gone says that the client had given the request up before it could be answered.
	Gone bool `json:"gone,omitempty"`
	// Undelivered says that the answer did not leave whole: a fault kept it back, or the client had gone or went. That it
	// left does not mean that it came.
	Undelivered bool `json:"undelivered,omitempty"`
}

// Ledger is safe for concurrent use. nil writes nothing down.
type Ledger struct {
	mu      sync.Mutex
	entries []Entry // by number, from first on
	first   int64
	limit   int
	file    *os.File
	// failed is the first error of writing.
	failed error
}

// Open begins a ledger that remembers the last limit requests. path is the file it continues, "" for none.
func Open(path string, limit int) (*Ledger, error) {
	l := &Ledger{first: 1, limit: limit}
	if path == "" {
		return l, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := l.read(file); err != nil {
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	l.file = file
	return l, nil
}

// read takes in what the file holds. A last line that was not finished belongs to a process that died in writing it.
func (l *Ledger) read(file *os.File) error {
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		if ended && len(line) > 0 {
			_, err = file.WriteString("\n") // so that the next line stands alone
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

// put keeps an entry in memory, in the place of one of the same number.
func (l *Ledger) put(e Entry) {
	next := l.first + int64(len(l.entries))
	switch {
	case e.Number < l.first: // forgotten
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

// Begin writes a request down and answers its number.
func (l *Ledger) Begin(e Entry) int64 {
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

// End writes down what became of a request.
func (l *Ledger) End(e Entry) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(e)
	l.write(e)
}

// Mend gives a request that was under way when the process died, before its outcome was written, the fields that had
// been committed.
func (l *Ledger) Mend(number int64, committed []Field) {
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

func (l *Ledger) write(e Entry) {
	if l.file == nil || l.failed != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	l.failed = err
}

// After returns the requests with a number above after, at most limit of them; limit 0 is all.
func (l *Ledger) After(after int64, limit int) []Entry {
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

// Close ends the file. Its error is also that of the first line that could not be written.
func (l *Ledger) Close() error {
	if l == nil || l.file == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.failed
	if closing := l.file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
