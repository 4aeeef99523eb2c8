package contest

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/process"

	"github.com/oppflow/oppflow/stack"
)

// used is what a process has used since it began.
type used struct {
	cpu            float64 // seconds
	resident, peak uint64  // bytes
}

// processOf returns the worker of a contestant, or nil for the plain loop.
func (g *Ground) processOf(c Contestant) *stack.Process {
	switch c.Temporal {
	case g.oppflow:
		return g.worker
	case g.bare:
		return g.bareWorker
	default:
		return nil
	}
}

// usage returns what the worker of a contestant has used.
func (g *Ground) usage(ctx context.Context, c Contestant) (used, error) {
	if worker := g.processOf(c); worker != nil {
		return usedBy(ctx, worker)
	}
	return used{}, nil
}

// usedBy asks the operating system what a process has used.
func usedBy(ctx context.Context, worker *stack.Process) (used, error) {
	p, err := process.NewProcessWithContext(ctx, int32(worker.PID())) //nolint:gosec // ids of processes fit
	if err != nil {
		return used{}, fmt.Errorf("the worker %s: %w", worker.Name(), err)
	}
	times, err := p.TimesWithContext(ctx)
	if err != nil {
		return used{}, fmt.Errorf("the worker %s: %w", worker.Name(), err)
	}
	memory, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return used{}, fmt.Errorf("the worker %s: %w", worker.Name(), err)
	}
	return used{cpu: times.User + times.System, resident: memory.RSS, peak: max(memory.RSS, memory.HWM)}, nil
}
