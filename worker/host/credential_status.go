package host

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/oppflow/oppflow/administrate"
)

// credentialStatus stores whether the TMS accepts the worker's credentials, and logs every change
// of this status once.
type credentialStatus struct {
	logger    *slog.Logger
	mu        sync.Mutex
	rejection error // nil while the TMS accepts the credentials, and before the first result of a request
}

func (a *credentialStatus) recordResult(err error) {
	var notSent *administrate.NotSentError
	refused := errors.As(err, &notSent) && notSent.Reason == administrate.Authentication
	if err != nil && !refused {
		return // the error does not show whether the TMS accepts the credentials
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case refused && a.rejection == nil:
		a.rejection = err
		a.logger.Error("the TMS rejects the worker's credentials", "problem", err.Error())
	case !refused && a.rejection != nil:
		a.rejection = nil
		a.logger.Info("the TMS accepts the worker's credentials again")
	}
}

func (a *credentialStatus) check() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rejection == nil {
		return nil
	}
	return errors.New("the TMS rejects the worker's credentials: " + a.rejection.Error())
}
