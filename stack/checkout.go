package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const module = "github.com/oppflow/oppflow"

// RootError is the error that the parts cannot be built because no checkout of Oppflow was found.
type RootError struct{ problem string }

// Error returns the text of the error, which names the directory in which the search for a checkout
// began.
func (e *RootError) Error() string { return e.problem }

// findRoot returns root or, if root is empty, the nearest checkout above the working directory.
func findRoot(root string) (string, error) {
	if root != "" {
		abs, err := filepath.Abs(root)
		if err != nil {
			return "", err
		}
		if !isRoot(abs) {
			return "", &RootError{problem: fmt.Sprintf("%s is not a checkout of Oppflow: the directory has no go.mod of module %s", root, module)}
		}
		return abs, nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if isRoot(dir) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", &RootError{problem: start + " is not inside a checkout of Oppflow; change into a checkout or name the directory of a checkout"}
		}
	}
}

func isRoot(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return fields[1] == module
		}
	}
	return false
}
