package command

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// seconds is the value of an option: a length of time, as time.ParseDuration reads it, or a number
// of seconds.
type seconds struct{ to *time.Duration }

// String implements pflag.Value.
func (s seconds) String() string {
	if s.to == nil || *s.to == 0 {
		return ""
	}
	return s.to.String()
}

// Set implements pflag.Value.
func (s seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if number, wrong := strconv.ParseFloat(text, 64); wrong == nil {
		d, err = time.Duration(number*float64(time.Second)), nil
		if most := float64(1<<63 - 1); number*float64(time.Second) >= most || number*float64(time.Second) <= -most || number != number {
			return fmt.Errorf("%s seconds are too many", text)
		}
	}
	if err != nil {
		return fmt.Errorf("it is no length of time: write a number of seconds, or a number with a unit, such as 300ms, 30s or 5m")
	}
	*s.to = d
	return nil
}

// Type implements pflag.Value.
func (s seconds) Type() string { return "TIME" }

// addTimeout adds the option --timeout, whose value withGateways takes as its limit.
func addTimeout(cmd *cobra.Command, limit *time.Duration) {
	cmd.Flags().Var(seconds{limit}, "timeout", "give up after this `TIME`, such as 30 or 30s or 5m, and exit with 124 (default: never)")
}

func checkTimeout(limit time.Duration) error {
	if limit < 0 {
		return fmt.Errorf("--timeout %v: it cannot be negative", limit)
	}
	return nil
}
