package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func compileEvent(pkg string) []byte {
	return fmt.Appendf(nil, `{"ImportPath":%q,"Action":"build-output","Output":%q}`+"\n", pkg, pkg+"\n")
}

func TestFollowerOfAFirstBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []Build
		f := newBuildMonitor(buildJob{target: "it"}, true, func(r Build) { reports = append(reports, r) })
		stop := f.watch(t.Context(), func(context.Context) ([]string, error) {
			time.Sleep(3 * time.Second)
			return []string{"b", "c", "d"}, nil
		})
		f.onText([]byte("go: downloading example.org/one v1.0.0\n"))
		f.onText([]byte("go: downloading example.org/two v1.0.0\n"))
		time.Sleep(1500 * time.Millisecond)
		f.onEvent(compileEvent("a")) // package a is compiled while go list runs, so go list does not name package a
		time.Sleep(time.Second)
		f.onEvent(compileEvent("b"))
		time.Sleep(4 * time.Second)
		f.onEvent(compileEvent("c"))
		f.onEvent(compileEvent("d"))
		time.Sleep(5 * time.Second)
		stop(true)
		var packages, of []int
		for i, r := range reports {
			if r.Modules == 0 || i > 0 && r.Took-reports[i-1].Took > 3*time.Second {
				t.Errorf("report %d: %+v", i, r)
			}
			packages, of = append(packages, r.Packages), append(of, r.Of)
			if linking := r.Packages == 4; r.Linking != linking {
				t.Errorf("report %d: %+v", i, r)
			}
		}
		if packages, of = slices.Compact(packages), slices.Compact(of); fmt.Sprint(packages, of) != "[0 1 2 3 4] [0 4]" {
			t.Errorf("packages %v of %v", packages, of)
		}
		want := Build{What: "it", Modules: 2, Packages: 4, Of: 4, Linking: true, Ended: true, Took: 11500 * time.Millisecond}
		if last := reports[len(reports)-1]; last != want {
			t.Errorf("the last report is %+v, want %+v", last, want)
		}
	})
}

func TestFollowerOfALaterBuild(t *testing.T) {
	for name, test := range map[string]struct {
		takes   time.Duration
		work    bool
		reports bool
	}{
		"nothing to do, however long that takes": {takes: time.Minute},
		"an edit":                                {takes: firstReportDelay - time.Millisecond, work: true},
		"new modules":                            {takes: firstReportDelay + time.Millisecond, work: true, reports: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reports []Build
				counted := 0
				f := newBuildMonitor(buildJob{target: "it"}, false, func(r Build) { reports = append(reports, r) })
				stop := f.watch(t.Context(), func(context.Context) ([]string, error) {
					counted++
					return []string{"b"}, nil
				})
				if test.work {
					f.onEvent(compileEvent("a"))
				}
				time.Sleep(test.takes)
				stop(true)
				if (len(reports) > 0) != test.reports || (counted > 0) != test.reports {
					t.Fatalf("counted %d times; reports %+v", counted, reports)
				}
				if test.reports && (reports[0].Of != 2 || !reports[len(reports)-1].Ended) {
					t.Errorf("reports %+v", reports)
				}
			})
		})
	}
}

func TestFollowerKeepsWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last Build
		f := newBuildMonitor(buildJob{target: "it"}, true, func(r Build) { last = r })
		stop := f.watch(t.Context(), func(ctx context.Context) ([]string, error) {
			<-ctx.Done() // the build ends before the packages are counted
			return nil, errors.New("interrupted")
		})
		events := &lineWriter{onLine: f.onEvent}
		for _, text := range []string{
			string(compileEvent("example.org/one")), `{"ImportPath":"example.org/one","Action":"build-output","Output":"# example.org/one\n"}` + "\n",
			`{"ImportPath":"example.org/one","Action":"build-output","Output":"one.go:3:8: a mis`, `take\n"}` + "\n",
			`{"ImportPath":"example.org/one","Action":"build-fail"}` + "\n", "no JSON, without a line break",
		} {
			_, _ = events.Write([]byte(text))
		}
		events.flush()
		f.onText([]byte("go: downloading example.org/two v1.0.0\n"))
		f.onText([]byte("go: updates to go.mod needed\n"))
		stop(false)
		if want := "# example.org/one\none.go:3:8: a mistake\nno JSON, without a line break\ngo: updates to go.mod needed"; f.problems() != want {
			t.Errorf("it keeps %q, want %q", f.problems(), want)
		}
		if !last.Ended || !last.Failed || last.Of != 0 || strings.Contains(f.problems(), "downloading") {
			t.Errorf("the last report is %+v", last)
		}
	})
}
