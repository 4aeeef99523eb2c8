package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// These constants are the values of Playbook.File that name no file.
const (
	// DefaultPlaybook means the built-in playbook.
	DefaultPlaybook = "default"
	// NoPlaybook means no playbook.
	NoPlaybook = "none"
)

const serviceKeySetting = "--service-key or OPPFLOW_SERVICE_KEYS_DIR"

// Playbook says which playbook a worker deploys if the namespace has no playbook. Playbook also
// names the files with the keys that sign requests to the tenant's services. Call Resolve before
// use.
type Playbook struct {
	// File is the playbook: --playbook, OPPFLOW_PLAYBOOK. The value DefaultPlaybook means the built-in
	// playbook; "" and NoPlaybook mean no playbook.
	File string
	// InForceAfter is how long after the storing of a version of the playbook the version comes
	// into force. All workers of a namespace must have the same InForceAfter. Only tests set
	// InForceAfter; 0 means the default time.
	InForceAfter time.Duration
	// WithoutEffects are kinds of effects that the worker treats as unknown, like a worker of an
	// earlier version. WithoutEffects is for tests.
	WithoutEffects []string
	// KeyFiles maps the name of each signing key in the playbook to the path of the file with the
	// signing key: --service-key NAME=FILE.
	KeyFiles map[string]string
	// KeysDir is a directory with the files of the keys that KeyFiles does not list. Each file in
	// KeysDir has the name of its key: OPPFLOW_SERVICE_KEYS_DIR.
	KeysDir string
	// Environment contains the variables that Playbook reads; nil means the environment of the
	// process.
	Environment Environment
}

// AddFlags binds the fields to flags.
func (p *Playbook) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&p.File, "playbook", p.File, "playbook to deploy if the namespace has no playbook: the path of a file, or the word default for the built-in playbook, or the word none for no playbook (default none) [OPPFLOW_PLAYBOOK]")
	fs.Var(&keyFiles{&p.KeyFiles}, "service-key", "NAME=FILE, repeatable: FILE contains the service key with the name NAME in the playbook [OPPFLOW_SERVICE_KEYS_DIR: a directory in which each file has the name of its service key]")
	fs.DurationVar(&p.InForceAfter, inForceAfterFlag, p.InForceAfter, "for tests: time from storing a version of the playbook until the version is in force")
	fs.StringSliceVar(&p.WithoutEffects, withoutEffectFlag, p.WithoutEffects, "for tests: kinds of effects that the worker treats as unknown")
	for _, name := range []string{inForceAfterFlag, withoutEffectFlag} {
		_ = fs.MarkHidden(name) // no error: the flag exists
	}
}

const (
	inForceAfterFlag  = "playbook-in-force-after"
	withoutEffectFlag = "without-effect"
)

// Resolve fills the empty fields of Playbook from the environment. A second call changes nothing.
func (p *Playbook) Resolve() error {
	if p.File == "" {
		p.File = p.Environment.Get("OPPFLOW_PLAYBOOK")
	}
	if p.InForceAfter < 0 {
		return fmt.Errorf("--%s %s: must be greater than 0", inForceAfterFlag, p.InForceAfter)
	}
	if p.KeysDir == "" {
		p.KeysDir = p.Environment.Get("OPPFLOW_SERVICE_KEYS_DIR")
	}
	if p.KeysDir == "" {
		return nil
	}
	info, err := os.Stat(p.KeysDir)
	if err == nil && !info.IsDir() {
		err = errors.New("must be a directory")
	}
	if err != nil {
		return fmt.Errorf("OPPFLOW_SERVICE_KEYS_DIR %s: %w", p.KeysDir, fileCause(err))
	}
	return nil
}

// IsNone reports whether no playbook is given.
func (p *Playbook) IsNone() bool { return p.File == "" || p.File == NoPlaybook }

// Key returns the signing key with the name, or an empty Secret if no file for the signing key
// exists. Key reads no file of KeysDir if the name contains a slash or begins with a dot.
func (p *Playbook) Key(name string) (Secret, error) {
	path, given := p.KeyFiles[name]
	if !given {
		if p.KeysDir == "" || name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return Secret{}, nil
		}
		path = filepath.Join(p.KeysDir, name)
	}
	key, err := ReadSecret(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return Secret{}, nil
	}
	if err != nil {
		return Secret{}, fmt.Errorf("the service key %s, file %s (%s): %w", name, path, serviceKeySetting, err)
	}
	return key, nil
}

type keyFiles struct{ files *map[string]string }

func (k *keyFiles) Set(text string) error {
	name, file, found := strings.Cut(text, "=")
	if !found || name == "" || file == "" {
		return errors.New("must be NAME=FILE")
	}
	if _, twice := (*k.files)[name]; twice {
		return fmt.Errorf("the service key %s is given twice; give each key once", name)
	}
	if *k.files == nil {
		*k.files = make(map[string]string)
	}
	(*k.files)[name] = file
	return nil
}

func (k *keyFiles) String() string { return "" }

// Type returns the name that help output shows for the value of the flag.
func (k *keyFiles) Type() string { return "name=file" }
