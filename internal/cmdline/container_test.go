package cmdline

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestContainerCommand(t *testing.T) {
	for text, want := range map[string][]string{
		"docker=box//python=python3": {"docker", "exec", "-i", "box", "python3", "-u", "-c", BootstrapLine},
		"podman=box//python='a b' -E//dont_write_bytecode//env:TZ=x y'z//env:SECRET=s//env:LANG=C": {
			"podman", "exec", "-i", "-e", "LANG=C", "-e", "TZ=x y'z", "box", "a b", "-E", "-u", "-B", "-c", BootstrapLine},
		"docker=box": {"docker", "exec", "-i", "box", "sh", "-c",
			`if command -v python3 >/dev/null 2>&1; then p=python3; else p=python; fi; exec $p -u -c "` + BootstrapLine + `"`},
		"kubectl=deploy/web//namespace=a b//container=c//context=d//python=py": {
			"kubectl", "exec", "-i", "--context=d", "--namespace=a b", "--container=c", "deploy/web", "--", "py", "-u", "-c", BootstrapLine},
		"kubectl=web//python=py//env:TZ=a $(b)//env:SECRET=s": {"kubectl", "exec", "-i", "--quiet", "web", "--", "env", "TZ=a $(b)", "py", "-u", "-c", BootstrapLine},
		"docker=$(id) `id`//python=py":                        {"docker", "exec", "-i", "$(id) `id`", "py", "-u", "-c", BootstrapLine},
		`docker=box//python='C:\py'`:                          {"docker", "exec", "-i", "box", `C:\py`, "-u", "-c", BootstrapLine},
	} {
		spec := parse(t, text)
		require.NoError(t, spec.Validate())
		argv, err := ContainerPython(spec)
		require.NoError(t, err)
		assert.Equal(t, want, ContainerCommand(spec, argv), text)
	}
}
