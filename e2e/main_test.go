package e2e_test

import (
	"os"
	"testing"

	"github.com/oppflow/oppflow/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
