package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/oppflow/oppflow/payload"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/stack"
)

const localKeysFile = "keys.json"

// localEncryption is the encryption of a stack on this machine: a key file, and a codec server in
// this process. The zero value of localEncryption encrypts nothing.
type localEncryption struct {
	keyFile   string
	url       string // URL of the codec server
	temporary string // directory to remove; "" with a data directory
	ring      *payload.KeyRing
	listener  net.Listener
	stop      context.CancelFunc
	ended     chan error // nil before serve is called
}

// openLocalEncryption opens the key file in the data directory, or creates the file if encrypt is
// true. Without a data directory, the key file is temporary. If encrypt is false and there is no key
// file, openLocalEncryption returns an encryption that encrypts nothing. port is the port of the
// codec server, or 0 for a free port.
func openLocalEncryption(ctx context.Context, data string, encrypt bool, port int) (_ *localEncryption, err error) {
	e := &localEncryption{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.keyFile, err = e.findKeyFile(data, encrypt); err != nil || e.keyFile == "" {
		return e, err
	}
	if e.ring, err = payload.OpenKeyRing(ctx, payload.FileSource{Path: e.keyFile}, nil); err != nil {
		return e, err
	}
	if e.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err != nil {
		return e, fmt.Errorf("the codec server: %w", withoutListenPrefix(err))
	}
	e.url = codecURL(e.listener, false)
	return e, nil
}

func (e *localEncryption) findKeyFile(data string, encrypt bool) (string, error) {
	if data == "" && !encrypt {
		return "", nil
	}
	dir, err := filepath.Abs(data)
	if data == "" {
		e.temporary, err = os.MkdirTemp("", "oppflow-keys-")
		dir = e.temporary
	}
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, localKeysFile)
	_, err = os.Stat(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if !encrypt {
		return "", nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	keys, err := payload.GenerateKeySet()
	if err != nil {
		return "", err
	}
	return path, payload.FileSource{Path: path}.Create(keys)
}

// serve starts the codec server for the Web UI of the stack. The codec server accepts requests
// without a token, because the codec server, the Web UI and the Temporal server can be reached only
// from this machine.
func (e *localEncryption) serve(ctx context.Context, running *stack.Stack) {
	if e.listener == nil {
		return
	}
	ctx, e.stop = context.WithCancel(ctx)
	e.ended = make(chan error, 1)
	o := payload.HandlerOptions{Ring: e.ring, Namespaces: []string{running.Namespace()}, Origins: localOrigins(running.UIURL())}
	go func() { e.ended <- serveCodec(ctx, e.listener, settings.CodecServer{}, o) }()
}

// localOrigins returns the origins under which a browser on this machine may show the Web UI.
func localOrigins(ui string) []string {
	u, err := url.Parse(ui)
	if err != nil {
		return nil
	}
	return []string{"http://" + u.Host, "http://" + net.JoinHostPort("localhost", u.Port())}
}

func (e *localEncryption) close() error {
	var err error
	switch {
	case e.ended != nil:
		e.stop()
		err = <-e.ended
	case e.listener != nil:
		err = e.listener.Close()
	}
	if e.temporary != "" {
		err = errors.Join(err, os.RemoveAll(e.temporary))
	}
	return err
}

func (e *localEncryption) describe() string {
	if e.keyFile == "" {
		return ""
	}
	return fmt.Sprintf(`The codec server:        %s (the Web UI uses it)

Payloads are encrypted with the keys in %s. Keep this file: without the keys, the opportunities cannot be read.
`, e.url, e.keyFile)
}
