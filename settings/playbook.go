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

// The values for playbooks that are not files.
const (
	// DefaultPlaybook means the built-in playbook.
	DefaultPlaybook = "default"
	// NoPlaybook means no playbook.
	NoPlaybook = "none"
)

const serviceKeySetting = "--service-key or OPPFLOW_SERVICE_KEYS_DIR"

// Playbook says which playbook a worker deploys if the namespace has none. Playbook also says where
// the keys for requests to the services of a playbook are. Call Resolve before use.
type Playbook struct {
	// File is the playbook: --playbook, OPPFLOW_PLAYBOOK. DefaultPlaybook means the built-in playbook, "" and
	// NoPlaybook mean no playbook.
	File string
	// InForceAfter is the time from the storing of a version of the playbook until the version
	// comes into force. All workers of a namespace must have the same time. 0 means the default
	// time. Only tests set another time, in order to wait less.
	InForceAfter time.Duration
	// WithoutEffects are kinds of effects that the worker treats as unknown, like a worker of an
	// earlier version. WithoutEffects is for tests.
	WithoutEffects []string
	// KeyFiles are files that hold one key each, by the names of the keys in the playbook:
	// --service-key NAME=FILE.
	KeyFiles map[string]string
	// KeysDir is a directory with the key files that KeyFiles does not list. Each file has the name of
	// its key: OPPFLOW_SERVICE_KEYS_DIR.
	KeysDir string
	// Environment is where variables are looked up; nil is the environment of the process.
	Environment Environment
}

// AddFlags binds the fields to flags.
func (p *Playbook) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&p.File, "playbook", p.File, "playbook to deploy if the namespace has no playbook: the path of a file, or the word default for the built-in playbook, or the word none for no playbook (default none) [OPPFLOW_PLAYBOOK]")
	fs.Var(&keyFiles{&p.KeyFiles}, "service-key", "NAME=FILE: FILE is the file with the service key that has the name NAME in the playbook; may be repeated [OPPFLOW_SERVICE_KEYS_DIR: a directory with one file for each key; the file has the name of the key]")
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

// Resolve fills the empty fields from the environment. A second call changes nothing.
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

// Key reads the key with the name; the key is empty if no file has that name. The directory holds
// no keys whose names have slashes or begin with dots.
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

// keyFiles is a flag's value that may be given several times.
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

// Type names the kind of value in help output.
func (k *keyFiles) Type() string { return "name=file" }
