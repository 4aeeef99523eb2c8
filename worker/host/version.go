package host

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// Version says which build of Oppflow a program is.
type Version struct {
	// Version is the module's version, or "(devel)" when the build has no version.
	Version string `json:"version"`
	// Revision is the commit from which the program was built. Modified says that the program was
	// built from files with changes that are not in the commit. Revision and Modified are empty
	// when the build contains no data of the version control system.
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// BuildVersion returns the version of the program that runs.
func BuildVersion() Version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) Version {
	v := Version{Version: info.Main.Version, Go: info.GoVersion, OS: runtime.GOOS, Arch: runtime.GOARCH}
	if v.Version == "" {
		v.Version = "(devel)" // the go command shows the same text
	}
	if v.Go == "" {
		v.Go = runtime.Version()
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		case "GOOS":
			v.OS = setting.Value
		case "GOARCH":
			v.Arch = setting.Value
		}
	}
	return v
}

// String returns the version in one line.
func (v Version) String() string {
	var built []string
	if v.Revision != "" {
		revision := "revision " + v.Revision[:min(len(v.Revision), 12)]
		if v.Modified {
			revision += " with uncommitted changes"
		}
		built = append(built, revision)
	}
	built = append(built, v.Go, v.OS+"/"+v.Arch)
	return fmt.Sprintf("%s (%s)", v.Version, strings.Join(built, ", "))
}

func printVersion(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		return fail(stderr, ExitUsage, fmt.Errorf("unexpected argument %q; oppflow-worker version accepts no arguments", args[0]))
	}
	_, _ = fmt.Fprintln(stdout, "oppflow-worker "+BuildVersion().String())
	return ExitDone
}
