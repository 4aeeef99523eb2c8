package stack

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	// tailLines is how many of the last lines of a part's output are kept for the error message.
	tailLines = 40
	// tailLineLength is how many bytes of each line of output are kept for the error message.
	tailLineLength = 2000
)

// lastLines is a writer that keeps the last lines of the written text. The zero value can be used.
type lastLines struct {
	mu      sync.Mutex
	lines   []string
	partial []byte
}

func (t *lastLines) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		t.appendPartial(p[:i])
		t.lines = append(t.lines, string(bytes.TrimSuffix(t.partial, []byte("\r"))))
		if len(t.lines) > tailLines {
			t.lines = append(t.lines[:0], t.lines[len(t.lines)-tailLines:]...)
		}
		t.partial = t.partial[:0]
		p = p[i+1:]
	}
	t.appendPartial(p)
	return n, nil
}

func (t *lastLines) appendPartial(p []byte) {
	if room := tailLineLength - len(t.partial); room > 0 {
		t.partial = append(t.partial, p[:min(room, len(p))]...)
	}
}

// String returns the last lines, even an unfinished line, without a line break at the end.
func (t *lastLines) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.lines
	if len(t.partial) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(t.partial))
	}
	return strings.Join(lines, "\n")
}

// prefixWriter writes whole lines, each with a prefix, to another writer, so that several parts can
// share the other writer.
type prefixWriter struct {
	to      io.Writer
	prefix  string
	mu      sync.Mutex
	partial []byte
}

// Write never returns an error. Write ignores errors of the underlying writer, because the output
// of a part must not make the part fail.
func (w *prefixWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partial = append(w.partial, p...)
	if end := bytes.LastIndexByte(w.partial, '\n') + 1; end > 0 {
		w.emit(w.partial[:end])
		w.partial = append(w.partial[:0], w.partial[end:]...)
	}
	return len(p), nil
}

func (w *prefixWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.partial) > 0 {
		w.emit(append(w.partial, '\n'))
		w.partial = nil
	}
}

func (w *prefixWriter) emit(lines []byte) {
	var out bytes.Buffer
	for line := range bytes.Lines(lines) {
		out.WriteString(w.prefix)
		out.Write(line)
	}
	_, _ = w.to.Write(out.Bytes())
}

// sharedWriter lets several parts write to one writer that is not safe for concurrent
// use.
type sharedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *sharedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// lineWriter calls onLine with each complete line, including the line break. Only one goroutine may
// use a lineWriter.
type lineWriter struct {
	onLine  func(line []byte)
	partial []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			break
		}
		w.onLine(append(w.partial, p[:end]...))
		w.partial, p = w.partial[:0], p[end:]
	}
	w.partial = append(w.partial, p...)
	return n, nil
}

// flush calls onLine with an unfinished last line and adds the missing line break.
func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.onLine(append(w.partial, '\n'))
		w.partial = nil
	}
}
