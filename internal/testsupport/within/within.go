// Package within bounds what tests wait for.
package within

import (
	"context"
	"testing"
	"time"
)

// Soon is a context for a step that takes no time when it works: it ends after two minutes, which
// is enough on a busy machine too.
func Soon(t testing.TB) context.Context { return Time(t, 2*time.Minute) }

// Time is a context that ends after limit, or soon after the test. It may be made while the test is
// cleaned up, when t.Context() has ended.
func Time(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}
