//go:build unix

package syncsoak_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/syncsoak"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/worker"
)

// driverVariable makes this test binary a program that does one sync.
const driverVariable = "EXECNET_TEST_SYNC"

func TestMain(m *testing.M) {
	worker.ServeIfWorker()
	if os.Getenv(driverVariable) != "" {
		os.Unsetenv(driverVariable)
		if err := syncsoak.Sync(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// soakTime is how long each campaign of the tests runs. The environment variable is in seconds.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("EXECNET_TEST_SOAK")
	if text == "" {
		return 3 * time.Second
	}
	seconds, err := strconv.Atoi(text)
	require.NoError(t, err)
	return time.Duration(seconds) * time.Second
}

// TestTwoSyncsAtOnce has two syncs of different trees into one place at once, and halves that are
// killed, for each kind of receiving half and for all of them mixed.
func TestTwoSyncsAtOnce(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	goWorker := "popen//python=" + program
	kinds := map[string][]string{"go": {goWorker}}
	mixed := []string{goWorker}
	for _, p := range pythons.All(t) {
		kinds["python"+p.Version()] = []string{p.Spec()}
		mixed = append(mixed, p.Spec())
	}
	kinds["mixed"] = mixed
	for name, specs := range kinds {
		t.Run(name, func(t *testing.T) {
			c := syncsoak.Campaign{Duration: soakTime(t), Seed: uint64(time.Now().UnixNano()), Specs: specs}
			c.Log = func(line string) { t.Log(line) }
			c.Driver = func(args ...string) *exec.Cmd {
				cmd := exec.Command(program, args...)
				cmd.Env = append(os.Environ(), driverVariable+"=1")
				return cmd
			}
			counts, err := c.Run(within.Time(t, c.Duration+time.Minute))
			require.NoError(t, err)
			t.Logf("seed %d: %+v", c.Seed, counts)
			assert.NotZero(t, counts.Runs)
			assert.Zero(t, counts.Failures)
		})
	}
}
