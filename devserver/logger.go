package main

import (
	"os"

	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logger writes to standard error, one record per line and without stack traces, because users of
// this server want to read the errors of their own program. For the same reason logger omits the
// messages of services that start or stop and cannot reach each other for a short time. With a
// level below warnings, logger writes these messages, too.
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

// servicesReady is called when all services respond.
func (l *logger) servicesReady() { l.minimum.SetLevel(l.level) }

// servicesStopping is called before the services stop. servicesStopping hides the errors that the
// services then log about their interrupted work.
func (l *logger) servicesStopping() { l.atLeast(zapcore.DPanicLevel) }

func (l *logger) atLeast(level zapcore.Level) {
	if l.level < zapcore.WarnLevel {
		level = l.level
	}
	l.minimum.SetLevel(level)
}
