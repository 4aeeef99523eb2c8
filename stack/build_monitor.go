package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"
)

const (
	// firstReportDelay is the time from the start of a build to its first report, if the programs
	// were built before.
	firstReportDelay = 2 * time.Second
	// reportInterval is the longest time between two reports of a running build.
	reportInterval = time.Second
)

// buildMonitor reads the output of one run of go build -v -json. The buildMonitor reports the
// progress of the build, and keeps the error output in its original order.
type buildMonitor struct {
	onProgress func(Build)
	started    time.Time

	mu            sync.Mutex
	build         Build
	tally         *packageTally
	reporting     bool          // reports are wanted
	anyWork       chan struct{} // closed when the build downloads or compiles something
	compiling     chan struct{} // closed when the build compiles something
	problemOutput lastLines
}

// If first is true, the programs were never built, and the monitor reports the build from its
// beginning.
func newBuildMonitor(j buildJob, first bool, show func(Build)) *buildMonitor {
	return &buildMonitor{
		onProgress: show, started: time.Now(), build: Build{What: j.target}, tally: newPackageTally(), reporting: first,
		anyWork: make(chan struct{}), compiling: make(chan struct{}),
	}
}

// Each line is a JSON object that describes one event of the build.
func (f *buildMonitor) onEvent(line []byte) {
	// See go help buildjson.
	var event struct{ ImportPath, Output string }
	if err := json.Unmarshal(line, &event); err != nil {
		f.onText(line)
		return
	}
	if event.Output == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	// If an output consists only of the name of its package, the compilation of the package begins.
	if event.Output != event.ImportPath+"\n" {
		_, _ = f.problemOutput.Write([]byte(event.Output))
		return
	}
	f.tally.begin(event.ImportPath)
	closeOnce(f.anyWork)
	closeOnce(f.compiling)
	f.report()
}

func (f *buildMonitor) onText(line []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !bytes.HasPrefix(line, []byte("go: downloading ")) {
		_, _ = f.problemOutput.Write(line)
		return
	}
	f.build.Modules++
	closeOnce(f.anyWork)
	f.report()
}

// All callers hold the same lock.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// The caller holds mu.
func (f *buildMonitor) report() {
	if !f.reporting {
		return
	}
	b := &f.build
	b.Took, b.Packages = time.Since(f.started), len(f.tally.started)
	if f.tally.counted {
		b.Of = len(f.tally.all)
		b.Linking = b.Packages == b.Of
	}
	f.onProgress(*b)
}

// watch reports the progress of the build until the caller calls stop with the result of the build.
func (f *buildMonitor) watch(ctx context.Context, stale func(context.Context) ([]string, error)) (stop func(well bool)) {
	ctx, end := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if !f.reporting { // no other goroutine writes reporting yet
			select {
			case <-f.anyWork:
			case <-ctx.Done():
				return
			}
			select {
			case <-time.After(firstReportDelay):
			case <-ctx.Done():
				return
			}
			f.mu.Lock()
			f.reporting = true
			f.mu.Unlock()
		}
		tick := time.NewTicker(reportInterval)
		defer tick.Stop()
		compile := f.compiling
		for {
			select {
			case <-ctx.Done():
				return
			case <-compile:
				compile = nil
				if paths, err := stale(ctx); err == nil { // after an error the packages are not counted
					f.mu.Lock()
					f.tally.count(paths)
					f.mu.Unlock()
				}
			case <-tick.C:
			}
			f.mu.Lock()
			f.report()
			f.mu.Unlock()
		}
	})
	return func(well bool) {
		end()
		watching.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		if well && f.tally.counted {
			f.tally.started = f.tally.all // go list may have named more packages than were compiled
		}
		f.build.Ended, f.build.Failed = true, !well
		f.report()
	}
}

func (f *buildMonitor) problems() string { return f.problemOutput.String() }
