package embedded

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestAProgramOfAnotherModule builds a program whose own go.mod names this module and the main one,
// and runs it where there is no Python.
func TestAProgramOfAnotherModule(t *testing.T) {
	dir := t.TempDir()
	here, err := os.Getwd()
	require.NoError(t, err)
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", fmt.Sprintf(`module example.com/elsewhere

go 1.26.0

require (
	github.com/go-execnet/execnet v0.0.0
	github.com/go-execnet/execnet/embedded v0.0.0
)

replace (
	github.com/go-execnet/execnet => %q
	github.com/go-execnet/execnet/embedded => %q
)
`, filepath.Dir(here), here))
	sums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	write("go.sum", string(sums))
	write("main.go", `package main

import (
	"context"
	"fmt"
	"log"

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/embedded"
)

func main() {
	ctx := context.Background()
	defer execnet.Terminate(ctx)
	gw, err := execnet.MakeGateway(ctx, "popen")
	if err != nil {
		log.Fatal(err)
	}
	info, err := gw.RInfo(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(info.VersionInfo.Major, ".", info.VersionInfo.Minor)
}
`)
	program := filepath.Join(dir, "elsewhere.exe")
	ctx := within.Time(t, 5*time.Minute)
	build := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-o", program, ".")
	build.Dir = dir
	build.Env = append(surroundings, "CGO_ENABLED=0", "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Setenv("PATH", t.TempDir())
	t.Setenv("EXECNET_PYTHON", "")
	said, err := exec.CommandContext(ctx, program).CombinedOutput()
	require.NoError(t, err, "%s", said)
	assert.Equal(t, "3.14", string(said))
}
