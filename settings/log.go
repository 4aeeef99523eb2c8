package settings

import (
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// LogLevel is the least severe level of the log records that are written: "debug", "info", "warn"
// or "error"; empty means "info".
type LogLevel string

// Set parses a level, so that a LogLevel can be the value of a flag.
func (l *LogLevel) Set(text string) error {
	switch text {
	case "debug", "info", "warn", "error":
		*l = LogLevel(text)
		return nil
	}
	return errors.New("must be debug, info, warn or error")
}

// String returns the level's name.
func (l *LogLevel) String() string { return string(*l) }

// Type returns the name that help output shows for the value of the flag.
func (l *LogLevel) Type() string { return "level" }

func (l *LogLevel) level() slog.Level {
	var level slog.Level // info
	_ = level.UnmarshalText([]byte(*l))
	return level
}

// LogFormat is the format of the log records: "text" or "json"; empty means "text".
type LogFormat string

// Set parses a format, so that a LogFormat can be the value of a flag.
func (f *LogFormat) Set(text string) error {
	switch text {
	case "text", "json":
		*f = LogFormat(text)
		return nil
	}
	return errors.New("must be text or json")
}

// String returns the format's name.
func (f *LogFormat) String() string { return string(*f) }

// Type returns the name that help output shows for the value of the flag.
func (f *LogFormat) Type() string { return "format" }

// Log contains the settings for logging.
type Log struct {
	// Level is the value of --log-level or OPPFLOW_LOG_LEVEL.
	Level LogLevel
	// Format is the value of --log-format or OPPFLOW_LOG_FORMAT.
	Format LogFormat
	// Environment contains the variables that Logger reads; nil means the environment of the
	// process.
	Environment Environment
}

// AddFlags binds the fields to flags.
func (l *Log) AddFlags(fs *pflag.FlagSet) {
	fs.Var(&l.Level, "log-level", "least severe level of the log records to write: debug, info, warn or error (default info) [OPPFLOW_LOG_LEVEL]")
	fs.Var(&l.Format, "log-format", "format of the log records: text or json (default text) [OPPFLOW_LOG_FORMAT]")
}

// Logger returns a logger that writes each log record to w as one line.
func (l *Log) Logger(w io.Writer) (*slog.Logger, error) {
	level, format := l.Level, l.Format
	if level == "" {
		if err := l.Environment.fill(&level, "log-level", "OPPFLOW_LOG_LEVEL"); err != nil {
			return nil, err
		}
	}
	if format == "" {
		if err := l.Environment.fill(&format, "log-format", "OPPFLOW_LOG_FORMAT"); err != nil {
			return nil, err
		}
	}
	options := &slog.HandlerOptions{Level: level.level()}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
