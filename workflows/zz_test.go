package workflows_test

import (
	"fmt"
	"os"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
)

func (s *stage) trace() {
	if os.Getenv("TRACE") == "" {
		return
	}
	s.env.SetOnActivityCompletedListener(func(info *activity.Info, result converter.EncodedValue, err error) {
		var v any
		if result != nil && result.HasValue() {
			_ = result.Get(&v)
		}
		fmt.Printf("%s %s -> %v %v\n", s.env.Now().Format("01-02T15:04:05"), info.ActivityType.Name, v, err)
	})
	
}
