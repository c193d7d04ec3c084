package worker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/go-execnet/execnet/bootstrap"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker/internal/native"
)

// Word is the argument that starts a program as a worker.
const Word = "worker"

// ServeIfWorker turns the program into a worker if it was started as one, and ends it when the
// driver has done with it; it returns if the program was started for its own sake. It belongs at
// the top of main, behind the calls of Register.
//
// A program was started as a worker if its arguments are those that drivers give an interpreter
// (-u, -B, and -c with execnet's bootstrap line), which stands behind python=PROGRAM or self in a
// spec; the word "worker" in front of them or by itself means the same.
func ServeIfWorker() {
	if isWorker(os.Args[1:]) {
		os.Exit(Main())
	}
}

func isWorker(args []string) bool {
	named := len(args) > 0 && args[0] == Word
	if named {
		args = args[1:]
	}
	if len(args) == 0 {
		return named
	}
	n := len(args)
	if n < 2 || args[n-2] != "-c" || args[n-1] != cmdline.BootstrapLine {
		return false
	}
	return !slices.ContainsFunc(args[:n-2], func(arg string) bool { return arg != "-u" && arg != "-B" })
}

// The exit statuses of Main.
const (
	exitFailed  = 1 // the set-up failed, executions did not end, or the driver does not speak the protocol
	exitRefused = 2 // what started it was no driver
)

// firstLinePatience is how long the first line of somebody behind a socket may take: a worker is
// not to be kept by strangers.
const firstLinePatience = time.Minute

// ballastSize is memory that nobody touches, so that it takes up none. The collector counts it, and
// so does not run after every few items of a worker that holds nothing else.
const ballastSize = 16 << 20

// Main serves the driver at stdin and stdout, which become the null device for everybody else, and
// returns the exit status: 0 after an orderly end. It is what "execnet worker" does.
func Main() int {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		fmt.Fprintf(os.Stderr, "%s: this is a worker of execnet: a driver starts it and speaks to it, as in\n"+
			"    execnet.makegateway(\"popen//python=%s\")\n", os.Args[0], strings.Join(os.Args[:min(2, len(os.Args))], " "))
		return exitRefused
	}
	pipe, err := takeStreams()
	if err != nil {
		return complain("cannot take over stdin and stdout", err, exitFailed)
	}
	in := bufio.NewReaderSize(pipe, 64<<10)
	pipe.hurry(firstLinePatience)
	request, err := bootstrap.Accept(in)
	if err != nil {
		return complain("", err, exitRefused)
	}
	pipe.hurry(0)
	// A terminal's Ctrl-C goes to all of its programs. What it means for a worker is its driver's
	// decision. Were it ignored, so would it be by what the worker starts.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	if err := setUp(request); err != nil {
		return complain("cannot set up worker "+request.ID, err, exitFailed)
	}
	// What was read with the first line comes before the rest.
	buffered, _ := in.Peek(in.Buffered())
	pipe.ahead = io.MultiReader(bytes.NewReader(request.Ahead), bytes.NewReader(bytes.Clone(buffered)))
	if _, err := pipe.Write([]byte{'1'}); err != nil {
		return complain("cannot answer the driver", err, exitFailed)
	}
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	err = Serve(context.Background(), pipe, Config{ID: request.ID, ExecModel: request.ExecModel})
	if err != nil {
		return complain("worker "+request.ID, err, exitFailed)
	}
	return 0
}

func complain(what string, err error, status int) int {
	text := errtext.Of(err)
	if what != "" {
		text = what + ": " + text
	}
	fmt.Fprintln(os.Stderr, "execnet: "+text)
	return status
}

// setUp applies what the driver asks for beside a worker.
func setUp(request *bootstrap.Request) error {
	for name, value := range request.Env {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if request.Nice != 0 {
		if err := native.Renice(request.Nice); err != nil {
			return err
		}
	}
	if request.ChDir == "" {
		return nil
	}
	return errors.Join(os.MkdirAll(request.ChDir, 0o777), os.Chdir(request.ChDir))
}

// ownCommand starts this program once more as a worker.
func ownCommand() server.Command {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	return server.Command{Args: []string{program, Word}, Stderr: os.Stderr}
}
