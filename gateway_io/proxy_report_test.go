package gatewayio

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

func TestProxyReports(t *testing.T) {
	newProxy := func() *proxy {
		p := &proxy{inFlight: 100}
		p.change.L = &p.mu
		return p
	}
	for _, nonsense := range []any{
		nil, "exit", int64(1), serializer.Tuple{}, serializer.Tuple{"ack"}, serializer.Tuple{"ack", "1"}, serializer.Tuple{"ack", int64(0)},
		serializer.Tuple{"ack", int64(-5)}, serializer.Tuple{"ack", int64(101)}, serializer.Tuple{"exit", int64(0)},
		serializer.Tuple{"other", int64(0), []byte{}}, []any{"ack", int64(1)},
	} {
		p := newProxy()
		ended, ok := p.report(nonsense)
		assert.False(t, ended || ok, "%v", nonsense)
		assert.Equal(t, 100, p.inFlight)
	}
	p := newProxy()
	ended, ok := p.report(serializer.Tuple{"ack", int64(60)})
	assert.True(t, ok && !ended)
	assert.Equal(t, 40, p.inFlight)

	for _, test := range []struct {
		status any
		want   gatewaybase.Exit
	}{
		{int64(0), gatewaybase.Exit{Known: true}},
		{int64(7), gatewaybase.Exit{Known: true, Code: 7}},
		{int64(-9), gatewaybase.Exit{Known: true, Code: -1, Signal: os.Signal(syscall.SIGKILL)}},
		{nil, gatewaybase.Exit{}},
	} {
		ended, ok := p.report(serializer.Tuple{"exit", test.status, []byte("bye")})
		assert.True(t, ended && ok)
		test.want.Stderr = "bye"
		assert.Equal(t, test.want, p.Exit())
	}
}
