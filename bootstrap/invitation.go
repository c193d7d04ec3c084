package bootstrap

import (
	"fmt"
	"strings"
)

// Style is how a driver's first words start a worker, and with it which stream the worker serves.
type Style string

const (
	// StyleExec carries a worker's source, and serves on the stdin and stdout of the process.
	StyleExec Style = "exec"
	// StyleImport has the execnet package that is installed serve on the stdin and stdout of the
	// process.
	StyleImport Style = "import"
	// StyleSocket serves on the connection that the words came by. It is for socket servers.
	StyleSocket Style = "socket"
)

// Invitation is what a driver's first words ask for (protocol.md section 7.10).
type Invitation struct {
	// ID is the worker's id: the gateway's with "-worker" appended.
	ID string
	// ExecModel is one of [xspec.ExecModels], or "" when the driver left it to the socket server.
	ExecModel string
	Style     Style
	// ChDir is the folder to work in, to be made if it is absent; "" for no change. It, Nice and
	// Env come from this module's drivers only. Python's set these up by an execution.
	ChDir string
	// Nice is what to add to the niceness.
	Nice int
	// Env are environment variables to set, nil for none.
	Env map[string]string
	// Ahead are whole messages, or their beginning, to be taken as if they were the first bytes
	// after the line.
	Ahead []byte
}

// RefusedError is what Accept reports about first words that no driver sends.
type RefusedError struct {
	// Problem is what is wrong with them.
	Problem string
	// Got is how the line begins, at most 60 bytes of it. It is anything; print it quoted.
	Got string
	// Err is what reading reported: io.EOF if nothing came, io.ErrUnexpectedEOF if the line did not
	// end; nil if the line was read.
	Err error
}

// Error tells what this program is waiting for and what came instead.
func (e *RefusedError) Error() string {
	var b strings.Builder
	b.WriteString("execnet: " + e.Problem)
	if e.Got != "" {
		fmt.Fprintf(&b, " (it begins with %+q)", e.Got)
	}
	b.WriteString(`. This is an execnet worker: a driver starts it and speaks to it first, for example ` +
		`execnet.makegateway("popen//python=PROGRAM worker") in Python`)
	return b.String()
}

// Unwrap returns Err.
func (e *RefusedError) Unwrap() error { return e.Err }

// beginning is what a RefusedError keeps of a line.
func beginning(line string) string {
	const enough = 60
	return strings.Clone(strings.TrimRight(line[:min(len(line), enough)], "\r\n"))
}
