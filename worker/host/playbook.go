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

// following is what a worker follows: a playbook, nil for none, and the keys of its services.
type following struct {
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
	if s.File == "" {
		return following{}, nil
	}
	file, err := playbookFile(s.File)
	if err != nil {
		return wrong(fmt.Errorf("playbook %s (%s): %w", s.File, playbookSetting, cause(err)))
	}
	loaded, err := playbook.Load(file)
	if err != nil {
		return wrong(fmt.Errorf("playbook %s (%s): %w", s.File, playbookSetting, firstOf(s.File, err)))
	}
	out := following{playbook: loaded, keys: make(map[string]tms.ServiceKey)}
	var unread error
	lacking := loaded.Lacks(func(name string) bool {
		key, err := s.Key(name)
		unread = errors.Join(unread, err)
		if !key.Empty() {
			out.keys[name] = tms.NewServiceKey(key.Reveal())
		}
		return err != nil || !key.Empty()
	})
	switch {
	case unread != nil:
		return wrong(unread)
	case len(lacking) > 0:
		return wrong(fmt.Errorf("playbook %s (%s): %w; give it with --service-key NAME=FILE or in OPPFLOW_SERVICE_KEYS_DIR", s.File, playbookSetting, lacking))
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
