package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/oppflow/oppflow/stack"
)

// isTerminal reports whether somebody watches what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// building shows on a terminal how far builds are: lines, and below them a bar for one build at a time. Its methods may be
// called from several goroutines at once. What cannot be written does not matter.
type building struct {
	mu   sync.Mutex
	w    io.Writer
	what string // the build that the bar shows
	bar  *progressbar.ProgressBar
}

// say writes a line above the bar.
func (b *building) say(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar == nil {
		_, _ = fmt.Fprintln(b.w, oneLine(text))
		return
	}
	_ = b.bar.Clear()
	_, _ = fmt.Fprintln(b.w, oneLine(text))
	_ = b.bar.RenderBlank()
}

// show moves the bar. Of builds side by side the bar shows one until that one ends.
func (b *building) show(report stack.Build) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.bar != nil && report.What != b.what:
	case report.Ended:
		if b.bar != nil {
			_ = b.bar.Clear()
			b.bar = nil
		}
		if !report.Failed {
			_, _ = fmt.Fprintf(b.w, "built %s in %v\n", report.What, report.Took.Round(100*time.Millisecond))
		}
	default:
		if b.bar == nil {
			b.what = report.What
			b.bar = progressbar.NewOptions(1, progressbar.OptionSetWriter(b.w), progressbar.OptionSetWidth(20),
				progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(true))
		}
		// The step after the last package is linking. A bar that is full shows nothing any more.
		if steps := report.Of + 1; b.bar.GetMax() != steps {
			b.bar.ChangeMax(steps)
		}
		if report.Of > 0 {
			_ = b.bar.Set(report.Packages)
		}
		b.bar.Describe(describeBuild(report))
	}
}

// describeBuild says in a few words what a build is at.
func describeBuild(report stack.Build) string {
	switch {
	case report.Linking:
		return report.What + ": linking"
	case report.Of > 0:
		return fmt.Sprintf("%s: package %d of %d", report.What, report.Packages, report.Of)
	case report.Packages > 0:
		return fmt.Sprintf("%s: package %d", report.What, report.Packages)
	case report.Modules > 0:
		return fmt.Sprintf("%s: %d modules downloaded", report.What, report.Modules)
	}
	return report.What
}
