package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/readyfile"
	"github.com/oppflow/oppflow/worker/host"
)

func (p *program) codecServer() *cobra.Command {
	temporal := settings.Temporal{Environment: p.env}
	codec := settings.CodecServer{Environment: p.env}
	log := settings.Log{Environment: p.env}
	var readyFile string
	command := &cobra.Command{
		Use:   "codec-server [flags]",
		Short: "Decrypt payloads for Temporal's Web UI and command line",
		Long: `codec-server decrypts and encrypts payloads over HTTP, so that Temporal's Web UI and the command temporal show clear data. The
caller names the namespace in the header X-Namespace, and authenticates with a Bearer token: the token of --token-file, or the
access token of a user of the Web UI, signed with a key of --jwks. A browser may call the server only from a page whose origin
--origin lists. The server reads the key file again every ten seconds. docs/encryption.md explains how to set up the Web UI.
Ctrl-C stops the server.`,
		Example: `  oppflow codec-server --encryption-keys keys.json --origin http://127.0.0.1:8233
  oppflow codec-server --encryption-keys keys.json --listen :8482 --tls-cert cert.pem --tls-key key.pem --origin https://temporal.example.com \
    --jwks https://id.example.com/keys --jwt-issuer https://id.example.com --jwt-audience temporal`,
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	codec.AddFlags(fs)
	fs.StringVar(&temporal.EncryptionKeys, "encryption-keys", "", "path of the file with the keys [OPPFLOW_ENCRYPTION_KEYS]")
	fs.StringVar(&readyFile, "ready-file", "", "file that the server writes as soon as it is ready: the URL as JSON")
	log.AddFlags(fs)
	command.RunE = func(command *cobra.Command, _ []string) error {
		logger, err := log.Logger(p.stderr)
		if err != nil {
			return &usageError{text: err.Error()}
		}
		if err := codec.Resolve(); err != nil {
			return &usageError{text: err.Error()}
		}
		ctx := command.Context()
		keys, err := host.OpenKeys(ctx, temporal, logger)
		if err != nil {
			return err
		}
		if keys == nil {
			return usagef("--encryption-keys or OPPFLOW_ENCRYPTION_KEYS is missing; create a key file with oppflow keys create")
		}
		authorize, err := payload.Authorizer(ctx, codec)
		if err != nil {
			return &usageError{text: err.Error()}
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", codec.Listen)
		if err != nil {
			return fmt.Errorf("--listen %s: %w", codec.Listen, withoutListenPrefix(err))
		}
		url := codecURL(listener, codec.TLSCert != "")
		if err := readyfile.Write(readyFile, readyfile.Report{URL: url}); err != nil {
			return errors.Join(err, listener.Close())
		}
		_, _ = fmt.Fprintf(p.stdout, "The codec server:  %s\n", url)
		return serveCodec(ctx, listener, codec, payload.HandlerOptions{
			Ring: keys, Namespaces: codec.Namespaces, Origins: codec.Origins, Authorize: authorize, Logger: logger,
		})
	}
	return command
}

func codecURL(listener net.Listener, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	return scheme + "://" + reachableAddress(listener.Addr())
}

func serveCodec(ctx context.Context, listener net.Listener, codec settings.CodecServer, o payload.HandlerOptions) error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go o.Ring.Watch(watch, nil)
	return payload.Serve(ctx, listener, payload.NewHandler(o), codec.TLSCert, codec.TLSKey, o.Logger)
}
