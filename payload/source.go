package payload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/moby/sys/atomicwriter"
)

// Source provides the encryption keys. A program that uses a key management service implements
// Source, for example with a key set that the service decrypts.
type Source interface {
	// ReadKeys returns the keys that the source has now.
	ReadKeys(ctx context.Context) (*KeySet, error)
	// String names the origin of the keys for error messages, such as the path of a file.
	String() string
}

const (
	keyFileMode     = 0o600
	maxKeyFileBytes = 1 << 20
)

// FileSource is a key file: a Tink key set in JSON that is not encrypted.
type FileSource struct{ Path string }

// String returns the path.
func (f FileSource) String() string { return f.Path }

// ReadKeys returns an error if a user other than the owner has access to the file.
func (f FileSource) ReadKeys(context.Context) (*KeySet, error) {
	keys, err := f.read()
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", f.Path, err)
	}
	return keys, nil
}

func (f FileSource) read() (*KeySet, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // ReadKeys adds the path
		}
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("the file has the mode %04o, but only its owner may have access; run: chmod 600 %s", mode, f.Path)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxKeyFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxKeyFileBytes {
		return nil, fmt.Errorf("the file is larger than %d bytes", maxKeyFileBytes)
	}
	return ParseKeySet(content)
}

// Create writes the keys to a new file with the mode 0600. Create returns an error if the file
// exists.
func (f FileSource) Create(keys *KeySet) error {
	content, err := keys.JSON()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, keyFileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

// Replace replaces the content of the file in one step, so that a reader sees the former or the new
// keys.
func (f FileSource) Replace(keys *KeySet) error {
	content, err := keys.JSON()
	if err != nil {
		return err
	}
	return atomicwriter.WriteFile(f.Path, content, keyFileMode)
}
