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

// following is what a worker follows: a playbook, nil for none, and the keys of its services. given says that there is one,
// and text is how it is written.
type following struct {
	given    bool
	text     []byte
	playbook *playbook.Playbook
	keys     map[string]tms.ServiceKey
}

// followed reads the playbook the settings name and the keys it needs. What is wrong with them is a SettingsError, which
// of a mistake tells the line and the column.
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

// playbookFile reads the file, and of one that is too large as much as tells that it is.
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

// firstOf is the first mistake, and how all are told.
func firstOf(name string, err error) error {
	var mistakes playbook.Mistakes
	if errors.As(err, &mistakes) && len(mistakes) > 1 {
		return fmt.Errorf("%s; %d more, which oppflow playbook check %s tells", mistakes[0], len(mistakes)-1, name)
	}
	return err
}
