package stack

import (
	"context"
	"io"
)

// Options are the settings of a stack. The zero value means a whole stack on free ports with
// everything in memory.
type Options struct {
	// Root is the checkout that the parts are built from. Empty searches from the working directory
	// upwards.
	Root string
	// Data is a directory for the databases of the Temporal server and of the sandbox. A missing
	// directory is created, and Down keeps the directory. Empty keeps everything in memory: a part
	// that is killed or stopped loses all data.
	Data string
	// Race builds the worker and the sandbox with the race detector. The Temporal server is never
	// built with the race detector.
	Race bool
	// Progress is called with a line for each slow step. Several goroutines may call Progress at
	// once. With nil, no line is written.
	Progress func(string)
	// Build is called with the progress of the builds, at least every second while a build
	// downloads or compiles something. Several goroutines may call Build at once. With nil,
	// Progress is called with some lines about each build.
	Build func(Build)
	// Output receives the output of the parts, line by line with the part's name in front. Nil
	// drops the output. Even with nil, the error of a part that fails contains the last lines of
	// its output.
	Output io.Writer
	// Setup prepares the namespace each time the server has become ready, before the worker starts:
	// Setup registers search attributes. Without ServerFrom, Setup is called again after each
	// restart of the server. With ServerFrom, Setup is called once.
	Setup func(ctx context.Context, address, namespace string) error
	// DynamicConfig holds values for the Temporal server, such as
	// "limit.historyCount.suggestContinueAsNew": 200. The values are written as JSON.
	DynamicConfig map[string]any
	// TemporalPort, UIPort and APIPort are ports of 127.0.0.1. 0 selects a free port.
	TemporalPort, UIPort, APIPort int
	// ServerArgs, SandboxArgs and WorkerArgs are further arguments of the parts.
	ServerArgs, SandboxArgs, WorkerArgs []string
	// WorkerEnv holds further variables of the worker, NAME=value. From the environment of this
	// process the parts get no TEMPORAL_ or ADMINISTRATE_ variable. Of the OPPFLOW_ variables the
	// parts get only the variables of the log and of a CI run.
	WorkerEnv []string
	// Namespace is the namespace of the worker. Empty is "default".
	Namespace string
	// ServerFrom is a running stack. A stack with ServerFrom uses the Temporal server of
	// ServerFrom, in another Namespace, which Setup must create. Down does not stop the server.
	// Programs that ServerFrom has built are not built again.
	ServerFrom *Stack
	// NoUI starts no Web UI.
	NoUI bool
	// NoWorker starts no worker. Worker().Start starts the worker later.
	NoWorker bool
}
