package testrun

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

//go:embed combine.py
var combineSource string

// combineTime bounds the reading of what all workers have measured.
const combineTime = 5 * time.Minute

// coverage is what pytest-cov has measured: its options in a worker, and the folder in which each
// worker has left a file. Files on other machines than the first worker's are not read.
type coverage struct {
	spec    *xspec.Spec
	options any
	topdir  string
}

// tellCoverage has the files of all workers combined, and tells pytest-cov's report.
func (s *suite) tellCoverage(ctx context.Context) {
	text, low, err := s.coverage.combine(ctx, s)
	switch {
	case err != nil:
		s.handle(&Notice{Text: "what pytest-cov has measured cannot be combined: " + errtext.Of(err)})
	default:
		s.handle(&Notice{Text: text})
		s.lowCoverage = low
	}
}

func (c *coverage) combine(ctx context.Context, s *suite) (text string, low bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, combineTime)
	defer cancel()
	spec := c.spec.Clone()
	spec.ID = "coverage"
	gw, err := s.Group.MakeGatewaySpec(ctx, spec)
	if err != nil {
		return "", false, err
	}
	defer leave(context.WithoutCancel(ctx), gw)
	ch, err := gw.RemoteExec(ctx, combineSource, gatewaybase.File("execnet/testrun/combine.py", 1))
	if err == nil {
		err = ch.Send(ctx, serializer.Tuple{c.options, c.topdir})
	}
	if err != nil {
		return "", false, err
	}
	item, err := ch.Receive(ctx)
	if err != nil {
		return "", false, err
	}
	parts, _ := item.(serializer.Tuple)
	f := &fields{rest: parts}
	text, total, low := f.text(), as[float64](f), as[bool](f)
	if f.bad {
		return "", false, fmt.Errorf("execnet: %v is not a report of coverage", item)
	}
	if low {
		text += fmt.Sprintf("\nthe total of %.2f%% is less than --cov-fail-under or fail_under", total)
	}
	return text, low, nil
}
