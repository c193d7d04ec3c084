//go:build unix

package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

// deployHost is an ssh host with an empty home folder.
func deployHost(t *testing.T) (spec, cache string) {
	t.Helper()
	home := t.TempDir()
	server := sshdtest.Start(t, `SetEnv "PATH=/usr/bin:/bin" SHLVL=2 "HOME=`+home+`" "TMPDIR=`+t.TempDir()+`"`)
	return server.Spec(), filepath.Join(home, ".cache/go-execnet/programs")
}

func TestDeploy(t *testing.T) {
	a, cacheA := deployHost(t)
	b, cacheB := deployHost(t)
	program := filepath.Join(t.TempDir(), "hello")
	put(t, program, "#!/bin/sh\necho hello\n")
	r := execnet(t, "", "deploy", program, "--tx", a)
	require.Equal(t, 0, r.code, r.stderr)
	assert.Empty(t, r.stderr)
	assert.Regexp(t, "^"+cacheA+"/hello-[0-9a-f]{64}\n$", r.stdout)
	name := filepath.Base(r.stdout[:len(r.stdout)-1])
	r = execnet(t, "", "deploy", program, "--tx", a, "--tx", b+"//id=b", "--tx", "ssh=nobody@127.0.0.1 -p 1")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, fmt.Sprintf("[gw0] %s/%s\n[b] %s/%[2]s\n", cacheA, name, cacheB), r.stdout)
	assert.Contains(t, r.stderr, "[gw1] connection refused by 127.0.0.1:1")

	for args, says := range map[string]string{
		"":                     "execnet deploy: give one PROGRAM, not 0",
		program:                "execnet deploy: nowhere to put it: give --tx SPEC",
		"/no/such --tx popen":  "execnet deploy: stat /no/such: no such file",
		program + " --tx ssh":  "execnet deploy: --tx: ",
		"/tmp --tx " + "popen": "[gw0] deploying: /tmp is no file",
	} {
		r := execnet(t, "", append([]string{"deploy"}, strings.Fields(args)...)...)
		assert.NotEqual(t, 0, r.code)
		assert.Contains(t, r.stderr, says)
	}
}

// TestDeployBars shows what a user sees of uploads.
func TestDeployBars(t *testing.T) {
	a, cache := deployHost(t)
	program := filepath.Join(t.TempDir(), "large")
	random := make([]byte, 1_000_000)
	for i := range random {
		random[i] = byte(i * i >> 7)
	}
	require.NoError(t, os.WriteFile(program, random, 0o700))
	out, code := atTerminal(t, "deploy", program, "--tx", a+"//id=left")
	assert.Equal(t, 0, code, out)
	assert.Regexp(t, `left [\d. kMB]+ / [\d. kMB]+ \[=+\]`, out)
	assert.Contains(t, out, cache+"/large-")
	out, code = atTerminal(t, "deploy", program, "--tx", a)
	assert.Equal(t, 0, code, out)
	assert.NotContains(t, out, "[=", "it is there already")
}

// TestSelfFromTheCommandLine runs this program's worker on a host that has nothing.
func TestSelfFromTheCommandLine(t *testing.T) {
	a, cache := deployHost(t)
	r := execnet(t, "", "exec", "--tx", a+"//self//engine=gpython", "-c", "import sys; channel.send(sys.executable)")
	require.Equal(t, 0, r.code, r.stderr)
	assert.Contains(t, r.stdout, cache+"/execnet-")
}
