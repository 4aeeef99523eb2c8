package stack

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// packagesOfChild is the number of packages that the program in the test's own checkout needs.
const packagesOfChild = 6

// writePackageChain writes packages in which each package imports the next package, and the program
// that imports the last package.
func writePackageChain(t *testing.T, b *builder) {
	t.Helper()
	for i := range packagesOfChild - 1 {
		source := fmt.Sprintf("package p%d\n", i)
		if i > 0 {
			source += fmt.Sprintf("\nimport _ %q\n", fmt.Sprintf("%s/p%d", module, i-1))
		}
		write(t, filepath.Join(b.root, fmt.Sprintf("p%d", i), "p.go"), source)
	}
	write(t, filepath.Join(b.root, "child", "main.go"), fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", fmt.Sprintf("%s/p%d", module, packagesOfChild-2)))
}

func TestBuildSaysHowFarItIs(t *testing.T) {
	b, j := checkout(t, "")
	writePackageChain(t, b)
	var reports []Build
	b.onBuild = func(r Build) { reports = append(reports, r) }
	if _, err := b.build(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if len(reports) < packagesOfChild {
		t.Fatalf("%d reports of %d packages: %+v", len(reports), packagesOfChild, reports)
	}
	before := Build{What: j.target}
	for _, r := range reports {
		if r.What != j.target || r.Packages < before.Packages || r.Of < before.Of || r.Of > 0 && r.Packages > r.Of || r.Took < before.Took || before.Ended {
			t.Errorf("%+v follows %+v", r, before)
		}
		before = r
	}
	// The builder counts the packages during the build, and the build may end before the count ends.
	if !before.Ended || before.Failed || before.Packages != packagesOfChild || before.Of != 0 && before.Of != packagesOfChild {
		t.Errorf("the last report is %+v", before)
	}

	said := ""
	again, err := newBuilder(b.root, func(text string) { said = text }, func(r Build) { said = fmt.Sprintf("%+v", r) })
	if err != nil {
		t.Fatal(err)
	}
	j.notice = "building the child"
	if _, err := again.build(t.Context(), j); err != nil || said != "" {
		t.Errorf("a build that found all up to date said %q, %v", said, err)
	}
}

func TestStale(t *testing.T) {
	b, j := checkout(t, "")
	writePackageChain(t, b)
	stale := func() []string {
		t.Helper()
		paths, err := b.stale(t.Context(), "go", j)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(paths)
		return paths
	}
	if paths := stale(); len(paths) != packagesOfChild || paths[0] != module+"/child" || paths[1] != module+"/p0" {
		t.Errorf("before the build: %q", paths)
	}
	if _, err := b.build(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if paths := stale(); len(paths) > 0 {
		t.Errorf("after the build: %q", paths)
	}
	write(t, filepath.Join(b.root, "p4", "p.go"), "package p4\n\nvar Edited = true\n")
	if paths := stale(); !slices.Equal(paths, []string{module + "/child", module + "/p4"}) {
		t.Errorf("after an edit: %q", paths)
	}
}

func TestBuildErrorIsNotMixedWithNamesOfPackages(t *testing.T) {
	b, j := checkout(t, "")
	writePackageChain(t, b)
	write(t, filepath.Join(b.root, "p3", "p.go"), "package p3\n\nfunc f() {\n\tvar a int = \"a\"\n\tundefinedThing()\n}\n")
	var last Build
	b.onBuild = func(r Build) { last = r }
	_, err := b.build(t.Context(), j)
	if err == nil {
		t.Fatal("it was built")
	}
	_, output, _ := strings.Cut(err.Error(), "\n")
	want := "# " + module + "/p3\n../p3/p.go:4:6: declared and not used: a\n../p3/p.go:4:14: cannot use \"a\" (untyped string constant) as int value in variable declaration\n../p3/p.go:5:2: undefined: undefinedThing"
	if strings.ReplaceAll(output, "\np3/", "\n../p3/") != want {
		t.Errorf("it says\n%s\nwant\n%s", output, want)
	}
	if !last.Ended || !last.Failed {
		t.Errorf("the last report is %+v", last)
	}

	// A build that fails before any compilation also sends a report.
	write(t, filepath.Join(b.root, "p3", "p.go"), "package p3\n\nimport _ \"example.org/nowhere\"\n")
	if _, err := b.build(t.Context(), j); err == nil || !strings.Contains(err.Error(), "no required module provides package example.org/nowhere") {
		t.Errorf("a missing module: %v", err)
	}
	write(t, filepath.Join(b.root, "go.mod"), "module "+module+"\n\nnonsense\n")
	if _, err := b.build(t.Context(), j); err == nil || !strings.Contains(err.Error(), "go.mod:3: unknown directive: nonsense") {
		t.Errorf("a broken go.mod: %v", err)
	}
}

func TestLines(t *testing.T) {
	const packages, each = 1654, 200 * time.Millisecond
	var said []string
	show := lineReporter(func(text string) { said = append(said, text) })
	report := Build{What: "the server"}
	for range 100 { // modules are downloaded for 30 s
		report.Modules++
		report.Took += 300 * time.Millisecond
		show(report)
	}
	for i := range packages {
		report.Packages, report.Took = i+1, report.Took+each
		if i > 10 {
			report.Of = packages
		}
		show(report)
	}
	report.Linking = true
	for range 20 {
		report.Took += time.Second
		show(report)
	}
	report.Ended = true
	show(report)
	text := strings.Join(said, "\n")
	for _, want := range []string{
		"building the server: 50 modules downloaded, after 15s …\n", "building the server: 100 modules downloaded, after 30s …\n",
		fmt.Sprintf(" of %d, after 1m", packages), "\nlinking the server (the last step of the build) …\nbuilt the server in 6m20.8s",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if least, most := int(report.Took/lineInterval)-3, int(report.Took/lineInterval)+100/linePercent+3; len(said) < least || len(said) > most {
		t.Errorf("%d lines in %v, want %d to %d:\n%s", len(said), report.Took, least, most, text)
	}

	said = nil
	for i := range packages {
		show(Build{What: "the server", Packages: i + 1, Of: packages, Took: time.Duration(i) * time.Millisecond})
	}
	show(Build{What: "the server", Packages: packages, Of: packages, Ended: true, Failed: true})
	if len(said) != 100/linePercent-1 {
		t.Errorf("%d lines: %q", len(said), said)
	}
}
