package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/readyfile"
)

const (
	defaultSandboxAddress = "127.0.0.1:8480"
	// serveTimeout is how long a caller may take to send a request, and to read the response.
	serveTimeout = 60 * time.Second
	// drainTimeout is how long running requests may continue when the sandbox stops.
	drainTimeout = 10 * time.Second
)

func (p *program) sandbox() *cobra.Command {
	var options sandbox.Options
	var listen, readyFile, secretFile string
	var door gatewayFlags
	var tellTable bool
	life := durationFlag(sandbox.DefaultTokenLifetime)
	log := settings.Log{Environment: p.env}
	command := &cobra.Command{
		Use:   "sandbox [flags]",
		Short: "Run the Core GraphQL API of the Administrate TMS locally",
		Long: `sandbox imitates on this machine the Core GraphQL API for sales opportunities, with a small catalogue of its own, for
development and tests. The sandbox includes rate limits, tokens that expire, and faults on demand. docs/sandbox.md
explains how to use the sandbox. Ctrl-C stops the sandbox.`,
		Example:           "  oppflow sandbox\n  oppflow sandbox --data sandbox.db --listen 127.0.0.1:9000",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.StringVar(&listen, "listen", defaultSandboxAddress, "address to listen at; port 0 selects a free port")
	fs.StringVar(&options.Data, "data", "", "file that keeps all data (default: the data is in memory and lost at the end)")
	fs.StringVar(&options.Catalogue, "catalogue", "", "file with the catalogue: regions, steps, items and other data (default: the catalogue of the API documentation)")
	fs.StringVar(&options.Token, "token", "", "Bearer token that the sandbox accepts (default: a random token, kept in the file of --data)")
	fs.StringVar(&options.ClientID, "client-id", "", "OAuth client id that the token endpoint accepts (default: a random id, kept in the file of --data)")
	fs.StringVar(&secretFile, "client-secret-file", "", "file with the secret of the OAuth client (default: a random secret, kept in the file of --data)")
	fs.Var(&life, "token-life", "how long access tokens of the token endpoint are valid, at least 1s")
	fs.BoolVar(&options.NoAuth, "no-auth", false, "accept requests without a token")
	fs.StringToStringVar(&options.Assumptions, "assume", nil, "what the sandbox does where the API's behaviour is unknown: ROW=VALUE of the table of assumptions; commas separate several pairs ROW=VALUE")
	fs.BoolVar(&tellTable, "assumptions", false, "print the table of assumptions and do not start the sandbox")
	door.add(fs, &options)
	fs.StringVar(&readyFile, "ready-file", "", "file that the sandbox writes as soon as it is ready: url, token, tokenUrl, clientId, clientSecret, refreshToken as JSON")
	log.AddFlags(fs)
	command.RunE = func(command *cobra.Command, _ []string) error {
		if tellTable {
			return printAssumptions(p.stdout)
		}
		logger, err := log.Logger(p.stderr)
		if err != nil {
			return &usageError{text: err.Error()}
		}
		if _, _, err := net.SplitHostPort(listen); err != nil {
			return usagef("--listen %q: must be host:port, such as %s", listen, defaultSandboxAddress)
		}
		for _, with := range []string{"token", "client-id", "client-secret-file", "token-life"} {
			if options.NoAuth && fs.Changed(with) {
				return usagef("--%s and --no-auth exclude each other; give one of them", with)
			}
		}
		if options.TokenLifetime = time.Duration(life); options.TokenLifetime < time.Second {
			return usagef("--token-life %v: must be at least 1s", options.TokenLifetime)
		}
		if secretFile != "" {
			secret, err := settings.ReadSecret(secretFile)
			if err != nil {
				return usagef("--client-secret-file %s: %v", secretFile, err)
			}
			options.ClientSecret = secret.Reveal()
		}
		faults, err := door.resolve(fs, &options)
		if err != nil {
			return err
		}
		options.Logger = logger
		return p.serveSandbox(command.Context(), options, faults, listen, readyFile)
	}
	return command
}

func (p *program) serveSandbox(ctx context.Context, options sandbox.Options, faults []fault.Rule, listen, readyFile string) (err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", listen, withoutListenPrefix(err))
	}
	box, err := sandbox.Open(ctx, options)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, box.Close()) }()

	for _, rule := range faults {
		if _, err := box.Faults().Set(rule); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	client, err := box.Client(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	base := "http://" + reachableAddress(listener.Addr())
	url, tokenURL := base+"/graphql", base+"/oauth/token"
	server := &http.Server{
		Handler: box.Handler(), ErrorLog: slog.NewLogLogger(options.Logger.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: serveTimeout, WriteTimeout: serveTimeout, IdleTimeout: 2 * serveTimeout,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	p.printSandbox(url, box.Token(), options.NoAuth)
	if !options.NoAuth {
		p.printClient(tokenURL, client)
	}
	if err := readyfile.Write(readyFile, readyfile.Report{
		URL: url, Token: box.Token(),
		TokenURL: tokenURL, ClientID: client.ID, ClientSecret: client.Secret, RefreshToken: client.RefreshToken,
	}); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-served:
		return fmt.Errorf("the sandbox ended: %w", err)
	case <-ctx.Done():
	}
	box.Faults().Close() // requests that a fault delays continue
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("the sandbox stopped before all requests were completed: %w", err), server.Close())
	}
	return nil
}

func (p *program) printSandbox(url, token string, open bool) {
	header, headerArgument := "(no token is needed)", ""
	if !open {
		header = "Authorization: Bearer " + token
		headerArgument = " -H '" + header + "'"
	}
	_, _ = fmt.Fprintf(p.stdout, `The sandbox is ready at %s
%s

Try:
  curl -s %s%s -H 'Content-Type: application/json' -d '{"query":"{ opportunities { edges { node { id name step { name } } } } }"}'

Use the sandbox:
  export ADMINISTRATE_URL=%s
  export ADMINISTRATE_TOKEN=%s
`, url, header, url, headerArgument, url, token)
}

func (p *program) printClient(tokenURL string, client sandbox.Client) {
	_, _ = fmt.Fprintf(p.stdout, `
Or use tokens that expire and are renewed, instead of ADMINISTRATE_TOKEN:
  export ADMINISTRATE_TOKEN_URL=%s
  export ADMINISTRATE_CLIENT_ID=%s
  export ADMINISTRATE_CLIENT_SECRET=%s
`, tokenURL, shellWord(client.ID), shellWord(client.Secret))
}

func shellWord(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// If the listener listens on all interfaces, reachableAddress returns the address of the loopback
// interface.
func reachableAddress(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return address.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

func withoutListenPrefix(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
