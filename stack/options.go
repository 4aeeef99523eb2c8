package stack

import (
	"context"
	"io"
)

// Options say what a stack consists of. The zero value is a whole stack on free ports with everything in memory.
type Options struct {
	// Root is the checkout the parts are built from. Empty finds it from the working directory upwards.
	Root string
	// Data is a directory for the databases of the Temporal server and of the sandbox. It is created if need be and
	// kept by Down. Empty keeps everything in memory: a part that is killed or stopped forgets all.
	Data string
	// Race builds the worker and the sandbox with the race detector. The Temporal server never is.
	Race bool
	// Progress is told, in a line each, what takes long. It may be called from several goroutines at once. Nil is silent.
	Progress func(string)
	// Build is told how far the builds are, at least every second while one of them downloads or compiles something. It may
	// be called from several goroutines at once. Nil has Progress told, in a line now and then.
	Build func(Build)
	// Output receives what the parts write, line by line with the part's name in front. Nil drops it; the last lines of
	// a part that fails are in the error either way.
	Output io.Writer
	// Setup prepares the namespace whenever the server has become ready, before the worker starts: it registers search
	// attributes. It must bear being called again. With Beside it is called once.
	Setup func(ctx context.Context, address, namespace string) error
	// DynamicConfig holds values for the Temporal server, such as "limit.historyCount.suggestContinueAsNew": 200. They
	// are written as JSON.
	DynamicConfig map[string]any
	// TemporalPort, UIPort and APIPort are ports of 127.0.0.1. 0 is a free one.
	TemporalPort, UIPort, APIPort int
	// ServerArgs, SandboxArgs and WorkerArgs are further arguments of the parts.
	ServerArgs, SandboxArgs, WorkerArgs []string
	// WorkerEnv holds further variables of the worker, NAME=value. Of the environment of this process the parts see
	// no TEMPORAL_ or ADMINISTRATE_ variable, and no OPPFLOW_ variable but those of the log.
	WorkerEnv []string
	// Namespace is the namespace that the worker works in. Empty is "default".
	Namespace string
	// Beside is a running stack whose Temporal server this one uses, in another Namespace, which Setup has to create. The
	// server is not stopped by Down. Programs that Beside has built are not built again.
	Beside *Stack
	// NoUI leaves the Web UI out.
	NoUI bool
	// NoWorker starts no worker. Worker().Start starts one later.
	NoWorker bool
}
