package stack

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// However the output is divided into writes, lastLines keeps the last lines and prefixWriter writes
// all lines.
func TestOutputProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := rapid.SliceOf(rapid.StringMatching(`[a-c\n]{0,60}`)).Draw(t, "chunks")
		var kept lastLines
		var passed bytes.Buffer
		lines := &prefixWriter{to: &passed, prefix: "> "}
		for _, chunk := range chunks {
			for _, w := range []interface{ Write([]byte) (int, error) }{&kept, lines} {
				if n, err := w.Write([]byte(chunk)); n != len(chunk) || err != nil {
					t.Fatalf("wrote %d of %d, %v", n, len(chunk), err)
				}
			}
		}
		lines.flush()
		all := strings.Join(chunks, "")
		whole := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
		if all == "" {
			whole = nil
		}
		var want strings.Builder
		for _, line := range whole {
			want.WriteString("> " + line + "\n")
		}
		if passed.String() != want.String() {
			t.Fatalf("passed on %q, want %q", passed.String(), want.String())
		}
		finished := strings.Split(all, "\n")
		last := finished[len(finished)-1]
		finished = finished[:len(finished)-1]
		finished = finished[max(0, len(finished)-tailLines):]
		if last != "" {
			finished = append(finished[:len(finished):len(finished)], last)
		}
		if got := kept.String(); got != strings.Join(finished, "\n") {
			t.Fatalf("kept %q, want %q", got, finished)
		}
	})
}

func TestTailCutsLongLines(t *testing.T) {
	var kept lastLines
	_, _ = kept.Write(bytes.Repeat([]byte("x"), 10*tailLineLength))
	_, _ = kept.Write([]byte("y\nshort\r\n"))
	if got, want := kept.String(), strings.Repeat("x", tailLineLength)+"\nshort"; got != want {
		t.Errorf("kept %d bytes ending in %q", len(got), got[len(got)-10:])
	}
}
