package host

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionTellsTheBuildInOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"a release": {
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.2.0"}, Settings: []debug.BuildSetting{{Key: "GOOS", Value: "plan9"}, {Key: "GOARCH", Value: "arm"}}},
			"v0.2.0 (go1.26.8, plan9/arm)",
		},
		"a checkout": {
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}, {Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "amd64"},
			}},
			"(devel) (revision 0123456789ab with uncommitted changes, go1.26.8, linux/amd64)",
		},
		"nothing known": {debug.BuildInfo{}, "(devel) (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := versionOf(&test.info).String(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestWorkerTellsItsVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		var stdout, stderr bytes.Buffer
		code := Main(t.Context(), args, []string{}, &stdout, &stderr)
		if got := stdout.String(); code != ExitDone || stderr.Len() > 0 || got != "oppflow-worker "+BuildVersion().String()+"\n" || !strings.Contains(got, runtime.Version()) {
			t.Errorf("%v: exit code %d, %q, %q", args, code, got, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if code := Main(t.Context(), []string{"version", "now"}, []string{}, &stdout, &stderr); code != ExitUsage || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), `"now"`) || stdout.Len() > 0 {
		t.Errorf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
	}
}
