package stack

import (
	"context"
	"io"
)

// Options are the settings of a stack. The zero value is a whole stack on free ports with everything in memory.
type Options struct {
	// Root is the checkout that the parts are built from. Empty searches from the working directory
	// upwards.
	Root string
	// Data is a directory for the databases of the Temporal server and of the sandbox. It is created when missing,
	// and Down keeps it. Empty keeps everything in memory: a part that is killed or stopped forgets all.
	Data string
	// Race builds the worker and the sandbox with the race detector. The Temporal server never is.
	Race bool
	// Progress is called with a line for each slow step. Several goroutines may call it at once. Nil is silent.
	Progress func(string)
	// Build is called with the progress of the builds, at least every second while one of them downloads or compiles
	// something. Several goroutines may call it at once. With nil, Progress is called with a line now and then.
	Build func(Build)
	// Output receives the output of the parts, line by line with the part's name in front. Nil drops the output. The
	// error of a part that fails contains its last lines in either case.
	Output io.Writer
	// Setup prepares the namespace whenever the server has become ready, before the worker starts: it registers search
	// attributes. Setup may be called repeatedly. With Beside it is called once.
	Setup func(ctx context.Context, address, namespace string) error
	// DynamicConfig holds values for the Temporal server, such as "limit.historyCount.suggestContinueAsNew": 200. They
	// are written as JSON.
	DynamicConfig map[string]any
	// TemporalPort, UIPort and APIPort are ports of 127.0.0.1. 0 selects a free port.
	TemporalPort, UIPort, APIPort int
	// ServerArgs, SandboxArgs and WorkerArgs are further arguments of the parts.
	ServerArgs, SandboxArgs, WorkerArgs []string
	// WorkerEnv holds further variables of the worker, NAME=value. From the environment of this process the parts
	// get no TEMPORAL_ or ADMINISTRATE_ variable. Of the OPPFLOW_ variables they get only those of the log.
	WorkerEnv []string
	// Namespace is the namespace of the worker. Empty is "default".
	Namespace string
	// ServerFrom is a running stack whose Temporal server this stack uses, in another Namespace, which Setup has to
	// create. Down does not stop the server. Programs that Beside has built are not built again.
	ServerFrom *Stack
	// NoUI leaves the Web UI out.
	NoUI bool
	// NoWorker starts no worker. Worker().Start starts one later.
	NoWorker bool
}
