package compare

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/process"

	"github.com/oppflow/oppflow/stack"
)

type processUsage struct {
	cpu            float64 // seconds
	resident, peak uint64  // bytes
}

// processOf returns the worker process of a subject, or nil for the plain loop.
func (g *Environment) processOf(c Subject) *stack.Process {
	switch c.Temporal {
	case g.oppflow:
		return g.worker
	case g.bare:
		return g.bareWorker
	default:
		return nil
	}
}

func (g *Environment) usage(ctx context.Context, c Subject) (processUsage, error) {
	if worker := g.processOf(c); worker != nil {
		return readProcessUsage(ctx, worker)
	}
	return processUsage{}, nil
}

func readProcessUsage(ctx context.Context, worker *stack.Process) (processUsage, error) {
	p, err := process.NewProcessWithContext(ctx, int32(worker.PID())) //nolint:gosec // ids of processes fit
	if err != nil {
		return processUsage{}, fmt.Errorf("the CPU time and memory of the worker %s could not be read: %w", worker.Name(), err)
	}
	times, err := p.TimesWithContext(ctx)
	if err != nil {
		return processUsage{}, fmt.Errorf("the CPU time and memory of the worker %s could not be read: %w", worker.Name(), err)
	}
	memory, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return processUsage{}, fmt.Errorf("the CPU time and memory of the worker %s could not be read: %w", worker.Name(), err)
	}
	return processUsage{cpu: times.User + times.System, resident: memory.RSS, peak: max(memory.RSS, memory.HWM)}, nil
}
