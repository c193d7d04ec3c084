package bootstrap

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/process"
)

// TestSelfThatDoesNotRun has programs at the far end that do not become a worker, and the reasons.
func TestSelfThatDoesNotRun(t *testing.T) {
	lacking, err := os.ReadFile("/bin/cat")
	require.NoError(t, err)
	lacking = bytes.Replace(bytes.Replace(lacking, []byte("/ld-linux"), []byte("/ld-lacks"), 1), []byte("/ld-musl"), []byte("/ld-lack"), 1)
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		says    string
	}{
		"lacks its loader":   {lacking, 0o700, "the program ended without an answer (exit status 127); it is linked against libraries that are not there: build it with CGO_ENABLED=0; its stderr ended:\n"},
		"lacks a library":    {[]byte("#!/bin/sh\necho x: error while loading shared libraries: libx.so.1 >&2; exit 1\n"), 0o700, "(exit status 1); it is linked against libraries that are not there"},
		"may not be run":     {lacking, 0o600, "(exit status 126); the system there does not run it; its stderr ended:\n"},
		"is no worker":       {[]byte("#!/bin/sh\nexit 3\n"), 0o700, "the program ended without an answer (exit status 3); it has to call worker.ServeIfWorker() at the top of main"},
		"prints and is none": {[]byte("#!/bin/sh\necho usage\n"), 0o700, `expected a Python worker's answer, got "usage\n", then the end of its output (exit status 0); it has to call worker.ServeIfWorker()`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			require.NoError(t, os.WriteFile(path, c.content, c.mode))
			pipe, err := process.Start([]string{"/bin/sh", "-c", "exec " + path}, nil, nil)
			require.NoError(t, err)
			_, err = Start(within(t, 20*time.Second), pipe, gatewaybase.Config{Spec: parse(t, "ssh=box//self//id=gw0")})
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.ErrorContains(t, err, c.says)
		})
	}
	assert.Empty(t, whyNoWorker(farend.Exit{Known: true, Code: 2, Stderr: "execnet: EXECNET_ENGINE=x: there is no such engine\n"}), "it says why")
}
