package settings

import (
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// LogLevel is the least severe level that is written, "debug", "info", "warn" or "error". Empty is "info".
type LogLevel string

// Set reads a level, so that a level can be a flag's value.
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

// Type names the kind of value in help output.
func (l *LogLevel) Type() string { return "level" }

func (l *LogLevel) level() slog.Level {
	var level slog.Level // info
	_ = level.UnmarshalText([]byte(*l))
	return level
}

// LogFormat is how log records are written, "text" or "json". Empty is "text".
type LogFormat string

// Set reads a format, so that a format can be a flag's value.
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

// Type names the kind of value in help output.
func (f *LogFormat) Type() string { return "format" }

// Log says what is logged and how.
type Log struct {
	// Level is the least severe level written: --log-level, OPPFLOW_LOG_LEVEL. Empty is "info".
	Level LogLevel
	// Format is how records are written: --log-format, OPPFLOW_LOG_FORMAT. Empty is "text".
	Format LogFormat
	// Environment is where variables are looked up; nil is the environment of the process.
	Environment Environment
}

// AddFlags binds the fields to flags.
func (l *Log) AddFlags(fs *pflag.FlagSet) {
	fs.Var(&l.Level, "log-level", "least severe level of the log records to write: debug, info, warn or error (default info) [OPPFLOW_LOG_LEVEL]")
	fs.Var(&l.Format, "log-format", "format of the log records: text or json (default text) [OPPFLOW_LOG_FORMAT]")
}

// Logger returns a logger that writes to w, one record per line.
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
