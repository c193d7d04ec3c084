package main

import (
	"context"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/worker"
)

func TestMain(m *testing.M) {
	register()
	worker.ServeIfWorker()
	if len(os.Args) > 1 && os.Args[1] == rawCommand {
		if serveRaw(context.Background(), nil) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestCPythonsAreMeasured makes each comparison with a CPython behind a Go worker once.
func TestCPythonsAreMeasured(t *testing.T) {
	ctx := within.Soon(t)
	b, err := newBench(ctx, options{python: "python3", only: regexp.MustCompile("")})
	require.NoError(t, err)
	defer func() { require.NoError(t, b.close()) }()
	all := b.cpythons()
	require.Len(t, all, 7)
	for _, m := range all {
		for _, s := range m.(comparison).sides {
			took, err := s.run(ctx, 1)
			require.NoError(t, err, "%s: %s", m.title(), s.name)
			assert.Positive(t, took, "%s: %s", m.title(), s.name)
		}
		for _, g := range m.(comparison).goals {
			assert.Positive(t, g.aim)
		}
	}
}
