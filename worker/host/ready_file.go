package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteReady writes value as JSON to the file that the parent process waits for. The file appears
// in one step. Without a path WriteReady does nothing.
func WriteReady(path string, value any) (err error) {
	if path == "" {
		return nil
	}
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, fileCause(err))
	}
	_, err = file.Write(append(content, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("ready file %s: %w", path, errors.Join(fileCause(err), os.Remove(file.Name())))
	}
	return nil
}

// fileCause returns a file error without the path of the temporary file.
func fileCause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
