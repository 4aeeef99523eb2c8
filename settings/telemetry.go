package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Exporter is the destination of one kind of telemetry.
type Exporter string

// The exporters.
const (
	ExportNothing    Exporter = ""
	ExportOTLP       Exporter = "otlp"
	ExportConsole    Exporter = "console"
	ExportPrometheus Exporter = "prometheus" // metrics only: Prometheus fetches them
)

// Protocol is the protocol of an OTLP exporter.
type Protocol string

// The protocols.
const (
	ProtocolHTTP Protocol = "http/protobuf"
	ProtocolGRPC Protocol = "grpc"
)

// Telemetry contains the settings for the export of traces and metrics. All settings of Telemetry
// come from the standard OTEL_* variables of OpenTelemetry; Telemetry has no flags. OpenTelemetry
// exports by default, but Oppflow exports only if one of these variables is set:
// OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT.
// OTEL_SDK_DISABLED=true turns every export off. Call Resolve before use; the zero value of
// Telemetry exports nothing.
//
// The OpenTelemetry libraries read all further settings (headers, certificates, sampler, batching,
// resource) from the environment of the process. The OpenTelemetry libraries ignore values that
// they do not understand, so Resolve also checks these settings. Resolve returns an error if
// Environment and the environment of the process have different values for a variable of
// OpenTelemetry.
type Telemetry struct {
	// Traces is where traces are exported: OTEL_TRACES_EXPORTER.
	Traces Exporter
	// Metrics is where metrics are exported: OTEL_METRICS_EXPORTER.
	Metrics Exporter
	// TracesProtocol is OTEL_EXPORTER_OTLP_TRACES_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL. The default is http/protobuf.
	TracesProtocol Protocol
	// MetricsProtocol is OTEL_EXPORTER_OTLP_METRICS_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL. The default is http/protobuf.
	MetricsProtocol Protocol
	// Propagators are the names of the formats in which requests to the API contain the trace:
	// OTEL_PROPAGATORS. By default, requests to the API contain no trace, because the API belongs to
	// another company.
	Propagators []string
	// PrometheusAddress is the host:port at which Prometheus fetches metrics:
	// OTEL_EXPORTER_PROMETHEUS_HOST and OTEL_EXPORTER_PROMETHEUS_PORT. The default is localhost:9464.
	PrometheusAddress string
	// Environment contains the variables that Resolve reads; nil means the environment of the process.
	Environment Environment
}

// On reports whether anything is exported. The result is valid after Resolve.
func (t *Telemetry) On() bool { return t.Traces != ExportNothing || t.Metrics != ExportNothing }

// Resolve fills the empty fields of Telemetry from the environment.
func (t *Telemetry) Resolve() error {
	env := t.Environment
	if disabled, ok := env.LookupEnv("OTEL_SDK_DISABLED"); ok {
		switch strings.ToLower(disabled) {
		case "true":
			t.Traces, t.Metrics = ExportNothing, ExportNothing
			return nil
		case "false":
		default:
			return fmt.Errorf("OTEL_SDK_DISABLED %q: must be true or false", disabled)
		}
	}
	var err error
	if t.Traces == ExportNothing {
		if t.Traces, err = t.exporter("TRACES", ExportOTLP, ExportConsole); err != nil {
			return err
		}
	}
	if t.Metrics == ExportNothing {
		if t.Metrics, err = t.exporter("METRICS", ExportOTLP, ExportPrometheus, ExportConsole); err != nil {
			return err
		}
	}
	if !t.On() {
		return nil
	}
	for _, v := range telemetryVariables() {
		if value, ok := env.LookupEnv(v.name); ok {
			if err := v.check(value); err != nil {
				return fmt.Errorf("%s%s: %w", v.name, v.quoted(value), err)
			}
		}
	}
	if name := t.differingVariable(); name != "" {
		return fmt.Errorf("%s: OpenTelemetry reads this variable from the environment of the process, where the variable has another value; set the variable in that environment", name)
	}
	protocol := func(own Protocol, kind string) Protocol {
		first := func(values ...string) Protocol {
			return Protocol(values[slices.IndexFunc(values, func(v string) bool { return v != "" })])
		}
		return first(string(own), env.Get("OTEL_EXPORTER_OTLP_"+kind+"_PROTOCOL"), env.Get("OTEL_EXPORTER_OTLP_PROTOCOL"), string(ProtocolHTTP))
	}
	t.TracesProtocol, t.MetricsProtocol = protocol(t.TracesProtocol, "TRACES"), protocol(t.MetricsProtocol, "METRICS")
	if names, ok := env.LookupEnv("OTEL_PROPAGATORS"); ok && t.Propagators == nil {
		t.Propagators = splitList(names)
	}
	if t.PrometheusAddress == "" {
		host, port := env.Get("OTEL_EXPORTER_PROMETHEUS_HOST"), env.Get("OTEL_EXPORTER_PROMETHEUS_PORT")
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = "9464"
		}
		t.PrometheusAddress = net.JoinHostPort(host, port)
	}
	return nil
}

// exporter returns the destination of one kind of telemetry, which is TRACES or METRICS. If
// OTEL_<kind>_EXPORTER is not set but the variable of an OTLP endpoint is set, the destination is
// OTLP.
func (t *Telemetry) exporter(kind string, known ...Exporter) (Exporter, error) {
	variable := "OTEL_" + kind + "_EXPORTER"
	value, ok := t.Environment.LookupEnv(variable)
	if !ok {
		for _, endpoint := range []string{"OTEL_EXPORTER_OTLP_" + kind + "_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
			if _, ok := t.Environment.LookupEnv(endpoint); ok {
				return ExportOTLP, nil
			}
		}
		return ExportNothing, nil
	}
	if value == "none" {
		return ExportNothing, nil
	}
	names := make([]string, 0, len(known)+1)
	for _, e := range known {
		if string(e) == value {
			return e, nil
		}
		names = append(names, string(e))
	}
	return ExportNothing, fmt.Errorf("%s %q: must be %s or none", variable, value, strings.Join(names, ", "))
}

// differingVariable returns the name of a variable of OpenTelemetry whose value in Environment
// differs from the value in the environment of the process.
func (t *Telemetry) differingVariable() string {
	if t.Environment == nil {
		return ""
	}
	var process Environment
	for _, pair := range append(process.Environ(), t.Environment.Environ()...) {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "OTEL_") && t.Environment.Get(name) != process.Get(name) {
			return name
		}
	}
	return ""
}

type telemetryVariable struct {
	name   string
	secret bool // the value is secret, so no error text shows the value
	check  func(string) error
}

func (v telemetryVariable) quoted(value string) string {
	if v.secret {
		return ""
	}
	return fmt.Sprintf(" %q", value)
}

func telemetryVariables() []telemetryVariable {
	all := []telemetryVariable{
		{name: "OTEL_TRACES_SAMPLER", check: checkOneOf("always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")},
		{name: "OTEL_TRACES_SAMPLER_ARG", check: checkRatio},
		{name: "OTEL_PROPAGATORS", check: checkEach(checkOneOf("tracecontext", "baggage", "b3", "b3multi", "jaeger", "xray", "ottrace", "none"))},
		{name: "OTEL_RESOURCE_ATTRIBUTES", check: checkPairs},
		{name: "OTEL_EXPORTER_PROMETHEUS_PORT", check: checkPort},
	}
	for _, name := range []string{
		"OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
		"OTEL_METRIC_EXPORT_INTERVAL", "OTEL_METRIC_EXPORT_TIMEOUT",
	} {
		all = append(all, telemetryVariable{name: name, check: checkPositive})
	}
	for _, kind := range []string{"", "TRACES_", "METRICS_"} {
		all = append(all,
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "PROTOCOL", check: checkOneOf(string(ProtocolHTTP), string(ProtocolGRPC))},
			// An error message contains no collector URL and no headers, because a URL may contain a
			// password, and headers contain keys.
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "ENDPOINT", check: checkCollectorURL, secret: true},
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "HEADERS", check: checkPairs, secret: true},
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "TIMEOUT", check: checkPositive},
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "COMPRESSION", check: checkOneOf("gzip", "none")},
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "CERTIFICATE", check: checkReadableFile},
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "CLIENT_CERTIFICATE", check: checkReadableFile},
			telemetryVariable{name: "OTEL_EXPORTER_OTLP_" + kind + "CLIENT_KEY", check: checkReadableFile},
		)
	}
	return all
}

func checkOneOf(words ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(words, value) {
			return nil
		}
		last := len(words) - 1
		return fmt.Errorf("must be %s or %s", strings.Join(words[:last], ", "), words[last])
	}
}

func checkEach(check func(string) error) func(string) error {
	return func(value string) error {
		for _, entry := range splitList(value) {
			if err := check(entry); err != nil {
				return err
			}
		}
		return nil
	}
}

func splitList(value string) []string {
	entries := strings.Split(value, ",")
	for i, entry := range entries {
		entries[i] = strings.TrimSpace(entry)
	}
	return entries
}

func checkRatio(value string) error {
	if part, err := strconv.ParseFloat(value, 64); err != nil || !(part >= 0 && part <= 1) {
		return errors.New("must be a number from 0 to 1")
	}
	return nil
}

func checkPositive(value string) error {
	if n, err := strconv.ParseUint(value, 10, 31); err != nil || n == 0 {
		return errors.New("must be a whole number greater than 0 (times are in milliseconds)")
	}
	return nil
}

func checkPort(value string) error {
	if n, err := strconv.ParseUint(value, 10, 16); err != nil || n == 0 {
		return errors.New("must be a number from 1 to 65535")
	}
	return nil
}

// checkPairs requires the form key=value,key=value with values that are encoded as in a URL.
func checkPairs(value string) error {
	for _, entry := range splitList(value) {
		key, text, ok := strings.Cut(entry, "=")
		if _, err := url.PathUnescape(text); !ok || strings.TrimSpace(key) == "" || err != nil {
			return errors.New("must be key=value pairs separated by commas, with percent-encoding as in a URL")
		}
	}
	return nil
}

func checkCollectorURL(value string) error {
	if u, err := url.Parse(value); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("must be a URL such as http://localhost:4318, or http://localhost:4317 for the protocol grpc")
	}
	return nil
}

func checkReadableFile(path string) error {
	if _, err := os.ReadFile(path); err != nil {
		return fmt.Errorf("must be the path of a file that can be read: %s", fileReason(err))
	}
	return nil
}

// fileReason returns the cause of a file's error without the path, because the caller's error
// contains the path.
func fileReason(err error) string {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err.Error()
	}
	return err.Error()
}
