package settings_test

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/oppflow/oppflow/settings"
)

func TestLog(t *testing.T) {
	tests := []struct {
		name         string
		args, env    []string
		debug, info  bool
		firstInfoHas string
	}{
		{"defaults", nil, nil, false, true, "level=INFO"},
		{"environment", nil, []string{"OPPFLOW_LOG_LEVEL=debug", "OPPFLOW_LOG_FORMAT=json"}, true, true, `"level":"INFO"`},
		{"flags win", []string{"--log-level=warn", "--log-format=text"}, []string{"OPPFLOW_LOG_LEVEL=debug", "OPPFLOW_LOG_FORMAT=json"}, false, false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			log := settings.Log{Environment: append(settings.Environment{}, test.env...)}
			fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
			log.AddFlags(fs)
			if err := fs.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			logger, err := log.Logger(&out)
			if err != nil {
				t.Fatal(err)
			}
			logger.Debug("a-debug-line")
			logger.Info("an-info-line")
			logger.Error("an-error-line")
			if strings.Contains(out.String(), "a-debug-line") != test.debug || strings.Contains(out.String(), "an-info-line") != test.info ||
				!strings.Contains(out.String(), "an-error-line") || !strings.Contains(out.String(), test.firstInfoHas) {
				t.Errorf("wrote\n%s", out.String())
			}
		})
	}
}

func TestLogRefuses(t *testing.T) {
	for variable, flag := range map[string]string{"OPPFLOW_LOG_LEVEL": "--log-level", "OPPFLOW_LOG_FORMAT": "--log-format"} {
		log := settings.Log{Environment: settings.Environment{variable + "=loud"}}
		_, err := log.Logger(&strings.Builder{})
		if err == nil || !strings.Contains(err.Error(), variable) || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), "must be") {
			t.Errorf("%s: got %v", variable, err)
		}
	}
}
