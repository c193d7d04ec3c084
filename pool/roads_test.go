//go:build unix

package pool_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pool"
)

// TestPoolsByEveryRoad has jobs hang and die in workers elsewhere: they are tried again, and the
// errors tell how a worker ended.
func TestPoolsByEveryRoad(t *testing.T) {
	python, server := pythons.Default(t), sshdtest.Start(t)
	for name, specs := range map[string][2]string{
		"ssh":        {"", server.Spec() + "//python=" + python.Path},
		"via Python": {python.Spec() + "//id=host", "popen//via=host//python=" + python.Path},
		"via ssh":    {server.Spec() + "//id=host//python=" + python.Path, "popen//via=host"},
		"via Go":     {"popen//self//engine=gpython//id=host", python.Spec() + "//via=host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group := execnet.NewGroup()
			t.Cleanup(func() { _ = group.Terminate(within.Soon(t)) })
			if specs[0] != "" {
				_, err := group.MakeGateway(within.Soon(t), specs[0])
				require.NoError(t, err)
			}
			p, _ := newPool(t, pool.Options{Group: group, Specs: []string{specs[1]}, Timeout: 10 * time.Second, Retries: 1})
			for _, function := range []string{"tasks.leave_once", "tasks.hang_once"} {
				text, err := pool.Call[string](within.Soon(t), p, function, filepath.Join(t.TempDir(), "mark"))
				require.NoError(t, err, function)
				assert.Equal(t, "done", text)
			}
			for function, argument := range map[string]int{"tasks.leave": 4, "tasks.die": int(syscall.SIGSEGV)} {
				_, err := pool.Call[any](within.Soon(t), p, function, argument)
				var died *execnet.GatewayDiedError
				require.ErrorAs(t, err, &died, function)
				if function == "tasks.leave" {
					assert.Equal(t, 4, died.Exit.Code, "%v", err)
					assert.Contains(t, died.Exit.Stderr, "leaving now")
				} else {
					assert.True(t, died.Exit.Signal == syscall.SIGSEGV || died.Exit.Code == 128+int(syscall.SIGSEGV), "%v", err)
				}
			}
			sum := 0
			for result, err := range pool.Map[int](within.Soon(t), p, "tasks.double", numbers(20)) {
				require.NoError(t, err)
				sum += result.Value
			}
			assert.Equal(t, 380, sum)
		})
	}
}
