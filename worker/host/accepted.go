package host

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/oppflow/oppflow/administrate"
)

// accepted notices whether the TMS takes the worker's credentials. It logs each change once.
type accepted struct {
	logger  *slog.Logger
	mu      sync.Mutex
	refusal error // nil while the TMS takes them, or nobody knows yet
}

// note takes in how a request ended.
func (a *accepted) note(err error) {
	var notSent *administrate.NotSentError
	refused := errors.As(err, &notSent) && notSent.Reason == administrate.Authentication
	if err != nil && !refused {
		return // it says nothing of the credentials
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case refused && a.refusal == nil:
		a.refusal = err
		a.logger.Error("the TMS refuses the worker's credentials", "problem", err.Error())
	case !refused && a.refusal != nil:
		a.refusal = nil
		a.logger.Info("the TMS takes the worker's credentials again")
	}
}

// check returns why the TMS refuses the credentials, nil while it takes them.
func (a *accepted) check() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refusal == nil {
		return nil
	}
	return errors.New("the TMS refuses the worker's credentials: " + a.refusal.Error())
}
