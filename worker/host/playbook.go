package host

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings"
)

const playbookSetting = "--playbook or OPPFLOW_PLAYBOOK"

// following is the playbook that a worker follows, nil for none, and the keys of its services. given says that
// there is a playbook, and text is its source.
type following struct {
	given    bool
	text     []byte
	playbook *playbook.Playbook
	keys     map[string]tms.ServiceKey
}

// followed reads the playbook of the settings and the keys that it needs. A mistake in them is a SettingsError with
// the line and the column.
func followed(s *settings.Playbook) (following, error) {
	wrong := func(err error) (following, error) { return following{}, &SettingsError{cause: err} }
	if err := s.Resolve(); err != nil {
		return wrong(err)
	}
	if s.IsNone() {
		return following{}, nil
	}
	file, err := playbookFile(s.File)
	if err != nil {
		return wrong(fmt.Errorf("playbook %s (%s): %w", s.File, playbookSetting, cause(err)))
	}
	out, err := follow(file, s)
	if err != nil {
		return wrong(fmt.Errorf("playbook %s (%s): %w", s.File, playbookSetting, firstOf(s.File, err)))
	}
	return out, nil
}

// playbookFile reads the file, or of a file that is too large just enough to notice.
func playbookFile(name string) ([]byte, error) {
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

// firstOf returns the first mistake, and how to see all of them.
func firstOf(name string, err error) error {
	var mistakes playbook.Mistakes
	if errors.As(err, &mistakes) && len(mistakes) > 1 {
		return fmt.Errorf("%s; %d more, which oppflow playbook check %s tells", mistakes[0], len(mistakes)-1, name)
	}
	return err
}
