package stack

import (
	"fmt"
	"sync"
	"time"
)

const (
	// lineInterval is the usual time between two lines about a running build. The next line is written
	// earlier if the build has begun linePercent of its packages since the last line.
	lineInterval = 15 * time.Second
	linePercent  = 10
)

// Build is a report about the progress of one build. A build that has nothing to compile sends no
// report.
type Build struct {
	// What names the programs that are built, such as "the Temporal server".
	What string
	// Modules is how many modules were downloaded for the build.
	Modules int
	// Packages is how many packages the build has begun to compile. Of is the number of packages
	// that the build has to compile, 0 until the builder has counted the packages.
	Packages, Of int
	// Linking says that all packages are compiled and that the go command links the programs.
	Linking bool
	// Ended says that this report is the last report about the build. Failed says that the build
	// failed.
	Ended, Failed bool
	// Took is the time since the beginning of the build.
	Took time.Duration
}

// The go command names each package when the compilation of the package begins. The command go list
// names the packages that are not compiled yet. Both lists together contain all packages of the
// build, no matter when go list runs.
type packageTally struct {
	started map[string]bool
	all     map[string]bool
	counted bool
}

func newPackageTally() *packageTally {
	return &packageTally{started: map[string]bool{}, all: map[string]bool{}}
}

func (t *packageTally) begin(pkg string) {
	t.started[pkg] = true
	t.all[pkg] = true
}

func (t *packageTally) count(stale []string) {
	t.counted = true
	for _, pkg := range stale {
		t.all[pkg] = true
	}
}

// lineReporter returns a function that turns reports about builds into lines of text: about one
// line for each lineInterval or linePercent. Several goroutines may call the function that
// lineReporter returns at the same time.
func lineReporter(say func(string)) func(Build) {
	type reported struct {
		at       time.Duration
		packages int
		linking  bool
	}
	var mu sync.Mutex
	last := map[string]*reported{}
	return func(b Build) {
		mu.Lock()
		defer mu.Unlock()
		before := last[b.What]
		if before == nil {
			before = &reported{}
			last[b.What] = before
		}
		due := b.Took-before.at >= lineInterval
		switch {
		case b.Ended:
			delete(last, b.What)
			if !b.Failed {
				say(fmt.Sprintf("built %s in %v", b.What, b.Took.Round(100*time.Millisecond)))
			}
			return
		case b.Linking && !before.linking:
			before.linking = true
			say(fmt.Sprintf("linking %s (the last step of the build) …", b.What))
		case b.Linking:
			return
		case b.Of > 0 && (due || 100*(b.Packages-before.packages) >= linePercent*b.Of):
			say(fmt.Sprintf("building %s: package %d of %d, after %v …", b.What, b.Packages, b.Of, b.Took.Round(time.Second)))
		case b.Of == 0 && due && b.Packages == 0 && b.Modules > 0:
			say(fmt.Sprintf("building %s: %d modules downloaded, after %v …", b.What, b.Modules, b.Took.Round(time.Second)))
		default:
			return
		}
		before.at, before.packages = b.Took, b.Packages
	}
}
