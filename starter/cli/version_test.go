package cli_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/worker/host"
)

func TestVersionIsOneLine(t *testing.T) {
	want := "oppflow " + host.BuildVersion().String() + "\n"
	for _, args := range [][]string{{"version"}, {"--version"}} {
		got := oppflow(t, nil, args...)
		got.wantDone(t, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
		if got.stdout != want || strings.Count(want, "\n") != 1 {
			t.Errorf("%v: %q, want %q", args, got.stdout, want)
		}
	}
	got := oppflow(t, nil, "version", "--output", "json")
	got.wantDone(t)
	var read host.Version
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil || read != host.BuildVersion() {
		t.Errorf("%v: %s", err, got.stdout)
	}
}
