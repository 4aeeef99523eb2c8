package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// commands are all commands. TestEveryCommandIsHere keeps the list complete.
var commands = []string{
	"acknowledge", "add-interest", "cancel-follow-up", "check", "close", "codec-server", "completion", "confirm", "demo", "extend", "help", "keys", "list", "outcome", "pause", "playbook", "progress", "recover", "refresh", "resume", "retry", "sandbox", "search", "setup", "show", "skip", "snooze", "start", "up", "update", "version", "watch",
}

func TestEveryCommandIsHere(t *testing.T) {
	// The shell completion offers every command.
	offered := oppflow(t, nil, "__complete", "")
	var names []string
	for line := range strings.Lines(offered.stdout) {
		if name, _, found := strings.Cut(line, "\t"); found {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, commands) {
		t.Errorf("the commands are %v, the tests have %v", names, commands)
	}
}

func TestUsageErrorsAreOneLineAndExitCode2(t *testing.T) {
	api := []string{"ADMINISTRATE_URL=http://127.0.0.1:1/graphql", "ADMINISTRATE_TOKEN=t"}
	taken := listen(t)
	defer func() { _ = taken.Close() }()
	tests := []struct {
		args string // split at spaces; ␣ is a space
		env  []string
		want []string
	}{
		{"strat", nil, []string{`"strat"`, "did you mean start?", "oppflow --help"}},
		{"stat␣us", nil, []string{`"stat us"`}},
		{"a\nb", nil, []string{`a\nb`}},
		{"Show x", nil, []string{"did you mean show?"}},
		{"--fast", nil, []string{"--fast", "oppflow --help"}},
		{"help strat", nil, []string{`"strat"`, "did you mean start?"}},
		{"help start lead", nil, []string{`"lead"`}},
		{"completion bash now", nil, []string{`"now"`}},

		{"codec-server", nil, []string{"--encryption-keys or OPPFLOW_ENCRYPTION_KEYS is missing", "oppflow keys create"}},
		{"codec-server --listen :8482", nil, []string{"--listen", "loopback", "--token-file or --jwks"}},
		{"codec-server --listen nowhere", nil, []string{"--listen", "host:port"}},
		{"codec-server --origin https://ui.example.com/", nil, []string{"--origin", "without a slash"}},
		{"codec-server --token-file /none", nil, []string{"OPPFLOW_CODEC_TOKEN_FILE", "/none", "no such file"}},
		{"codec-server --jwks /none", nil, []string{"--jwt-issuer and --jwt-audience"}},
		{"codec-server --jwt-issuer i", nil, []string{"need --jwks"}},
		{"codec-server --tls-cert /cert.pem", nil, []string{"--tls-cert and --tls-key"}},
		{"keys", nil, []string{"subcommand create, list, add, promote or remove is missing"}},
		{"keys rotate", nil, []string{`"rotate"`}},
		{"keys promote keys.json", nil, []string{"KEY is missing"}},
		{"keys promote keys.json first", nil, []string{`key id "first"`, "0 to 4294967295"}},
		{"show lead --encryption-keys /none.json", nil, []string{"OPPFLOW_ENCRYPTION_KEYS", "/none.json", "no such file"}},

		{"start", nil, []string{"REF is missing", "oppflow start REF --name NAME --region REGION"}},
		{"start lead", nil, []string{"--name is missing", "First Aid course"}},
		{"start lead --name n", nil, []string{"--region is missing", "--region UK"}},
		{"start lead two --name n --region UK", nil, []string{`"two"`}},
		{"start a@b --name n --region UK", nil, []string{"REF:", `"@"`}},
		{"start lead --name n --region T3Bwb3J0dW5pdHlTdGVwOjM=", nil, []string{"--region:", "OpportunityStep", "a region"}},
		{"start lead --name n --region UK --account UmVnaW9uOkRS", nil, []string{"--account:", "Region", "an account"}},
		{"start lead --name n --region UK --entry-step UmVnaW9uOkRS", nil, []string{"--entry-step:", "a step"}},
		{"start lead --name n --region UK --request-id #1", nil, []string{"--request-id:", `"#"`}},
		{"start lead --name n --region UK --request-id=", nil, []string{"--request-id", "must not be empty"}},
		{"progress lead --to Won --request-id=", nil, []string{"--request-id", "must not be empty"}},
		{"pause lead --request-id=", nil, []string{"--request-id", "must not be empty"}},
		{"show Zu\u0308rich-1", nil, []string{"REF:", `"Zürich-1"`}},
		{"start lead --nam n", nil, []string{"--nam", "did you mean --name?", "oppflow start --help"}},
		{"start lead -x", nil, []string{"-x"}},
		{"start lead --name", nil, []string{"--name needs a value"}},
		{"start lead --name n --region UK --output xml", nil, []string{"--output", `"xml"`, "table or json"}},
		{"start lead --name n --region UK --timeout soon", nil, []string{"--timeout", `"soon"`, "90s"}},
		{"start lead --name n --region UK --timeout 0s", nil, []string{"--timeout", "greater than 0"}},
		{"start lead --name n --region UK --temporal-address nowhere", nil, []string{"--temporal-address", "host:port"}},
		{"start lead --name n --region UK", []string{"TEMPORAL_ADDRESS=http://x:7233"}, []string{"TEMPORAL_ADDRESS", "without http://"}},
		{"start lead --name n --region UK --temporal-profile nope", nil, []string{"--temporal-profile", "nope"}},

		{"add-interest", nil, []string{"REF is missing"}},
		{"add-interest lead --amount 1", nil, []string{"--item is missing"}},
		{"add-interest lead --item ABC-123 --kind course", nil, []string{"--amount is missing", "199.90"}},
		{"add-interest lead --item ABC-123 --amount 1", nil, []string{"--kind:", "course, event, path or tokens"}},
		{"add-interest lead --item ABC-123 --amount 1 --kind trip", nil, []string{"--kind", `"trip"`, "course, event, path or tokens"}},
		{"add-interest lead --item Q291cnNlOjE= --amount 1 --kind course", nil, []string{"--kind:", "event"}},
		{"add-interest lead --item UmVnaW9uOkRS --amount 1", nil, []string{"--item:", "Region"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1,99", nil, []string{"--amount", `"1,99"`, "199.90"}},
		{"add-interest lead --item ABC-123 --kind course --amount -1", nil, []string{"--amount", "199.90"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1e3", nil, []string{"--amount"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --quantity 0", nil, []string{"--quantity", `"0"`, "from 1 to 1000000"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --quantity 1.5", nil, []string{"--quantity", "whole number"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --reserve", nil, []string{"--reserve:", "event"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --reserve=maybe", nil, []string{"--reserve", "true or false"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --expires-at 2023-12-31T23:59:59", nil, []string{"--expires-at:", "tokens"}},
		{"add-interest lead --item T --kind tokens --amount 1 --expires-at 2023-12-31", nil, []string{"--expires-at:", "2023-12-31T23:59:59"}},
		{"add-interest lead --item T --kind tokens --amount 1 --expires-at 2023-12-31T23:59:59Z", nil, []string{"--expires-at:", "without a zone"}},
		{"add-interest lead --item T --kind tokens --amount 1 --learner A␣B␣<a@b.example>", nil, []string{"--learner:", "leave learners"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --contact 4711", nil, []string{"--contact", "number 1", "contact"}},
		{"add-interest lead --item ABC-123 --kind course --amount 1 --tax low", nil, []string{"--tax:", `"low"`}},

		{"update lead", nil, []string{"nothing to update", "--name, --account or --currency"}},
		{"update", nil, []string{"REF is missing"}},
		{"update lead --name ", nil, []string{"--name is empty"}},
		{"update lead --account UmVnaW9uOkRS", nil, []string{"--account:", "an account"}},

		{"progress", nil, []string{"REF is missing"}},
		{"progress lead", nil, []string{"--to is missing", "--to Won"}},
		{"progress lead Won", nil, []string{`"Won"`, "--to STEP"}},
		{"progress lead --to UmVnaW9uOkRS", nil, []string{"--to:", "a step"}},

		{"show", nil, []string{"REF is missing"}},
		{"show ␣lead", nil, []string{"REF:", "white space"}},
		{"show ", nil, []string{"REF:", "missing"}},
		{"show lead --outptu json", nil, []string{"did you mean --output?"}},
		{"show lead", []string{"TEMPORAL_TLS=perhaps"}, []string{"TEMPORAL_TLS", "true or false"}},

		{"retry lead", nil, []string{"REQUEST is missing"}},
		{"retry lead ␣", nil, []string{"REQUEST:", "missing"}},
		{"confirm lead", nil, []string{"REQUEST is missing"}},
		{"confirm lead r --record lead", nil, []string{"--record:", "not the id of an opportunity"}},
		{"skip lead", nil, []string{"REQUEST is missing"}},
		{"skip lead r", nil, []string{"--reason is missing"}},
		{"skip lead r --reason ␣", nil, []string{"--reason:", "missing"}},

		{"start lead --adopt ", nil, []string{"--adopt is empty", "T3Bwb3J0dW5pdHk6MQ=="}},
		{"start lead --adopt 4711", nil, []string{"--adopt:", "id of an Opportunity"}},
		{"start lead --adopt UmVnaW9uOkRS", nil, []string{"--adopt:", "id of an Opportunity"}},
		{"start lead --adopt T3Bwb3J0dW5pdHk6MQ== --name n", nil, []string{"--adopt:", "cannot be combined with name"}},

		{"extend lead", nil, []string{"--until is missing", "2026-12-31T17:00:00Z"}},
		{"extend lead --until 2026-12-31", nil, []string{"--until", `"2026-12-31"`, "with a UTC offset"}},
		{"extend lead --until 2026-12-31T17:00:00", nil, []string{"--until", "with a UTC offset"}},
		{"extend", nil, []string{"REF is missing"}},
		{"pause", nil, []string{"REF is missing"}},
		{"pause lead --reason ", nil, []string{"--reason is empty"}},
		{"pause lead now", nil, []string{`"now"`}},
		{"resume lead --request-id #1", nil, []string{"--request-id:", `"#"`}},
		{"recover", nil, []string{"--backup is missing", "2026-11-29T03:00:00Z"}},
		{"recover --backup yesterday", nil, []string{"--backup", `"yesterday"`}},
		{"recover --backup 2999-01-01T00:00:00Z", nil, []string{"--backup", "is in the future"}},
		{"recover now", nil, []string{`"now"`}},
		{"refresh a@b", nil, []string{"REF:", `"@"`}},
		{"snooze lead f", nil, []string{"--until is missing", "2026-12-31T17:00:00Z"}},
		{"snooze lead --until 2026-12-31T17:00:00Z", nil, []string{"FOLLOW-UP is missing"}},
		{"snooze lead f --until 2026-12-31", nil, []string{"--until", `"2026-12-31"`, "with a UTC offset"}},
		{"snooze lead f --until 2026-12-31T17:00:00Z --reason ", nil, []string{"--reason is empty"}},
		{"snooze lead  --until 2026-12-31T17:00:00Z", nil, []string{"FOLLOW-UP:", "missing"}},
		{"acknowledge lead", nil, []string{"REQUEST is missing"}},
		{"cancel-follow-up lead f", nil, []string{"--reason is missing"}},
		{"cancel-follow-up lead --reason so", nil, []string{"FOLLOW-UP is missing"}},
		{"cancel-follow-up lead  --reason so", nil, []string{"FOLLOW-UP:", "missing"}},
		{"cancel-follow-up lead f --reason ␣", nil, []string{"--reason:", "missing"}},
		{"close lead", nil, []string{"--reason is missing"}},
		{"close lead --reason ␣", nil, []string{"--reason:", "missing"}},
		{"outcome lead", nil, []string{"REQUEST is missing"}},
		{"outcome lead ", nil, []string{"REQUEST is empty"}},
		{"watch", nil, []string{"REF is missing"}},
		{"watch lead --every 0s", nil, []string{"--every", "greater than 0"}},
		{"watch lead --timeout never", nil, []string{"--timeout", `"never"`}},

		{"search here", api, []string{`"here"`}},
		{"search", nil, []string{"ADMINISTRATE_URL"}},
		{"search", []string{"ADMINISTRATE_URL=ftp://x"}, []string{"ADMINISTRATE_URL", "https://"}},
		{"search", []string{"ADMINISTRATE_URL=http://x/graphql"}, []string{"ADMINISTRATE_TOKEN"}},
		{"search --limit 0", api, []string{"--limit", "from 1 to 10000"}},
		{"search --filter regionName", api, []string{"--filter", "field=value", "regionName=UK"}},
		{"search --filter =UK", api, []string{"--filter", "regionName"}},
		{"search --filter regionName=", api, []string{"no value", "regionName:isnull"}},
		{"search --filter regionName:eq:", api, []string{"regionName:eq:UK"}},
		{"search --filter regionName:is:UK", api, []string{`"is"`, "eq ne gt ge lt le like wordlike in notin contains isnull notnull"}},
		{"search --filter regionName:in:UK,,DR", api, []string{"commas"}},
		{"search --filter regionName:in", api, []string{"commas"}},
		{"search --filter regionName:isnull:UK", api, []string{"accepts no value"}},

		{"list here", nil, []string{`"here"`}},
		{"list --status open", nil, []string{"--status", `"open"`, "running, closed, completed"}},
		{"list --state running", nil, []string{"--state", "open, won, lost, archived"}},
		{"list --attention urgent", nil, []string{"--attention", `"urgent"`, "any, task, undecided"}},
		{"list --limit 0", nil, []string{"--limit", "from 1 to 10000"}},
		{"list --query a)␣or␣(b", nil, []string{"--query", "brackets and quotes in pairs"}},
		{"list --query (a", nil, []string{"--query"}},
		{"list --query a=\"b", nil, []string{"--query"}},
		{"list --query a=1␣--", nil, []string{"--query"}},
		{"list --query a=1␣/*", nil, []string{"--query"}},
		{"list --query a=1;", nil, []string{"--query"}},

		{"check here", api, []string{`"here"`}},
		{"check", nil, []string{"ADMINISTRATE_URL"}},
		{"check --output xml", api, []string{"--output", "table or json"}},

		{"playbook", nil, []string{"check, explain, preview, deploy, list or rollback is missing"}},
		{"playbook chekc x", nil, []string{`"chekc"`, "did you mean check?", "oppflow playbook --help"}},
		{"playbook --fast", nil, []string{"--fast", "oppflow playbook --help"}},
		{"playbook check", nil, []string{"FILE is missing", "oppflow playbook check FILE"}},
		{"playbook check ", nil, []string{"FILE is empty"}},
		{"playbook check a b", nil, []string{`"b"`}},
		{"playbook check /no/such/file", nil, []string{"FILE", "no such file"}},
		{"playbook check /", nil, []string{"FILE", "directory"}},
		{"playbook check - --output xml", nil, []string{"--output", "table or json"}},
		{"playbook preview", nil, []string{"FILE|default is missing", "oppflow playbook preview FILE|default"}},
		{"playbook preview a b", nil, []string{`"b"`}},
		{"playbook preview /no/such/file", api, []string{"FILE", "no such file"}},
		{"playbook preview default", nil, []string{"ADMINISTRATE_URL"}},
		{"playbook preview default --within 7d", api, []string{"--within", `"7d"`}},
		{"playbook preview default --output text", api, []string{"--output", "table or json"}},
		{"playbook deploy", nil, []string{"FILE is missing", "oppflow playbook deploy FILE"}},
		{"playbook deploy a b", nil, []string{`"b"`}},
		{"playbook deploy /no/such/file", nil, []string{"FILE", "no such file"}},
		{"playbook deploy - --above -1", nil, []string{"--above -1", "number of a version"}},
		{"playbook deploy - --output xml", nil, []string{"--output", "table or json"}},
		{"playbook list x", nil, []string{`"x"`}},
		{"playbook rollback x", nil, []string{"NUMBER", `"x"`, "oppflow playbook list"}},
		{"playbook rollback 0", nil, []string{"NUMBER", `"0"`}},
		{"playbook rollback 1 2", nil, []string{`"2"`}},
		{"playbook explain a b", nil, []string{`"b"`}},
		{"playbook explain /no/such/file", nil, []string{"FILE", "no such file"}},
		{"playbook explain --sorce", nil, []string{"did you mean --source?", "oppflow playbook explain --help"}},

		{"setup now", nil, []string{`"now"`}},
		{"setup --temporal-address :7233", nil, []string{"--temporal-address", "host:port"}},

		{"sandbox now", nil, []string{`"now"`}},
		{"sandbox --listen 9000", nil, []string{"--listen", `"9000"`, "host:port"}},
		{"sandbox --no-auth --token t", nil, []string{"--token and --no-auth"}},
		{"sandbox --rate 200", nil, []string{"--rate", `"200"`, "200/10s"}},
		{"sandbox --rate 0/1s", nil, []string{"--rate", "200/10s"}},
		{"sandbox --rate-window round", nil, []string{"--rate-window", `"round"`, "sliding or fixed"}},
		{"sandbox --no-rate-limit --retry-after", nil, []string{"--retry-after and --no-rate-limit"}},
		{"sandbox --no-request-log --request-log-entries 5", nil, []string{"--request-log-entries and --no-request-log"}},
		{"sandbox --request-log-entries 0", nil, []string{"--request-log-entries 0", "at least 1"}},
		{"sandbox --faults /no/such/file", nil, []string{"--faults", "no such file"}},
		{"sandbox --assume addInterest.response=none", nil, []string{"--assume", "addInterest.response", `"none"`, "new, all"}},
		{"sandbox --assume nothing=new", nil, []string{"--assume", `"nothing"`}},
		{"sandbox --log-level loud", nil, []string{"log-level", "debug, info, warn or error"}},

		{"version now", nil, []string{`"now"`}},
		{"version --output xml", nil, []string{"--output", "table or json"}},
		{"up now", nil, []string{`"now"`}},
		{"up --checkout /", nil, []string{"--checkout", "checkout of Oppflow"}},
		{"demo now", nil, []string{`"now"`}},
		{"demo --output yaml", nil, []string{"--output", "table or json"}},
	}
	tried := map[string]bool{}
	for _, test := range tests {
		args := strings.Split(test.args, " ")
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "␣", " ")
		}
		tried[args[0]] = true
		t.Run(test.args, func(t *testing.T) { oppflow(t, test.env, args...).wantUsageError(t, 2, test.want...) })
	}
	for _, name := range commands {
		if !tried[name] {
			t.Errorf("the tests make no mistake with %s", name)
		}
	}
}

func TestFailuresAreOneLineAndExitCode1(t *testing.T) {
	nobody := closedPort
	taken := listen(t)
	defer func() { _ = taken.Close() }()
	data := t.TempDir()
	damaged := filepath.Join(data, "ports.json")
	if err := os.WriteFile(damaged, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	catalogue := filepath.Join(data, "catalogue.yaml")
	if err := os.WriteFile(catalogue, []byte("regions:\n  - { id: UK, nam: UK }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	unreachable := []string{nobody, "--temporal-address or TEMPORAL_ADDRESS", "connection refused"}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"start", "lead", "--name", "n", "--region", "UK"}, unreachable},
		{[]string{"add-interest", "lead", "--item", "Q291cnNlOjE=", "--amount", "1"}, unreachable},
		{[]string{"update", "lead", "--name", "n"}, unreachable},
		{[]string{"progress", "lead", "--to", "Won"}, unreachable},
		{[]string{"progress", "lead", "--to", "Won", "--signal"}, unreachable},
		{[]string{"show", "lead"}, unreachable},
		{[]string{"retry", "lead", "r"}, unreachable},
		{[]string{"confirm", "lead", "r"}, unreachable},
		{[]string{"skip", "lead", "r", "--reason", "so"}, unreachable},
		{[]string{"extend", "lead", "--until", "2026-12-31T17:00:00Z"}, unreachable},
		{[]string{"pause", "lead"}, unreachable},
		{[]string{"resume", "lead"}, unreachable},
		{[]string{"refresh", "lead"}, unreachable},
		{[]string{"snooze", "lead", "f", "--until", "2026-12-31T17:00:00Z"}, unreachable},
		{[]string{"acknowledge", "lead", "r"}, unreachable},
		{[]string{"cancel-follow-up", "lead", "f", "--reason", "so"}, unreachable},
		{[]string{"close", "lead", "--reason", "so"}, unreachable},
		{[]string{"outcome", "lead", "r"}, unreachable},
		{[]string{"watch", "lead"}, unreachable},
		{[]string{"list"}, unreachable},
		{[]string{"setup"}, unreachable},
		{[]string{"search"}, []string{nobody, "--api-url or ADMINISTRATE_URL", "connection refused"}},
		{[]string{"check"}, []string{nobody, "--api-url or ADMINISTRATE_URL", "connection refused"}},
		{[]string{"playbook", "preview", "default"}, []string{nobody, "--api-url or ADMINISTRATE_URL", "connection refused"}},
		{[]string{"sandbox", "--listen", taken.Addr().String()}, []string{"--listen", taken.Addr().String(), "in use"}},
		{[]string{"sandbox", "--listen", "127.0.0.1:0", "--catalogue", filepath.Join(data, "none")}, []string{"none", "no such file"}},
		{[]string{"sandbox", "--listen", "127.0.0.1:0", "--catalogue", catalogue}, []string{"catalogue.yaml", "2"}},
		{[]string{"sandbox", "--listen", "127.0.0.1:0", "--data", filepath.Join(data, "no", "where.db")}, []string{"where.db"}},
		{[]string{"up", "--data", data}, []string{damaged, "damaged", "remove the file"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			env := []string{"TEMPORAL_ADDRESS=" + nobody, "ADMINISTRATE_URL=http://" + nobody + "/graphql", "ADMINISTRATE_TOKEN=tk-31415"}
			got := oppflow(t, env, test.args...)
			got.wantUsageError(t, 1, test.want...)
			if strings.Contains(got.stderr, "tk-31415") {
				t.Errorf("the output contains the token: %s", got.stderr)
			}
		})
	}
}

func TestHelpOfEveryCommandGoesToStandardOutputWithoutSecrets(t *testing.T) {
	env := []string{"ADMINISTRATE_TOKEN=tk-31415", "TEMPORAL_API_KEY=key-27182"}
	ways := [][]string{nil, {"--help"}, {"help"}}
	for _, name := range commands {
		ways = append(ways, []string{name, "--help"}, []string{"help", name})
	}
	for _, args := range ways {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			got := oppflow(t, env, args...)
			got.wantDone(t, "Usage:")
			for _, secret := range []string{"tk-31415", "key-27182"} {
				if strings.Contains(got.stdout, secret) {
					t.Errorf("help tells %s", secret)
				}
			}
		})
	}
}

func TestShellCompletionIsWritten(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		oppflow(t, nil, "completion", shell).wantDone(t, "oppflow")
	}
	oppflow(t, nil, "__complete", "add-interest", "lead", "--kind", "").wantSuggestions(t, "course", "event", "path", "tokens")
	oppflow(t, nil, "__complete", "show", "lead", "--output", "").wantSuggestions(t, "table", "json")
}

func (r result) wantSuggestions(t *testing.T, want ...string) {
	t.Helper()
	lines := strings.Split(r.stdout, "\n")
	if len(lines) < len(want) || !slices.Equal(lines[:len(want)], want) {
		t.Errorf("suggested %q, want %q", r.stdout, want)
	}
}

// For any arguments, a usage error is one line on standard error, and standard output stays empty.
func TestAnyUsageErrorIsOneLine(t *testing.T) {
	flags := []string{"--name", "--region", "--item", "--amount", "--kind", "--learner", "--to", "--filter", "--request-id", "--output", "--timeout", "--quantity", "-o", "--query", "--status", "--until", "--reason", "--adopt", "--every", "--"}
	rapid.Check(t, func(t *rapid.T) {
		args := []string{rapid.SampledFrom([]string{"start", "add-interest", "update", "progress", "show", "retry", "skip", "setup", "search", "check", "list", "extend", "pause", "resume", "recover", "refresh", "snooze", "cancel-follow-up", "close", "outcome", "watch"}).Draw(t, "command")}
		for range rapid.IntRange(0, 6).Draw(t, "arguments") {
			args = append(args, rapid.OneOf(rapid.SampledFrom(flags), rapid.String()).Draw(t, "argument"))
		}
		if slices.ContainsFunc(args, isHelpFlag) {
			t.Skip("help")
		}
		// With the address "nowhere", no command can connect.
		got := run(t.Context(), []string{"TEMPORAL_ADDRESS=nowhere", "ADMINISTRATE_URL=nowhere"}, args...)
		if got.code != 2 || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || strings.Contains(got.stderr, "panic") {
			t.Fatalf("%q: %+v", args, got)
		}
	})
}

// isHelpFlag reports whether the argument is "--help", "-h", or a group of short flags with an h.
func isHelpFlag(arg string) bool {
	letters, short := strings.CutPrefix(arg, "-")
	return strings.HasPrefix(arg, "--help") || short && !strings.HasPrefix(letters, "-") && strings.Contains(letters, "h")
}
