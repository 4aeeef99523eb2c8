package deploy_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
	yaml "go.yaml.in/yaml/v4"
)

// oneShotServices are the services of the compose file that run once and then end.
var oneShotServices = []string{"schema", "setup"}

func TestComposeFileIsComplete(t *testing.T) {
	project := load(t, nil)
	want := []string{"postgresql", "sandbox", "schema", "setup", "temporal", "ui", "worker"}
	if diff := cmp.Diff(want, project.ServiceNames()); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

// release matches an image name whose tag is an exact release, such as 1.2.3. A tag with an exact
// release always means the same image. The pattern does not apply to Oppflow's own image, which is
// built on this machine and has no release.
var release = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$`)

func TestImagesArePinned(t *testing.T) {
	for name, service := range load(t, nil).Services {
		switch {
		case service.Build != nil:
			if service.Image != "oppflow:local" || service.Build.Dockerfile != "Dockerfile" || service.Build.Context != checkout(t) {
				t.Errorf("%s: image %s, built from %+v", name, service.Image, service.Build)
			}
		case !release.MatchString(service.Image):
			t.Errorf("%s: image %q names no release", name, service.Image)
		}
	}
	for _, floating := range []string{"postgres", "postgres:16", "postgres:latest", "temporalio/ui:main", "x:1-alpine"} {
		if release.MatchString(floating) {
			t.Errorf("the pattern accepts %s as a release", floating)
		}
	}
}

func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The images of the Temporal server, its schema tool and the Web UI have the versions in
// devserver/go.mod, which the other tests use.
func TestTemporalHasTheVersionThatIsTested(t *testing.T) {
	module := read(t, "devserver/go.mod")
	services := load(t, nil).Services
	for service, want := range map[string]string{
		"temporal": "temporalio/server:" + required(t, module, "go.temporal.io/server"),
		"schema":   "temporalio/admin-tools:" + required(t, module, "go.temporal.io/server"),
		"ui":       "temporalio/ui:" + required(t, module, "github.com/temporalio/ui-server/v2"),
	} {
		if got := services[service].Image; got != want {
			t.Errorf("%s: image %s, but devserver/go.mod has %s", service, got, want)
		}
	}
}

func required(t *testing.T, gomod, module string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(module) + ` v(\S+)`).FindStringSubmatch(gomod)
	if found == nil {
		t.Fatalf("go.mod has no %s", module)
	}
	return found[1]
}

// If a service depends on a one-shot service, the service waits until the one-shot service has
// ended successfully. If a service depends on any other service, the service waits until that
// service is healthy.
func TestServicesWaitForWhatTheyNeed(t *testing.T) {
	for name, service := range load(t, nil).Services {
		for on, dependency := range service.DependsOn {
			want := types.ServiceConditionHealthy
			if slices.Contains(oneShotServices, on) {
				want = types.ServiceConditionCompletedSuccessfully
			}
			if dependency.Condition != want || !dependency.Required {
				t.Errorf("%s waits for %s: %+v, want %s", name, on, dependency, want)
			}
		}
	}
	// Every depends_on must contain a condition, because the default condition is wrong for every
	// service of this compose file.
	var written struct {
		Services map[string]struct {
			DependsOn yaml.Node `yaml:"depends_on"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &written); err != nil {
		t.Fatal(err)
	}
	for name, service := range written.Services {
		if !service.DependsOn.IsZero() && service.DependsOn.Kind != yaml.MappingNode {
			t.Errorf("%s: depends_on without conditions", name)
		}
		for i := 1; i < len(service.DependsOn.Content); i += 2 {
			if node := service.DependsOn.Content[i]; node.Kind != yaml.MappingNode || !slices.ContainsFunc(node.Content, func(n *yaml.Node) bool { return n.Value == "condition" }) {
				t.Errorf("%s: depends_on %s without a condition", name, service.DependsOn.Content[i-1].Value)
			}
		}
	}
}

// A service that connects to another service must wait for the other service in depends_on.
func TestServicesWaitForWhatTheyConnectTo(t *testing.T) {
	project := load(t, nil)
	for name, service := range project.Services {
		for variable, value := range setVariables(service) {
			for _, other := range project.ServiceNames() {
				if !regexp.MustCompile(`(^|//)`+other+`(:\d+|/|$)`).MatchString(value) || credential(variable) || strings.HasSuffix(variable, "DBNAME") {
					continue
				}
				if _, waits := service.DependsOn[other]; !waits {
					t.Errorf("%s has %s=%s but does not wait for %s", name, variable, value, other)
				}
			}
		}
	}
}

// credential reports whether an environment variable contains a user name, a password or a token.
// The value of a credential variable is never a host name, even if the value equals the name of a
// service.
func credential(variable string) bool {
	return strings.HasSuffix(variable, "_USER") || strings.HasSuffix(variable, "_PWD") || strings.HasSuffix(variable, "_PASSWORD") || strings.HasSuffix(variable, "_TOKEN")
}

func TestNothingIsPublishedBeyondThisMachine(t *testing.T) {
	published := map[string]int{}
	for name, service := range load(t, nil).Services {
		if service.NetworkMode != "" || len(service.Networks) != 1 {
			t.Errorf("%s: network mode %q, networks %v", name, service.NetworkMode, service.Networks)
		}
		if service.Privileged || service.ContainerName != "" {
			t.Errorf("%s: privileged %t, container name %q", name, service.Privileged, service.ContainerName)
		}
		for _, port := range service.Ports {
			published[name]++
			if ip := net.ParseIP(port.HostIP); ip == nil || !ip.IsLoopback() {
				t.Errorf("%s publishes %s at %q", name, port.Published, port.HostIP)
			}
			if port.Published == "" {
				t.Errorf("%s publishes port %d at a random port; want a fixed port", name, port.Target)
			}
		}
	}
	if diff := cmp.Diff(map[string]int{"sandbox": 1, "temporal": 1, "ui": 1}, published); diff != "" {
		t.Errorf("published ports (-want +got):\n%s", diff)
	}
}

// Data that must survive a restart is in named volumes. All other volumes mount files of the
// repository, read only.
func TestDataLiesInNamedVolumes(t *testing.T) {
	project := load(t, nil)
	mounted := map[string]string{}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			switch volume.Type {
			case types.VolumeTypeVolume:
				if _, named := project.Volumes[volume.Source]; !named {
					t.Errorf("%s: the volume at %s has no name", name, volume.Target)
				}
				mounted[volume.Source] = name + ":" + volume.Target
			case types.VolumeTypeBind:
				if _, err := os.Stat(volume.Source); err != nil || !volume.ReadOnly {
					t.Errorf("%s mounts %s (read only: %t): %v", name, volume.Source, volume.ReadOnly, err)
				}
			default:
				t.Errorf("%s: a volume of type %s at %s", name, volume.Type, volume.Target)
			}
		}
	}
	want := map[string]string{"postgresql": "postgresql:/var/lib/postgresql/data", "sandbox": "sandbox:/data", "worker": "worker:/data"}
	if diff := cmp.Diff(want, mounted); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
}

func TestServicesAreWatchedAndBounded(t *testing.T) {
	for name, service := range load(t, nil).Services {
		step := slices.Contains(oneShotServices, name)
		switch check := service.HealthCheck; {
		case step:
			if check != nil && !check.Disable {
				t.Errorf("%s runs only once, but has a health check", name)
			}
			if !strings.HasPrefix(service.Restart, "on-failure:") {
				t.Errorf("%s: restart %q", name, service.Restart)
			}
		case check == nil || check.Disable || len(check.Test) < 2 || check.Test[0] != "CMD" || check.Interval == nil || check.Timeout == nil || check.Retries == nil || check.StartPeriod == nil:
			t.Errorf("%s: health check %+v", name, check)
		case service.Restart != types.RestartPolicyUnlessStopped:
			t.Errorf("%s: restart %q", name, service.Restart)
		case service.Deploy == nil || service.Deploy.Resources.Limits == nil || service.Deploy.Resources.Limits.MemoryBytes <= 0:
			t.Errorf("%s has no memory limit", name)
		}
		if service.Logging == nil || service.Logging.Options["max-size"] == "" || service.Logging.Options["max-file"] == "" {
			t.Errorf("%s: the size of the log is not limited: %+v", name, service.Logging)
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s lacks the security option no-new-privileges", name)
		}
		if service.Build != nil && (!service.ReadOnly || !slices.Contains(service.CapDrop, "ALL") || len(service.Tmpfs) == 0) {
			t.Errorf("%s: read_only is %t, cap_drop is %v, tmpfs is %v", name, service.ReadOnly, service.CapDrop, service.Tmpfs)
		}
	}
}

// A worker that stops first completes its running work. The worker may need 40 s for API requests,
// 5 s for workflow tasks, and up to 10 s for the last messages to Temporal.
func TestWorkerMayFinishWhenItStops(t *testing.T) {
	const needed = 45*time.Second + 10*time.Second
	grace := load(t, nil).Services["worker"].StopGracePeriod
	if grace == nil || time.Duration(*grace) < needed {
		t.Errorf("the worker is killed after %v, but the worker may need %v to stop", grace, needed)
	}
}

// deploy/.env.example lists every variable of the compose file with its default, and no variable
// that the compose file does not use.
func TestExampleListsEveryVariable(t *testing.T) {
	var content map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &content); err != nil {
		t.Fatal(err)
	}
	used := template.ExtractVariables(content, template.DefaultPattern)
	told := example(t)
	for name, variable := range used {
		value, there := told[name]
		if !there {
			t.Errorf("deploy/.env.example does not list the variable %s", name)
		}
		if variable.DefaultValue != "" && !strings.Contains(variable.DefaultValue, "${") && value != variable.DefaultValue && name != "ADMINISTRATE_URL" {
			t.Errorf("deploy/.env.example has %s=%s, but the default is %s", name, value, variable.DefaultValue)
		}
	}
	for name := range told {
		if _, there := used[name]; !there {
			t.Errorf("deploy/.env.example lists the variable %s, which docker-compose.yml does not use", name)
		}
	}
	if len(used) < 10 {
		t.Errorf("only %d variables were found", len(used))
	}
}

// If a user sets all variables of deploy/.env.example to the values in the file, only the settings
// of the tenant differ from the defaults.
func TestExampleCanBeUsed(t *testing.T) {
	plain, told := load(t, nil), example(t)
	settled := load(t, told)
	for name, service := range plain.Services {
		want, got := setVariables(service), setVariables(settled.Services[name])
		if name == "ui" {
			want["TEMPORAL_CODEC_ENDPOINT"] = told["TEMPORAL_CODEC_ENDPOINT"] // no other part starts the codec server
		}
		if name == "worker" {
			want["ADMINISTRATE_URL"], want["ADMINISTRATE_TOKEN"] = "https://api.getadministrate.com/graphql", ""
			for variable, value := range told {
				if want[variable] == "" && got[variable] == value {
					want[variable] = value // a default of the worker itself
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-without +with the example):\n%s", name, diff)
		}
	}
}

// Of all services, only the worker receives the access token of a tenant. If a tenant's token is
// set, the worker does not receive the token of the sandbox.
func TestTokensReachOnlyTheirService(t *testing.T) {
	const tenant, local = "tk-3141592653", "sandbox-2718281828"
	services := load(t, map[string]string{
		"ADMINISTRATE_URL": "https://example.com/graphql", "ADMINISTRATE_TOKEN": tenant, "SANDBOX_TOKEN": local, "POSTGRES_PASSWORD": "pw-1414213562",
	}).Services
	for name, service := range services {
		var all []string
		for _, value := range setVariables(service) {
			all = append(all, value)
		}
		text := strings.Join(slices.Concat(all, service.Command, service.Entrypoint), " ")
		for secret, owners := range map[string][]string{tenant: {"worker"}, local: {"sandbox"}, "pw-1414213562": {"postgresql", "schema", "temporal"}} {
			if strings.Contains(text, secret) != slices.Contains(owners, name) {
				t.Errorf("%s has the secret %s: %t", name, secret, strings.Contains(text, secret))
			}
		}
	}
	without := load(t, map[string]string{"SANDBOX_TOKEN": local}).Services
	if got := setVariables(without["worker"])["ADMINISTRATE_TOKEN"]; got != local || !slices.Contains(without["sandbox"].Command, local) {
		t.Errorf("without a tenant the worker has the token %q and the sandbox has the command %v", got, without["sandbox"].Command)
	}
}
