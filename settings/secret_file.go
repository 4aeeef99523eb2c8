package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecretFile is the largest size of a file with a secret, in bytes.
const maxSecretFile = 64 << 10

// ReadSecret returns the content of a file that contains one secret, without white space at its
// beginning and end. ReadSecret returns an error for an empty file and for a file larger than 64
// KiB. The error of ReadSecret does not contain the path of the file.
func ReadSecret(path string) (Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return Secret{}, fileCause(err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err != nil {
		return Secret{}, fileCause(err)
	}
	if len(content) > maxSecretFile {
		return Secret{}, fmt.Errorf("the file is larger than %d bytes; give a file that contains only the secret", maxSecretFile)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return Secret{}, errors.New("the file is empty; write the secret into the file")
	}
	return NewSecret(secret), nil
}

// fileCause returns a file error without its path, because the caller's error contains the path.
func fileCause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
