package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/moby/sys/atomicwriter"

	"github.com/oppflow/oppflow/stack"
)

// stackPorts are the ports that a stack with a data directory used in its last run. The next run of
// the stack uses the same ports, so that addresses that the user exported stay valid. 0 means any
// free port.
type stackPorts struct {
	Temporal int `json:"temporal"`
	UI       int `json:"ui"`
	API      int `json:"api"`
	Codec    int `json:"codec,omitempty"`
}

const portsFile = "ports.json"

// lastPorts returns 0 for a port that another program uses now.
func lastPorts(ctx context.Context, data string) (stackPorts, error) {
	var former stackPorts
	if data == "" {
		return former, nil
	}
	path := filepath.Join(data, portsFile)
	content, err := os.ReadFile(path) //nolint:gosec // the user names the directory
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return former, nil
	case err != nil:
		return former, fmt.Errorf("--data: %w", err)
	}
	if err := json.Unmarshal(content, &former); err != nil {
		return stackPorts{}, fmt.Errorf("--data: %s is damaged (%w); remove the file, and Oppflow selects new ports", path, err)
	}
	for _, port := range []*int{&former.Temporal, &former.UI, &former.API, &former.Codec} {
		if !isFree(ctx, *port) {
			*port = 0
		}
	}
	return former, nil
}

func isFree(ctx context.Context, port int) bool {
	if port < 1 || port > 65535 {
		return false
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func savePorts(data string, running *stack.Stack, codec string) error {
	if data == "" {
		return nil
	}
	content, err := json.Marshal(stackPorts{
		Temporal: portIn(running.TemporalAddress()), UI: portIn(hostIn(running.UIURL())), API: portIn(hostIn(running.APIURL())),
		Codec: portIn(hostIn(codec)),
	})
	if err == nil {
		err = atomicwriter.WriteFile(filepath.Join(data, portsFile), append(content, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	return nil
}

func hostIn(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}

func portIn(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}
