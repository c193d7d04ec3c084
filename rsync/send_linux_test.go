package rsync

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// readSoFar is how many bytes this process has read with system calls.
func readSoFar(t *testing.T) (n int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	require.NoError(t, err)
	_, err = fmt.Sscanf(string(text), "rchar: %d", &n)
	require.NoError(t, err)
	return n
}

func TestSendReadsOnce(t *testing.T) {
	source := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(source, "large"), noise(8, 5<<20), 0o600))
	for i := range 50 {
		require.NoError(t, os.WriteFile(filepath.Join(source, fmt.Sprint(i)), noise(uint64(i), 100_000), 0o600))
	}
	python := pythons.Default(t).Spec()
	gws := connect(t, python, python, python)
	r := &RSync{Source: source, Delta: DeltaNever}
	for _, gw := range gws {
		require.NoError(t, r.AddTarget(gw, t.TempDir(), TargetOptions{}))
	}
	before := readSoFar(t)
	require.NoError(t, r.Send(within.Soon(t)))
	require.Less(t, readSoFar(t)-before, int64(5<<20+50*100_000+500_000))
	for _, result := range r.Results() {
		require.EqualValues(t, 51, result.Files)
	}
}
