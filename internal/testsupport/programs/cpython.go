package programs

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"
)

//go:embed cpython.py
var script string

// Outcome is what a program did.
type Outcome struct {
	Printed  string
	Error    string // the exception that ended it: its class and text
	Compiled bool   // false if the source was refused, or, in CPython, if it did not end
}

// CPython is an interpreter that runs programs, one after the other.
type CPython struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// NewCPython starts the interpreter. It ends with the test.
func NewCPython(tb testing.TB, python string) *CPython {
	tb.Helper()
	cmd := exec.Command(python, "-I", "-u", "-W", "ignore", "-c", script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the interpreter that runs the programs: %v", err)
		}
	})
	return &CPython{in, bufio.NewReader(out)}
}

// Run runs a program.
func (c *CPython) Run(tb testing.TB, source string) Outcome {
	tb.Helper()
	line, err := json.Marshal(source)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		tb.Fatal(err)
	}
	answer, err := c.out.ReadBytes('\n')
	if err != nil {
		tb.Fatalf("CPython ended with this program:\n%s\n%v", source, err)
	}
	var o Outcome
	if err := json.Unmarshal(answer, &[]any{&o.Printed, &o.Error, &o.Compiled}); err != nil {
		tb.Fatal(err)
	}
	return o
}
