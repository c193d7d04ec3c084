package cmdline

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHints(t *testing.T) {
	t.Setenv("EXECNET_PYTHON", "")
	const (
		held    = "does the launcher hold lines back? srun needs -u"
		several = "srun starts 2 processes on one pipe"
	)
	for command, want := range map[string]struct{ silent, ended string }{
		"python3":                                  {},
		"python3 -u":                               {},
		"srun python3":                             {silent: held},
		"srun python3 -u":                          {silent: held},
		"/usr/bin/srun -n1 -N 1 python3.12":        {silent: held},
		"srun -u -n1 python3":                      {},
		"srun --unbuffered python3":                {},
		"srun -u -n2 python3":                      {several, several},
		"srun -n 2 python3":                        {several, several},
		"srun -u --ntasks=2 python3":               {several, several},
		"srun -u -p debug --ntasks 2 /opt/python3": {several, several},
		"srun -u --nodes=2-4 python3":              {several, several},
		"srun -u -N 2-4 python3":                   {several, several},
		"srun -u -n1 python3 -n2":                  {},
		"srun -u -n1 --ntasks-per-node 4 python3":  {},
		"docker exec box python3":                  {"docker exec without -i gives no input", "docker exec without -i gives no input"},
		"sudo podman exec -w /tmp box python3 -i":  {"podman exec without -i gives no input", "podman exec without -i gives no input"},
		"podman --remote exec box /usr/bin/python": {"podman exec without -i gives no input", "podman exec without -i gives no input"},
		"kubectl -n web exec pod -- python3":       {"kubectl exec without -i gives no input", "kubectl exec without -i gives no input"},
		"docker exec -i box python3":               {},
		"docker exec -it box python3":              {},
		"podman exec --interactive box python3":    {},
		"kubectl exec --stdin=true pod -- python3": {},
		"docker run --rm -i image python3":         {},
		"docker run --rm image python3":            {"docker run without -i gives no input", "docker run without -i gives no input"},
		"docker compose exec -T web python3":       {},
		"docker ps":                                {},
		"'":                                        {},
	} {
		for _, kind := range []string{"popen//python=", "ssh=host//python="} {
			silent, ended := Hint(parse(t, kind+command), false), Hint(parse(t, kind+command), true)
			if want.silent == "" {
				assert.Empty(t, silent, command)
			}
			if want.ended == "" {
				assert.Empty(t, ended, command)
			}
			assert.Contains(t, silent, want.silent, command)
			assert.Contains(t, ended, want.ended, command)
		}
	}
	t.Setenv("EXECNET_PYTHON", "srun python3")
	assert.Equal(t, held, Hint(parse(t, "popen"), false))
	assert.Empty(t, Hint(parse(t, "ssh=host"), false))
	assert.Empty(t, Hint(parse(t, "popen//self"), false))
}
