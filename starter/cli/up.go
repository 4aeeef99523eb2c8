package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/readyfile"
	"github.com/oppflow/oppflow/stack"
)

func (p *program) up() *cobra.Command {
	var local localFlags
	var readyFile string
	var noWorker, encrypt bool
	var book string
	command := &cobra.Command{
		Use:   "up [flags]",
		Short: "Run a Temporal server with its Web UI, the sandbox and a worker, until Ctrl-C",
		Long: `up builds and runs everything that Oppflow needs, only for this machine. With --data everything survives a restart:
opportunities, records, the token, the playbook, and the ports if they are free. up deploys the default playbook, unless
--playbook names another playbook or none. A playbook that was deployed earlier stays in force. With a playbook, the sandbox makes
an invoice and issues tokens when an opportunity is won, as a tenant's triggers do.`,
		Example:           "  oppflow up\n  oppflow up --data ~/oppflow\n  oppflow up --data ~/oppflow --encrypt",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	local.add(fs)
	fs.BoolVar(&noWorker, "no-worker", false, "start the Temporal server and the sandbox without a worker, for oppflow recover")
	fs.BoolVar(&encrypt, "encrypt", false, "encrypt payloads, and run a codec server for the Web UI; with --data the keys are in keys.json of that directory, and later runs encrypt, too")
	fs.StringVar(&book, "playbook", settings.DefaultPlaybook, "playbook to deploy if the namespace has no playbook yet: a file, default or none")
	fs.StringVar(&readyFile, "ready-file", "", "file that up writes as soon as all programs run; the file contains the addresses and the token as JSON")
	command.RunE = func(command *cobra.Command, _ []string) (err error) {
		ctx := command.Context()
		options := local.options(p.stderr, p.stderr)
		if options.WorkerArgs, err = p.playbookArgs(command, book); err != nil {
			return err
		}
		if book != settings.NoPlaybook {
			// The built-in playbook waits for the invoice that the TMS creates when an opportunity is won.
			catalogue, err := demoCatalogue()
			if err != nil {
				return err
			}
			defer func() { _ = os.Remove(catalogue) }()
			options.SandboxArgs = []string{"--catalogue", catalogue}
		}
		ports, err := lastPorts(ctx, local.data)
		if err != nil {
			return err
		}
		options.NoWorker = noWorker
		options.TemporalPort, options.UIPort, options.APIPort = ports.Temporal, ports.UI, ports.API
		encryption, err := openLocalEncryption(ctx, local.data, encrypt, ports.Codec)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, encryption.close()) }()
		options.EncryptionKeys, options.CodecEndpoint = encryption.keyFile, encryption.url
		running, err := startStack(ctx, options)
		if err != nil {
			return err
		}
		defer func() {
			if downErr := stopStack(ctx, running); err == nil {
				err = downErr
			}
		}()
		encryption.serve(ctx, running)
		if err := savePorts(local.data, running, encryption.url); err != nil {
			return err
		}
		p.printStack(running, encryption, noWorker)
		if err := readyfile.Write(readyFile, running.Report()); err != nil {
			return err
		}
		return untilDone(ctx, running, noWorker)
	}
	return command
}

func (p *program) playbookArgs(command *cobra.Command, book string) ([]string, error) {
	if book != settings.DefaultPlaybook && book != settings.NoPlaybook {
		if book == "" || book == standardInput {
			return nil, usagef("--playbook %q: must be a file, default or none", book)
		}
		file, err := readPlaybook(command, book)
		if err != nil {
			return nil, usagef("--playbook %s: %v", book, err)
		}
		if _, err = p.loadPlaybook(book, file); err != nil {
			return nil, err
		}
		if book, err = filepath.Abs(book); err != nil { // the worker may run in another directory
			return nil, err
		}
	}
	return []string{"--playbook", book}, nil
}

func (p *program) printStack(running *stack.Stack, encryption *localEncryption, noWorker bool) {
	var exports strings.Builder
	for _, pair := range running.Environ() {
		exports.WriteString("  export " + pair + "\n")
	}
	what, then := "Everything", `  oppflow start lead-1 --name "First Aid course" --region UK
  oppflow progress lead-1 --to Opportunity
  oppflow show lead-1
`
	if noWorker {
		what, then = "Everything except the worker", "  oppflow recover --backup TIME\n"
	}
	_, _ = fmt.Fprintf(p.stdout, `%s runs; Ctrl-C stops all programs.

The Web UI of Temporal:  %s
The sandbox of the API:  %s
%s
To use the server and the sandbox, run in another terminal:
%s
Then:
%s`, what, running.UIURL(), running.APIURL(), encryption.describe(), exports.String(), then)
}
