package harness

import (
	"bytes"
	"sync"
)

// Output collects the output of several processes. Output is safe for concurrent use.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Output) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Contains reports whether the text was written.
func (l *Output) Contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.b.Bytes(), []byte(text))
}

// Tail returns the last n bytes.
func (l *Output) Tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.b.Bytes()
	return string(all[max(0, len(all)-n):])
}
