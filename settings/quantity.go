package settings

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// rate is a flag's value: a positive, finite number per second.
type rate float64

func (r *rate) Set(text string) error {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value > 0) || math.IsInf(value, 0) {
		return errors.New("must be a number of requests per second greater than 0, such as 20 or 0.5")
	}
	*r = rate(value)
	return nil
}

func (r *rate) String() string {
	if *r == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*r), 'g', -1, 64)
}

func (r *rate) Type() string { return "number" }

// span is a flag's value: a positive length of time.
type span time.Duration

func (s *span) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value <= 0 {
		return errors.New("must be a length of time greater than 0, such as 90s, 30m or 336h")
	}
	*s = span(value)
	return nil
}

func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

func (s *span) Type() string { return "duration" }

// maxSharers is how many namespaces may share an address.
const maxSharers = 1000

// sharers is a flag's value: a number of namespaces.
type sharers int

func (n *sharers) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 || value > maxSharers {
		return fmt.Errorf("must be a whole number of namespaces from 1 to %d", maxSharers)
	}
	*n = sharers(value)
	return nil
}

func (n *sharers) String() string {
	if *n == 0 {
		return ""
	}
	return strconv.Itoa(int(*n))
}

func (n *sharers) Type() string { return "number" }
