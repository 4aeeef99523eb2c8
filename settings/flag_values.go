package settings

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

type rateFlag float64

func (r *rateFlag) Set(text string) error {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value > 0) || math.IsInf(value, 0) {
		return errors.New("must be a number of requests per second greater than 0, such as 20 or 0.5")
	}
	*r = rateFlag(value)
	return nil
}

func (r *rateFlag) String() string {
	if *r == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*r), 'g', -1, 64)
}

func (r *rateFlag) Type() string { return "number" }

type durationFlag time.Duration

func (s *durationFlag) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value <= 0 {
		return errors.New("must be a length of time greater than 0, such as 90s, 30m or 336h")
	}
	*s = durationFlag(value)
	return nil
}

func (s *durationFlag) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

func (s *durationFlag) Type() string { return "duration" }

const maxSharingNamespaces = 1000

type namespaceCountFlag int

func (n *namespaceCountFlag) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 || value > maxSharingNamespaces {
		return fmt.Errorf("must be a whole number of namespaces from 1 to %d", maxSharingNamespaces)
	}
	*n = namespaceCountFlag(value)
	return nil
}

func (n *namespaceCountFlag) String() string {
	if *n == 0 {
		return ""
	}
	return strconv.Itoa(int(*n))
}

func (n *namespaceCountFlag) Type() string { return "number" }
