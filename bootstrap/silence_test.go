//go:build unix

package bootstrap

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/gate"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

// silentAfter makes the first notice come after this time.
func silentAfter(t *testing.T, limit time.Duration) {
	t.Helper()
	before := silenceLimit
	silenceLimit = limit
	t.Cleanup(func() { silenceLimit = before })
}

// TestASilentStartIsTold has launchers that never let an answer through.
func TestASilentStartIsTold(t *testing.T) {
	silentAfter(t, time.Millisecond)
	folder := t.TempDir()
	for name, hint := range map[string]string{
		"python3": "",
		"srun":    "; does the launcher hold lines back? srun needs -u",
	} {
		t.Run(name, func(t *testing.T) {
			text := "popen//id=gw0//python=" + pythons.Program(t, folder, name, "#!/bin/sh\nexec sleep 600\n") + " -x"
			spec := parse(t, text)
			pipe, err := popen(spec)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(within(t, 2*time.Minute))
			var warnings textbuffer.Buffer
			failed := make(chan error, 1)
			go func() {
				_, err := Start(ctx, pipe, gatewaybase.Config{Spec: spec, Warnings: &warnings})
				failed <- err
			}()
			notice := "execnet: no answer from gw0 (" + text + ") for 0 s" + hint + "\n"
			require.Eventually(t, func() bool { return strings.Count(warnings.String(), notice) > 1 }, time.Minute, time.Millisecond, "it comes again")
			cancel()
			err = <-failed
			require.ErrorIs(t, err, context.Canceled)
			assert.ErrorContains(t, err, "gateway gw0 ("+text+") did not start: no answer from the interpreter: context canceled")
			assert.True(t, strings.HasSuffix(err.Error(), hint), err)
			assert.Equal(t, strings.Count(warnings.String(), "\n"), strings.Count(warnings.String(), notice), "nothing else is said")
		})
	}
}

// TestALauncherThatCannotWork has commands whose words tell what is wrong.
func TestALauncherThatCannotWork(t *testing.T) {
	silentAfter(t, time.Hour)
	python, folder := pythons.Default(t).Path, t.TempDir()

	podman := pythons.Program(t, folder, "podman", "#!/bin/sh\nshift 2\nexec \"$@\" </dev/null\n")
	_, err := start(t, "popen//python="+podman+" exec box "+python)
	assert.ErrorContains(t, err, "the interpreter ended without an answer (exit status 1); podman exec without -i gives no input; its stderr ended:\n")

	srun := pythons.Program(t, folder, "srun", "#!/bin/sh\nshift 2\nexec \"$@\"\n")
	for _, open := range []bool{true, false} {
		warnings := gate.New() // that nobody takes the warning holds up nothing
		if open {
			warnings.Open()
		}
		spec := parse(t, "popen//id=gw0//python="+srun+" -u -n2 "+python)
		pipe, err := popen(spec)
		require.NoError(t, err)
		gw, err := Start(within(t, 2*time.Minute), pipe, gatewaybase.Config{Spec: spec, Warnings: warnings})
		require.NoError(t, err)
		end(t, gw)
		if open {
			assert.Equal(t, "execnet: gateway gw0: srun starts 2 processes on one pipe (-n), and a gateway is one: "+
				"write launch=srun ...//n=2, or srun -u -n1 and a spec for each\n", warnings.String())
		} else {
			warnings.Open()
		}
	}
}
