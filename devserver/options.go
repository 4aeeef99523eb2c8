package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

type options struct {
	ip               string // a loopback address
	port, uiPort     int    // 0 is a free port
	headless         bool
	namespace        string
	db               string // "" is in memory
	postgres         string // host:port of PostgreSQL, "" is SQLite
	codecEndpoint    string // URL of a codec server for the Web UI, "" is none
	readyFile        string
	logLevel         string
	searchAttributes map[string]enumspb.IndexedValueType
	dynamicConfig    dynamicconfig.StaticClient
}

// namespaceName matches the namespace names that devserver accepts; the Temporal server itself
// accepts more names.
var namespaceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$`)

// searchAttributeName matches the search attribute names that devserver accepts: names that need no
// quotes in a visibility query.
var searchAttributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,99}$`)

func parse(args []string, help io.Writer) (options, error) {
	o := options{searchAttributes: map[string]enumspb.IndexedValueType{}, dynamicConfig: defaultDynamicConfig()}
	fs := pflag.NewFlagSet("devserver", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.SortFlags = false
	fs.StringVar(&o.ip, "ip", "127.0.0.1", "loopback address to listen on")
	fs.IntVar(&o.port, "port", 7233, "port of the Temporal service; 0 selects a free port")
	fs.IntVar(&o.uiPort, "ui-port", 8233, "port of the Web UI; 0 selects a free port")
	fs.BoolVar(&o.headless, "headless", false, "do not start the Web UI")
	fs.StringVar(&o.namespace, "namespace", "default", "namespace that exists when the server is ready")
	fs.StringVar(&o.db, "db", "", "SQLite `file` that keeps all data across restarts; without this flag, all data is in memory only")
	fs.StringVar(&o.postgres, "postgres", "", "`host:port` of a PostgreSQL server on this machine that keeps all data; the server must accept the user postgres without a password; excludes --db")
	fs.StringVar(&o.codecEndpoint, "codec-endpoint", "", "`URL` of the codec server with which the Web UI decrypts payloads")
	attributes := fs.StringArray("search-attribute", nil, "`Name=Type` of a search attribute of the namespace (repeatable)")
	values := fs.StringArray("dynamic-config-value", nil, "`key=JSON` of the server's dynamic configuration (repeatable)")
	fs.StringVar(&o.logLevel, "log-level", "warn", "log level: debug, info, warn or error")
	fs.StringVar(&o.readyFile, "ready-file", "", "JSON `file` that is written when the Temporal service and the Web UI respond")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			_, _ = fmt.Fprintf(help, "devserver runs a Temporal server with its Web UI, for demonstrations and tests on this machine.\n\nFlags:\n%s", fs.FlagUsages())
		}
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: the server accepts only flags", fs.Arg(0))
	}
	if o.ip == "localhost" {
		o.ip = "127.0.0.1"
	}
	if ip := net.ParseIP(o.ip); ip == nil || !ip.IsLoopback() {
		return o, fmt.Errorf("--ip %q: must be a loopback address such as 127.0.0.1; this server has no access control, so other machines must not reach the server", o.ip)
	}
	if err := checkPort("--port", o.port); err != nil {
		return o, err
	}
	if err := checkPort("--ui-port", o.uiPort); err != nil {
		return o, err
	}
	if !o.headless && o.port != 0 && o.port == o.uiPort {
		return o, fmt.Errorf("--port and --ui-port are both %d: give them different ports", o.port)
	}
	if !namespaceName.MatchString(o.namespace) || o.namespace == "temporal-system" {
		return o, fmt.Errorf("--namespace %q: must be up to 200 letters, digits, dots, dashes and underscores, and not a namespace of the server itself", o.namespace)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, o.logLevel) {
		return o, fmt.Errorf("--log-level %q: must be debug, info, warn or error", o.logLevel)
	}
	if o.postgres != "" {
		host, _, err := net.SplitHostPort(o.postgres)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			return o, fmt.Errorf("--postgres %q: must be a loopback address and a port, such as 127.0.0.1:5432", o.postgres)
		}
		if o.db != "" {
			return o, errors.New("--db and --postgres exclude each other; give one of them")
		}
	}
	if u, err := url.Parse(o.codecEndpoint); o.codecEndpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return o, fmt.Errorf("--codec-endpoint %q: must be an http or https URL, such as http://127.0.0.1:8482", o.codecEndpoint)
	}
	for _, text := range *attributes {
		if err := o.addSearchAttribute(text); err != nil {
			return o, fmt.Errorf("--search-attribute %q: %w", text, err)
		}
	}
	for _, text := range *values {
		if err := o.addDynamicConfig(text); err != nil {
			return o, fmt.Errorf("--dynamic-config-value %q: %w", text, err)
		}
	}
	return o, nil
}

func checkPort(flag string, port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("%s %d: must be a port from 1 to 65535, or 0 to select a free port", flag, port)
	}
	return nil
}

func (o *options) addSearchAttribute(text string) error {
	name, typeName, ok := strings.Cut(text, "=")
	if !ok || !searchAttributeName.MatchString(name) {
		return errors.New("must be Name=Type, such as CustomerId=Keyword; the name may contain letters, digits, dashes and underscores")
	}
	kind, err := enumspb.IndexedValueTypeFromString(typeName)
	if err != nil || kind == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		return errors.New("the type of the search attribute must be Text, Keyword, Int, Double, Bool, Datetime or KeywordList")
	}
	if other, ok := o.searchAttributes[name]; ok && other != kind {
		return fmt.Errorf("the search attribute %s is already given with the type %s", name, other)
	}
	o.searchAttributes[name] = kind
	return nil
}

func (o *options) addDynamicConfig(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return errors.New("must be key=JSON, such as limit.historyCount.suggestContinueAsNew=200")
	}
	if !json.Valid([]byte(value)) {
		return errors.New("the value is not JSON; a JSON string needs double quotes")
	}
	// Every JSON value is also a YAML value. The server's YamlLoader knows all keys of the dynamic
	// configuration and their possible values. addDynamicConfig returns each warning of the
	// YamlLoader as an error, because the server would ignore the wrong value without a message.
	var loader dynamicconfig.YamlLoader
	loader.LoadValue(dynamicconfig.MakeKey(key), fmt.Appendf(nil, `[{"value": %s}]`, value))
	if problems := slices.Concat(loader.Errors, loader.Warnings); len(problems) > 0 {
		return problems[0]
	}
	for k, constrained := range loader.Map {
		o.dynamicConfig[k] = constrained
	}
	return nil
}

// Updates, update-with-start, user metadata and worker heartbeats need no setting, because this
// version of the server enables them by default.
func defaultDynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// The server's default is 20 polls per second for each shard. With 20 polls per second and
		// only one shard, every activity would start 45 to 50 ms later.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   2000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 2000,
		// The limit of visibility requests must be high, because the worker sends one visibility
		// request for each new opportunity, in order to find an earlier opportunity.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 200,
		// If tasks with different fairness keys wait, the server dispatches an equal share of tasks
		// for each fairness key.
		dynamicconfig.MatchingEnableFairness.Key(): true,
		// With several partitions, each partition would get an equal share of the task queue's rate
		// limit, even if the partition has few tasks.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// If ForceSearchAttributesCacheRefreshOnRead is true, a query can use a search attribute as
		// soon as the search attribute is registered.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// The version check is off, because it would contact a server on the Internet.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
