package host

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/oppflow/oppflow/administrate"
)

// accepted records whether the TMS accepts the worker's credentials, and logs each change
// once.
type accepted struct {
	logger  *slog.Logger
	mu      sync.Mutex
	refusal error // nil while the TMS accepts them, or the answer is not known yet
}

// note records the result of a request.
func (a *accepted) note(err error) {
	var notSent *administrate.NotSentError
	refused := errors.As(err, &notSent) && notSent.Reason == administrate.Authentication
	if err != nil && !refused {
		return // the error says nothing of the credentials
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

// check returns why the TMS refuses the credentials, nil while the TMS accepts them.
func (a *accepted) check() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refusal == nil {
		return nil
	}
	return errors.New("the TMS refuses the worker's credentials: " + a.refusal.Error())
}
