package entity_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/oppflow/oppflow/settings/testrun"
)

func TestMain(m *testing.M) {
	if err := testrun.SetRapidChecks("20", "2000"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}
