package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/stack"
)

// screen returns what a terminal shows after all output: from each line, the text after the last
// carriage return.
func screen(written string) []string {
	var lines []string
	for line := range strings.Lines(written) {
		line = strings.TrimSuffix(line, "\n")
		lines = append(lines, strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], " "))
	}
	return lines
}

func TestBuilding(t *testing.T) {
	var w bytes.Buffer
	b := &buildProgress{w: &w}
	const server, ours = "the Temporal server", "oppflow and its worker"
	b.printLine("building the Temporal server …")
	for _, step := range []struct {
		report stack.Build
		want   string // at the end of the output
	}{
		{stack.Build{What: server}, "the Temporal server   0% |"},
		{stack.Build{What: server, Modules: 7}, "the Temporal server: 7 modules downloaded   0% |"},
		{stack.Build{What: server, Modules: 8, Packages: 3}, "the Temporal server: package 3   0% |"},
		{stack.Build{What: server, Modules: 8, Packages: 100, Of: 199}, "the Temporal server: package 100 of 199  50% |██████████          |"},
		{stack.Build{What: ours, Packages: 2, Of: 3}, ""}, // the bar shows one build at a time
		{stack.Build{What: server, Modules: 8, Packages: 199, Of: 199, Linking: true}, "the Temporal server: linking  99% |███████████████████ |"},
	} {
		w.Reset()
		b.update(step.report)
		if _, last, _ := strings.Cut(w.String()[strings.LastIndexByte(w.String(), '\r')+1:], step.want); step.want == "" && w.Len() > 0 || step.want != "" && last == "" {
			t.Errorf("%+v shows %q, want %q", step.report, w.String(), step.want)
		}
	}
	w.Reset()
	b.printLine("waiting for something …")
	if got := w.String(); !strings.Contains(got, "\rwaiting for something …\n") || !strings.Contains(got[strings.LastIndexByte(got, '\n'):], "the Temporal server: linking  99%") {
		t.Errorf("a line printed while the bar is shown is %q", got)
	}
	b.update(stack.Build{What: server, Ended: true, Packages: 199, Of: 199, Took: 83*time.Second + 1})
	b.update(stack.Build{What: ours, Packages: 2, Of: 3})
	b.update(stack.Build{What: ours, Packages: 2, Of: 3, Ended: true, Failed: true})
	b.update(stack.Build{What: ours, Ended: true, Took: time.Second})
	b.printLine("it runs")
	got := screen(w.String())
	want := []string{"waiting for something …", "built the Temporal server in 1m23s", "built oppflow and its worker in 1s", "it runs"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the terminal shows %q, want %q", got, want)
	}
}

// The command shows only lines and no bar if the output is no terminal, or if parts of the stack
// write to the same terminal.
func TestNoBarWithoutATerminal(t *testing.T) {
	var w bytes.Buffer
	if o := (&localFlags{}).options(&w, &w); o.Build != nil || o.Progress == nil {
		t.Error("a bar is drawn into a buffer")
	}
}
