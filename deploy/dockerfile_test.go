package deploy_test

import (
	"regexp"
	"strings"
	"testing"
)

type instruction struct{ word, rest string }

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	var all []instruction
	joined := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		all = append(all, instruction{word, strings.Join(strings.Fields(rest), " ")})
	}
	return all
}

func TestImageIsBuiltWithTheGoOfTheModule(t *testing.T) {
	wanted := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	if wanted == nil {
		t.Fatal("go.mod contains no version of Go")
	}
	var bases []string
	for _, i := range dockerfile(t) {
		if i.word == "FROM" {
			bases = append(bases, i.rest)
		}
	}
	if len(bases) != 2 || bases[0] != "--platform=$BUILDPLATFORM golang:"+wanted[1]+"-bookworm AS build" || bases[1] != "scratch" {
		t.Errorf("built from %q, want golang:%s-bookworm and scratch", bases, wanted[1])
	}
}

func TestImageRunsUnprivileged(t *testing.T) {
	last := map[string]string{}
	final := false
	for _, i := range dockerfile(t) {
		final = final || i.word == "FROM" && i.rest == "scratch"
		if !final {
			continue
		}
		last[i.word] = i.rest
		if i.word == "RUN" {
			t.Errorf("the image has no shell, which %q needs", i.rest)
		}
	}
	for word, want := range map[string]string{
		"USER": "65532:65532",
		"CMD":  `["/oppflow-worker"]`,
		"ENV":  "OPPFLOW_HEALTH_ADDRESS=127.0.0.1:8481",
	} {
		if last[word] != want {
			t.Errorf("%s %s, want %s", word, last[word], want)
		}
	}
	if !strings.HasSuffix(last["HEALTHCHECK"], `CMD ["/oppflow-worker", "healthcheck"]`) {
		t.Errorf("HEALTHCHECK %s", last["HEALTHCHECK"])
	}
	if _, there := last["ENTRYPOINT"]; there {
		t.Error("the Dockerfile has an entry point, which would change the commands of the compose file")
	}
}

// .dockerignore excludes files with secrets and local data from the image.
func TestSecretsStayOutOfTheImage(t *testing.T) {
	ignored := map[string]bool{}
	for line := range strings.Lines(read(t, ".dockerignore")) {
		ignored[strings.TrimSpace(line)] = true
	}
	for _, pattern := range []string{".git", "**/.env", "**/.env.*", "**/*.db"} {
		if !ignored[pattern] {
			t.Errorf(".dockerignore lacks %s", pattern)
		}
	}
}
