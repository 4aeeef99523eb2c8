package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"
)

const (
	// buildPatience is how long a build of programs that were built before runs without a report. Most of these builds
	// compile only edited packages, and end before.
	buildPatience = 2 * time.Second
	// reportPace is the longest time between two reports of a running build.
	reportPace = time.Second
)

// follower follows one run of go build -v -json by its output. It reports the progress of the build, and keeps the
// problems in the order in which they were written.
type follower struct {
	show  func(Build)
	began time.Time

	mu      sync.Mutex
	build   Build
	tally   *tally
	open    bool          // reports are wanted
	sign    chan struct{} // closed when the build downloads or compiles something
	compile chan struct{} // closed when the build compiles something
	wrong   tail
}

// newFollower returns a follower for a job. The first build of a program is reported from its
// beginning.
func newFollower(j job, first bool, show func(Build)) *follower {
	return &follower{
		show: show, began: time.Now(), build: Build{What: j.what}, tally: newTally(), open: first,
		sign: make(chan struct{}), compile: make(chan struct{}),
	}
}

// event handles a line of the go command's standard output. Each line is a JSON object.
func (f *follower) event(line []byte) {
	// See go help buildjson.
	var event struct{ ImportPath, Output string }
	if err := json.Unmarshal(line, &event); err != nil {
		f.text(line)
		return
	}
	if event.Output == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	// An output that is just the name of its package says that the compilation begins.
	if event.Output != event.ImportPath+"\n" {
		_, _ = f.wrong.Write([]byte(event.Output))
		return
	}
	f.tally.begin(event.ImportPath)
	closeOnce(f.sign)
	closeOnce(f.compile)
	f.report()
}

// text handles a line of the go command's standard error, which holds no events.
func (f *follower) text(line []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !bytes.HasPrefix(line, []byte("go: downloading ")) {
		_, _ = f.wrong.Write(line)
		return
	}
	f.build.Modules++
	closeOnce(f.sign)
	f.report()
}

// closeOnce closes a channel that may be closed already. The caller holds the lock that all
// closers hold.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// report shows the progress of the build. The caller holds mu.
func (f *follower) report() {
	if !f.open {
		return
	}
	b := &f.build
	b.Took, b.Packages = time.Since(f.began), len(f.tally.begun)
	if f.tally.counted {
		b.Of = len(f.tally.all)
		b.Linking = b.Packages == b.Of
	}
	f.show(*b)
}

// watch reports the build until stop is called with its result. The packages are counted once, when the count is
// needed.
func (f *follower) watch(ctx context.Context, stale func(context.Context) ([]string, error)) (stop func(well bool)) {
	ctx, end := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if !f.open { // no other goroutine writes it yet
			select {
			case <-f.sign:
			case <-ctx.Done():
				return
			}
			select {
			case <-time.After(buildPatience):
			case <-ctx.Done():
				return
			}
			f.mu.Lock()
			f.open = true
			f.mu.Unlock()
		}
		tick := time.NewTicker(reportPace)
		defer tick.Stop()
		compile := f.compile
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
			f.tally.begun = f.tally.all // go list may have named more than was compiled
		}
		f.build.Ended, f.build.Failed = true, !well
		f.report()
	}
}

// problems returns the output of the go command without its progress.
func (f *follower) problems() string { return f.wrong.String() }
