package main

import (
	"os"

	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logger writes log entries to standard error, one entry per line, without stack traces. While the
// services start and stop, the services cannot reach each other for a short time and log many
// messages. If the log level is warn or error, logger omits the messages of starting and stopping
// services.
type logger struct {
	log.Logger
	minimum zap.AtomicLevel
	level   zapcore.Level
}

func newLogger(level string) (*logger, error) {
	wanted, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	encoder := log.DefaultZapEncoderConfig
	encoder.StacktraceKey = zapcore.OmitKey
	l := &logger{minimum: zap.NewAtomicLevel(), level: wanted}
	l.atLeast(zapcore.ErrorLevel)
	l.Logger = log.NewZapLogger(zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(encoder), zapcore.Lock(os.Stderr), l.minimum)))
	return l, nil
}

// The server calls servicesReady when all services respond.
func (l *logger) servicesReady() { l.minimum.SetLevel(l.level) }

// servicesStopping hides the errors that stopping services log about their interrupted work.
func (l *logger) servicesStopping() { l.atLeast(zapcore.DPanicLevel) }

func (l *logger) atLeast(level zapcore.Level) {
	if l.level < zapcore.WarnLevel {
		level = l.level
	}
	l.minimum.SetLevel(level)
}
