package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oppflow/oppflow/starter/cli"
)

// deployPlaybook deploys another version of the playbook while messages are sent. Transitions that
// were planned before the new version is in force keep their effects.
func (s *Experiment) deployPlaybook(ctx context.Context) error {
	s.deployments++
	path := filepath.Join(s.data, fmt.Sprintf("playbook-%d.yaml", s.deployments+1))
	text, err := s.options.Playbook.Text(s.service.server.URL, s.deployments)
	if err := errors.Join(err, os.WriteFile(path, []byte(text), 0o600)); err != nil {
		return err
	}
	from := time.Now()
	moving, stop := context.WithCancel(ctx)
	defer stop()
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		for moving.Err() == nil {
			s.transitionNew(moving, newOpportunities, nil)
			_ = sleep(moving, s.options.HoldTime) // the loop checks moving
		}
	}()
	err = s.runCLI(ctx, "playbook", "deploy", path, "--by", "the chaos test")
	stop()
	<-moved
	s.recordPeriod(DeployPlaybook, from, time.Now(), "")
	return err
}

// The end of the experiment does not cancel the command.
func (s *Experiment) runCLI(ctx context.Context, args ...string) error {
	var said bytes.Buffer
	env := append(s.parts.Environ(), "TEMPORAL_CONFIG_FILE="+os.DevNull) // so that the command does not read the user's own file
	if code := cli.Main(context.WithoutCancel(ctx), args, env, &said, &said); code != 0 {
		return fmt.Errorf("the command oppflow %s ended with exit code %d and the output: %s", args[0], code, said.String())
	}
	return nil
}

// missingEffectKind is the effect kind that the worker of runWorkerWithoutEffect does not support.
// The playbook of the experiment has effects of the kind missingEffectKind.
const missingEffectKind = "call"

// The added worker leaves effects of the kind missingEffectKind to the other workers.
func (s *Experiment) runWorkerWithoutEffect(ctx context.Context) error {
	older := s.parts.AddWorker("--without-effect", missingEffectKind)
	if err := older.Start(ctx); err != nil {
		return err
	}
	from := time.Now()
	for range 2 {
		s.transitionNew(ctx, newOpportunities, nil)
	}
	s.recordPeriod(RunWorkerWithoutEffect, from, time.Now(), "")
	return older.Stop(context.WithoutCancel(ctx))
}
