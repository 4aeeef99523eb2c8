package stack

import (
	"context"
	"io"
)

// Options contains the settings of a stack. The zero value of Options means a complete stack on
// free ports with all data in memory.
type Options struct {
	// Root is the directory of the checkout from which the parts are built. If Root is empty, Up
	// searches for a checkout from the working directory upwards.
	Root string
	// Data is a directory for the databases of the Temporal server and of the sandbox. Down does
	// not delete the directory. If Data is empty, all data is in memory, and a part that is killed
	// or stopped loses its data.
	Data string
	// With Race, the worker and the sandbox are built with the race detector. The Temporal server is
	// never built with the race detector.
	Race bool
	// Up calls Progress with a line of text for each slow step. Several goroutines may call
	// Progress at the same time. If Progress is nil, no line is written.
	Progress func(string)
	// Up calls Build with the progress of the builds, at least every second while a build downloads
	// or compiles something. Several goroutines may call Build at the same time. If Build is nil,
	// Up calls Progress with some lines about each build.
	Build func(Build)
	// Output receives the output of the parts, line by line with the part's name at the beginning
	// of each line. If Output is nil, the output is dropped.
	Output io.Writer
	// Setup prepares the namespace each time the Temporal server has become ready, before the
	// worker starts; for example, Setup registers search attributes. In a stack without ServerFrom,
	// Setup is called again after each restart of the Temporal server. With ServerFrom, Setup is
	// called once.
	Setup func(ctx context.Context, address, namespace string) error
	// DynamicConfig contains values of the Temporal server's dynamic configuration, such as
	// "limit.historyCount.suggestContinueAsNew": 200. The values are written as JSON.
	DynamicConfig map[string]any
	// TemporalPort, UIPort and APIPort are ports of 127.0.0.1. The value 0 selects a free port.
	TemporalPort, UIPort, APIPort int
	// ServerArgs, SandboxArgs and WorkerArgs are further command line arguments of the Temporal
	// server, the sandbox and the worker.
	ServerArgs, SandboxArgs, WorkerArgs []string
	// WorkerEnv contains further environment variables of the worker, as NAME=value.
	WorkerEnv []string
	// EncryptionKeys is the path of a file with encryption keys for the payloads of the worker and
	// of the programs that use Environ. If EncryptionKeys is empty, payloads are not encrypted.
	EncryptionKeys string
	// CodecEndpoint is the URL of a codec server with which the Web UI decrypts payloads.
	CodecEndpoint string
	// Namespace is the Temporal namespace in which the worker runs. The empty text means "default".
	Namespace string
	// ServerFrom is a running stack. A stack with ServerFrom uses the Temporal server of
	// ServerFrom, in another Namespace, which Setup must create. Down does not stop the Temporal
	// server of ServerFrom.
	ServerFrom *Stack
	NoUI       bool
	NoWorker   bool
}
