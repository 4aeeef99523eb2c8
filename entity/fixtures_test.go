package entity_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/opportunity"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var (
	course  = id(opportunity.TypeCourse, 11)
	event   = id(opportunity.TypeEvent, 1)
	path    = id(opportunity.TypePath, 1)
	tokens  = id(opportunity.TypeTokens, "8848a3b38adf45db8ff60fafcbd3b3f6")
	region  = id(opportunity.TypeRegion, "DR")
	account = id(opportunity.TypeAccount, 2)
	stepTwo = id(opportunity.TypeStep, 4)
	record  = id(opportunity.TypeOpportunity, 2)
)

func id(typ string, key any) opportunity.ID {
	return opportunity.ID(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", typ, key)))
}

func execute(s *entity.State, i opportunity.OperatorCommand) error {
	_, err := s.Execute(i, "", noon)
	return err
}

func repeat[T any](one T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = one
	}
	return list
}

// An empty message means that no error is expected.
func wantError(t reporter, err error, typ opportunity.ErrorType, message string) {
	t.Helper()
	if message == "" {
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		return
	}
	var own *opportunity.Error
	if !errors.As(err, &own) {
		t.Errorf("got %v, want %s: %s", err, typ, message)
		return
	}
	if own.Type != typ || own.Message != message {
		t.Errorf("got  %s: %s\nwant %s: %s", own.Type, own.Message, typ, message)
	}
	if strings.ContainsAny(own.Message, "\r\n") {
		t.Errorf("not one line: %q", own.Message)
	}
}

// amount parses a valid amount.
func amount(t reporter, s string) opportunity.Amount {
	t.Helper()
	a, err := opportunity.ParseAmount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// reporter contains the methods that both testing.T and rapid.T have.
type reporter interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}
