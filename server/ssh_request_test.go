package server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/xspec"
)

func TestAsksForWorker(t *testing.T) {
	const boot = ` -c "` + cmdline.BootstrapLine + `"`
	for _, text := range []string{
		"", "//python=execnet", "//python=execnet worker", "//dont_write_bytecode", "//python=python3//dont_write_bytecode",
		"//python=/opt/my\\ python/bin/python", `//python="C:/Program Files/Python/python.exe"`, "//python=docker exec -i box python3",
	} {
		spec, err := xspec.Parse("ssh=host" + text)
		require.NoError(t, err)
		args, err := cmdline.OpenSSH(spec)
		require.NoError(t, err)
		assert.NoError(t, asksForWorker(args[len(args)-1]), text)
	}
	assert.NoError(t, asksForWorker("python"+boot), "execnet's own")
	assert.NoError(t, asksForWorker(`python -\c "`+cmdline.BootstrapLine+`"`))
	assert.NoError(t, asksForWorker("sudo -n python3 -u"+boot), "with words behind the host")

	assert.NoError(t, asksForWorker("sudo -n sh -c '"+findingScript("")+"'"))

	for _, command := range []string{
		"", " ", boot[1:], "python", "python -c", `python -c ""`, "python" + boot + " x", "python" + boot + "; id",
		"id; python" + boot, "id && python" + boot, "id | python" + boot, "`id` python" + boot, "$(id)" + boot,
		"x\npython" + boot, "python <f" + boot, "python >f" + boot, "python -c \"import os;" + cmdline.BootstrapLine + `"`,
		`sh -c 'id; exec python -u -c "` + cmdline.BootstrapLine + `"'`, `bash -c 'python` + boot + `'`, "python 'x" + boot, "python\x00",
		`python -\c "import\ sys;exec(eval(sys.stdin.readline()))"`,
	} {
		assert.Error(t, asksForWorker(command), command)
	}
}

func FuzzAsksForWorker(f *testing.F) {
	f.Add(`python -c "` + cmdline.BootstrapLine + `"`)
	f.Add("sh -c '" + findingScript("") + "'")
	f.Add("id")
	f.Fuzz(func(t *testing.T, command string) {
		if asksForWorker(command) == nil && !strings.Contains(command, cmdline.BootstrapLine) {
			t.Fatalf("%q is taken for a driver's", command)
		}
	})
}
