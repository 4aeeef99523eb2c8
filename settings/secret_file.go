package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecretFile is the largest size of a file with a secret, in bytes. A larger file cannot be a
// file with a secret.
const maxSecretFile = 64 << 10

// ReadSecret returns the content of a file that holds one secret, without the white space around it. An empty file
// and a file larger than 64 KiB are errors. The error does not name the file.
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
		return Secret{}, fmt.Errorf("the file is larger than %d bytes; a secret is smaller", maxSecretFile)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return Secret{}, errors.New("the file is empty; write the secret into the file")
	}
	return NewSecret(secret), nil
}

// fileCause returns a file error without its path, because the message around it names the
// path.
func fileCause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
