package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// options are the checked options of the program.
type options struct {
	ip               string // a loopback address
	port, uiPort     int    // 0 is a free port
	headless         bool   // without the Web UI
	namespace        string
	db               string // "" is in memory
	postgres         string // host:port of PostgreSQL, "" is SQLite
	readyFile        string
	logLevel         string
	searchAttributes map[string]enumspb.IndexedValueType
	dynamicConfig    dynamicconfig.StaticClient
}

// namespaceName is the form of a namespace's name here. The server itself would accept more.
var namespaceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$`)

// searchAttributeName is the form of a search attribute's name here: a name that needs no quoting
// in a query.
var searchAttributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,99}$`)

// parse reads the command line. An error names the flag and the right form. With the flag for help,
// parse writes the help and returns pflag.ErrHelp.
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
	// JSON is YAML. The server's loader knows all keys and their possible values. A warning is an
	// error here, because the server would ignore the value without a message.
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

// defaultDynamicConfig returns the settings that differ from the server's own defaults. Updates,
// update-with-start, user metadata and worker heartbeats need no setting, because this version of
// the server enables them by default.
func defaultDynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// The default is 20 polls per second and shard. With the default and only one shard, every
		// activity would wait 45 to 50 ms for a poll.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   2000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 2000,
		// For each opportunity that a worker starts, the worker sends one visibility request to
		// find an earlier opportunity.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 200,
		// The server dispatches waiting tasks in fair shares, one share for each fairness key.
		dynamicconfig.MatchingEnableFairness.Key(): true,
		// A rate limit of a task queue is divided among its partitions. The unused share of a partition is lost.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// A search attribute is usable as soon as it is registered.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// The version check would contact a server on the Internet.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
