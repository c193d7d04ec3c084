package multi_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/bootstrap"
	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// openFiles is how many descriptors this process has.
func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(files)
}

// TestFailedStartsLeaveNothing has starts fail in several ways on every road, next to a gateway
// that lives, and counts descriptors and goroutines.
func TestFailedStartsLeaveNothing(t *testing.T) {
	sshd, err := opensshd.Start(within.Soon(t), t.TempDir())
	require.NoError(t, err)
	defer sshd.Stop()
	g := multi.NewGroup()
	g.Stderr = t.Output()
	defer func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) }()
	ssh := "ssh=box//ssh_config=" + sshd.ConfigFile
	python := "//python=" + pythons.Default(t).Path
	makeGateway(t, g, "popen//id=host"+python)
	makeGateway(t, g, ssh+python) // its connection is used by what fails
	for failure, script := range map[string]string{
		"much, and the end": "head -c 9000 /dev/zero; exit 3",
		"too much":          "head -c 90000 /dev/zero; exit 3",
		"endless":           "exec cat /dev/zero",
		"cut off":           "head -c 9000 /dev/zero; exec cat >/dev/null",
		"nothing":           "exit 3",
	} {
		program := "//python=" + pythons.Program(t, t.TempDir(), "python", "#!/bin/sh\n"+script+"\n")
		for road, spec := range map[string]string{
			"popen": "popen", "ssh": ssh, "openssh": ssh + "//sshclient=openssh", "via": "popen//via=host",
		} {
			t.Run(road+"/"+failure, func(t *testing.T) {
				limit := 20 * time.Second
				if failure == "cut off" { // nothing but the context ends it
					limit = 500 * time.Millisecond
				}
				files, goroutines := 0, goleak.IgnoreCurrent()
				for i := range 3 {
					_, err := g.MakeGateway(within.Time(t, limit), spec+program)
					var failed *bootstrap.Error
					require.ErrorAs(t, err, &failed)
					if i == 0 { // what is opened once and kept is open now
						files = openFiles(t)
					}
				}
				assert.Equal(t, files, openFiles(t), "descriptors")
				goleak.VerifyNone(t, goroutines)
			})
		}
	}
}

// TestNoiseThroughAnotherGateway has a wrapper behind another gateway print something before it
// starts the interpreter.
func TestNoiseThroughAnotherGateway(t *testing.T) {
	t.Parallel()
	for name, noise := range map[string]string{"one": "echo 1", "banner": "echo welcome; printf 11"} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t)
			makeGateway(t, g, "popen//id=host")
			wrapper := pythons.Program(t, t.TempDir(), "python", "#!/bin/sh\n"+noise+"\nexec "+filepath.Clean(pythons.Default(t).Path)+` "$@"`+"\n")
			gw := makeGateway(t, g, "popen//via=host//python="+wrapper)
			requireWorks(t, gw)
		})
	}
}
