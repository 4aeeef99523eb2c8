package host

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
	"github.com/oppflow/oppflow/settings"
)

const playbookSetting = "--playbook or OPPFLOW_PLAYBOOK"

// resolvedPlaybook is a playbook and the keys of its services.
type resolvedPlaybook struct {
	given    bool
	text     []byte
	playbook *playbook.Playbook
	keys     map[string]service.Key
}

// If the playbook or the key of a service is wrong, resolvePlaybook returns a SettingsError. If the
// playbook has a mistake, the error contains the line and the column of the mistake.
func resolvePlaybook(s *settings.Playbook) (resolvedPlaybook, error) {
	wrong := func(err error) (resolvedPlaybook, error) { return resolvedPlaybook{}, &SettingsError{cause: err} }
	if err := s.Resolve(); err != nil {
		return wrong(err)
	}
	if s.IsNone() {
		return resolvedPlaybook{}, nil
	}
	file, err := readPlaybookFile(s.File)
	if err != nil {
		return wrong(fmt.Errorf("playbook %s (%s): %w", s.File, playbookSetting, fileCause(err)))
	}
	out, err := loadWithKeys(file, s)
	if err != nil {
		return wrong(fmt.Errorf("playbook %s (%s): %w", s.File, playbookSetting, summarizeDiagnostics(s.File, err)))
	}
	return out, nil
}

func readPlaybookFile(name string) ([]byte, error) {
	if name == settings.DefaultPlaybook {
		return playbook.DefaultFile(), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, playbook.MaxFileBytes+1))
}

func summarizeDiagnostics(name string, err error) error {
	var mistakes diagnostic.List
	if errors.As(err, &mistakes) && len(mistakes) > 1 {
		return fmt.Errorf("%s; the playbook has %d more mistake(s); to see all mistakes, run oppflow playbook check %s", mistakes[0], len(mistakes)-1, name)
	}
	return err
}
