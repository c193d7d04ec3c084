package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// interpreter is a Python to run things with.
type interpreter struct{ path, version string }

// findPython asks the interpreter for its own path: a name on PATH may be a script that first looks
// for the interpreter, and the time of that is not Python's.
func findPython(ctx context.Context, name string) (interpreter, error) {
	out, err := exec.CommandContext(ctx, name, "-c", "import sys; print(sys.executable); print(sys.version.split()[0])").Output()
	if err != nil {
		return interpreter{}, fmt.Errorf("cannot run %s: %w", name, err)
	}
	lines := strings.Fields(strings.ReplaceAll(string(out), " ", "\x00"))
	if len(lines) != 2 {
		return interpreter{}, fmt.Errorf("%s does not say what it is: %q", name, out)
	}
	return interpreter{strings.ReplaceAll(lines[0], "\x00", " "), lines[1]}, nil
}

// execnetPython is the interpreter in which pip's execnet is expected.
func execnetPython() string {
	venv := os.Getenv("EXECNET_TEST_VENV")
	if venv == "" {
		venv = filepath.Join(pythons.Root(), ".venv")
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(venv, "Scripts", "python.exe")
	}
	return filepath.Join(venv, "bin", "python")
}

//go:embed pip.py
var pipSource string

// pip is a Python process that drives pip's execnet and times it. Commands and answers are JSON,
// each with its length in four bytes before it.
type pip struct {
	python  interpreter
	release string
	process *process.Process
}

// answer is an answer of pip.py.
type answer struct {
	Seconds float64
	Release string
	Error   string
	groupRun
	Driver, Worker float64
}

func startPip(ctx context.Context, name string) (*pip, error) {
	python, err := findPython(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("no Python with execnet (make .venv, or see -execnet): %w", err)
	}
	started, err := process.Start([]string{python.path, "-c", pipSource}, nil, os.Stderr)
	if err != nil {
		return nil, err
	}
	p := &pip{python: python, process: started}
	hello, err := p.call("hello", map[string]any{"source": workerSource})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s cannot run execnet: %w", name, err), stop(started))
	}
	p.release = hello.Release
	return p, nil
}

// side is a side that pip.py times.
func (p *pip) side(what string, data []byte) side {
	return p.asking("execnet", what, map[string]any{"data": data})
}

// asking is a side that pip.py times, with arguments of its own.
func (p *pip) asking(name, what string, arguments map[string]any) side {
	return side{name, func(_ context.Context, n int) (time.Duration, error) {
		arguments["n"] = n
		a, err := p.call(what, arguments)
		return time.Duration(a.Seconds * float64(time.Second)), err
	}}
}

func (p *pip) call(what string, arguments map[string]any) (a answer, err error) {
	command, err := json.Marshal(map[string]any{"call": what, "arguments": arguments})
	if err != nil {
		return a, err
	}
	command = append(binary.BigEndian.AppendUint32(nil, uint32(len(command))), command...)
	if _, err := p.process.Write(command); err != nil {
		return a, fmt.Errorf("the Python process has ended: %w", err)
	}
	var size [4]byte
	if _, err := io.ReadFull(p.process, size[:]); err != nil {
		return a, fmt.Errorf("the Python process has ended: %w", err)
	}
	reply := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(p.process, reply); err != nil {
		return a, fmt.Errorf("the Python process has ended: %w", err)
	}
	if err := json.Unmarshal(reply, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// stop ends a process that ends with its stdin.
func stop(p *process.Process) error {
	p.CloseWrite()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := p.Wait(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("process %d does not end: %w", p.PID(), err), p.Kill())
	}
	p.CloseRead()
	return err
}
