package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"
)

const (
	// buildPatience is how long a build of programs that were built before goes on without a report. Most of these builds
	// compile what was edited, and end before.
	buildPatience = 2 * time.Second
	// reportPace is how long a build that goes on is not reported at most.
	reportPace = time.Second
)

// follower follows one run of go build -v -json by what it writes. It reports how far the build is, and keeps what is
// wrong in the order in which it was written.
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

// newFollower makes one for a job. The first build of a program is reported from its beginning.
func newFollower(j job, first bool, show func(Build)) *follower {
	return &follower{
		show: show, began: time.Now(), build: Build{What: j.what}, tally: newTally(), open: first,
		sign: make(chan struct{}), compile: make(chan struct{}),
	}
}

// event takes a line of the go command's standard output, where each is a JSON object.
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
	// The output that consists of the name of its package says that the compilation begins.
	if event.Output != event.ImportPath+"\n" {
		_, _ = f.wrong.Write([]byte(event.Output))
		return
	}
	f.tally.begin(event.ImportPath)
	closeOnce(f.sign)
	closeOnce(f.compile)
	f.report()
}

// text takes a line of the go command's standard error: what the go command does not write as events.
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

// closeOnce closes a channel that may be closed. The caller holds the lock that all closers hold.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// report shows how far the build is. The caller holds mu.
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

// watch reports the build until stop is called with how it ended. The packages are counted once, when they are wanted.
func (f *follower) watch(ctx context.Context, stale func(context.Context) ([]string, error)) (stop func(well bool)) {
	ctx, end := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if !f.open { // nobody else writes it yet
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
				if paths, err := stale(ctx); err == nil { // without it the packages are not counted
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

// problems returns what the go command said besides how far it is.
func (f *follower) problems() string { return f.wrong.String() }
