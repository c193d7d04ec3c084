package pyvalue_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestBothWays has functions in the middle, which gpython compiles wrongly: they must not give wrong results.
func TestBothWays(t *testing.T) {
	ctx := newContext()
	t.Cleanup(func() { assert.NoError(t, ctx.Close()) })
	for _, source := range []string{
		"def f(n):\n    return [[n + i + j for i in range(2)] for j in range(2)]\nr = f(1)\n",
		"def f(a):\n    def g(b):\n        def h():\n            return a, b\n        return h\n    return g\nr = f(1)(2)()\n",
	} {
		got := askGpython(ctx, source)
		assert.Equal(t, "!NotImplementedError", got[0])
		assert.Contains(t, got[1], "of a function around it and has")
	}
}
