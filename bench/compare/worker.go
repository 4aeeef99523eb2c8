package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/settings/readyfile"
	"github.com/oppflow/oppflow/worker/host"
)

// WorkerCommand is the first argument that makes the program run a worker instead of a measurement.
const WorkerCommand = "worker"

const (
	workerOppflow = "oppflow"
	workerBare    = "bare"
)

const (
	flagCPUProfile    = "cpuprofile"
	flagMemoryProfile = "memprofile"
)

// RunWorker runs Oppflow's worker or the worker of the bare workflow until ctx ends; args contains
// the name of the worker. RunWorker passes the arguments after "--" to the worker. The worker named
// oppflow runs the same code as the program oppflow-worker.
func RunWorker(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet(WorkerCommand, pflag.ContinueOnError)
	cpu := flags.String(flagCPUProfile, "", "file to which the worker writes its CPU profile")
	memory := flags.String(flagMemoryProfile, "", "file to which the worker writes its memory profile")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		_, _ = fmt.Fprintln(stderr, "the first argument must be the name of a worker:", workerOppflow, "or", workerBare)
		return host.ExitUsage
	}
	profiled, err := profile(*cpu, *memory)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return host.ExitFailure
	}
	code := host.ExitDone
	if flags.Arg(0) == workerOppflow {
		code = host.Main(ctx, flags.Args()[1:], env, stdout, stderr)
	} else {
		err = runBare(ctx, flags.Args()[1:], env)
	}
	if err = errors.Join(err, profiled()); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return host.ExitFailure
	}
	return code
}

// profile starts a CPU profile and a memory profile; an empty file name selects no profile. The
// returned function stops the profiles and writes the files.
func profile(cpu, memory string) (func() error, error) {
	var running *os.File
	if cpu != "" {
		var err error
		if running, err = os.Create(cpu); err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(running); err != nil {
			return nil, errors.Join(err, running.Close())
		}
	}
	return func() error {
		var errs []error
		if running != nil {
			pprof.StopCPUProfile()
			errs = append(errs, running.Close())
		}
		if memory != "" {
			file, err := os.Create(memory)
			if err != nil {
				return errors.Join(append(errs, err)...)
			}
			runtime.GC() // after the garbage collection the profile shows only memory in use
			errs = append(errs, pprof.WriteHeapProfile(file), file.Close())
		}
		return errors.Join(errs...)
	}, nil
}

func runBare(ctx context.Context, args, env []string) error {
	temporal, api := settings.Temporal{Environment: env}, settings.API{Environment: env}
	flags := pflag.NewFlagSet(workerBare, pflag.ContinueOnError)
	temporal.AddFlags(flags)
	api.AddFlags(flags)
	ready := flags.String("ready-file", "", "file that the worker writes when the worker is ready to execute tasks")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := api.Resolve(); err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	tokens, err := host.Credentials(api, logger)
	if err != nil {
		return err
	}
	calls, err := administrate.New(administrate.Options{Options: transport.Options{URL: api.URL, Tokens: tokens, RequestsPerSecond: api.Rate}})
	if err != nil {
		return err
	}
	connection, _, err := host.Connect(ctx, temporal, logger)
	if err != nil {
		return err
	}
	defer connection.Close()
	group, ctx := errgroup.WithContext(ctx)
	stop := make(chan any)
	context.AfterFunc(ctx, func() { close(stop) })
	for _, w := range bareWorkers(connection, calls, api.Rate) {
		if err := w.Start(); err != nil {
			return err
		}
		group.Go(func() error {
			<-stop
			w.Stop()
			return nil
		})
	}
	if err := readyfile.Write(*ready, readyfile.Report{}); err != nil {
		return err
	}
	return group.Wait()
}
