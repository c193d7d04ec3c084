package pyvalue_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParallel runs programs in many interpreters at a time, each of which must give what it gives
// alone.
func TestParallel(t *testing.T) {
	var sources []string
	for _, table := range tables(t, "testdata/programs/*.txt") {
		sources = append(sources, splitPrograms(table)...)
	}
	require.NotEmpty(t, sources)
	ctx := newContext()
	var alone []answer
	for _, source := range sources {
		alone = append(alone, askGpython(ctx, source))
	}
	require.NoError(t, ctx.Close())

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ctx := newContext()
			for i, source := range sources {
				assert.Equal(t, alone[i], askGpython(ctx, source), source)
			}
			assert.NoError(t, ctx.Close())
		})
	}
	wg.Wait()
}
