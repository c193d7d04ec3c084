package importfs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/importfs"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestGoWorker: the CPython behind a Go worker imports as any other does.
func TestGoWorker(t *testing.T) {
	for _, engine := range []string{"cpython", "auto"} {
		t.Run(engine, func(t *testing.T) {
			gw := gateway(t, "popen//self//engine="+engine+"//env:EXECNET_PYTHON="+pythons.Default(t).Path)
			// What gpython can do runs there until CPython is needed.
			assert.Equal(t, []any{int64(2)}, run(t, gw, "channel.send(1 + 1)"))
			require.NoError(t, importfs.Install(within.Soon(t), gw, files(library)))
			value, err := gatewaybase.RemoteCall[string](within.Soon(t), gw, "pkg.one.shout", "aloud")
			require.NoError(t, err)
			assert.Equal(t, "ALOUD", value)
			requireImports(t, gw)
			assert.EqualValues(t, 3, asked(t, gw))
		})
	}
}

// TestGoWorkerWithoutCPython says what is missing.
func TestGoWorkerWithoutCPython(t *testing.T) {
	for engine, want := range map[string][]string{
		"gpython": {"cannot let gateway gw0 import the driver's modules", "gpython imports nothing from the driver", "engine=cpython"},
		"auto":    {"gpython imports nothing from the driver", "this Go worker has none", "install Python there"},
		"cpython": {"there is none", "install Python there"},
	} {
		t.Run(engine, func(t *testing.T) {
			gw := gateway(t, "popen//self//engine="+engine+"//env:PATH=/nowhere")
			err := importfs.Install(within.Soon(t), gw, files(library))
			for _, text := range want {
				assert.ErrorContains(t, err, text)
			}
			g := newGroup(t)
			require.NoError(t, g.ImportFS(within.Soon(t), files(library)))
			_, err = g.MakeGateway(within.Soon(t), "popen//self//engine="+engine+"//env:PATH=/nowhere")
			assert.ErrorContains(t, err, want[len(want)-1])
			assert.Zero(t, g.Len())
		})
	}
}
