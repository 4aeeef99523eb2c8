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

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// buildProgress shows the progress of builds on a terminal: lines of text and, below the lines, a
// bar. Several goroutines may call the methods of buildProgress at the same time. The methods
// ignore errors of writing.
type buildProgress struct {
	mu      sync.Mutex
	w       io.Writer
	current string // the build in the bar
	bar     *progressbar.ProgressBar
}

func (b *buildProgress) printLine(text string) {
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

// The bar shows one build at a time, even if several builds run at the same time.
func (b *buildProgress) update(report stack.Build) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.bar != nil && report.What != b.current:
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
			b.current = report.What
			b.bar = progressbar.NewOptions(1, progressbar.OptionSetWriter(b.w), progressbar.OptionSetWidth(20),
				progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(true))
		}
		// The bar has one step for each package, and one step for linking, because a full bar would
		// disappear before linking.
		if steps := report.Of + 1; b.bar.GetMax() != steps {
			b.bar.ChangeMax(steps)
		}
		if report.Of > 0 {
			_ = b.bar.Set(report.Packages)
		}
		b.bar.Describe(describeBuild(report))
	}
}

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
