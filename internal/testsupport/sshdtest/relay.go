package sshdtest

import (
	"testing"

	"github.com/go-execnet/execnet/internal/testsupport/relay"
)

// NewRelay starts a relay that ends with the test.
func NewRelay(tb testing.TB, to string) *relay.Relay {
	tb.Helper()
	r, err := relay.Start(to)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	return r
}
