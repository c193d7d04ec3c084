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
	"github.com/go-execnet/execnet/internal/dialback"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker/internal/native"
)

// word is the argument that starts a program as a worker.
const word = cmdline.WorkerWord

// ServeIfWorker turns the program into a worker if a driver has started it as one, and ends it with
// the status of [Main] when the driver has done with it. Otherwise it returns, and the program goes
// on. It belongs at the top of main, after the calls of Register: what is registered later is not
// found.
//
// A program was started as a worker if its arguments are those that drivers give an interpreter:
// -u, -B, and -c with execnet's bootstrap line, which follow python=PROGRAM or self in a spec. The
// word "worker" in front of them or by itself means the same; it is how socket servers start it.
// With --connect behind that word, or with what launch= gives an interpreter behind -c, it connects
// to the driver that the environment variable EXECNET_LAUNCH names.
// The options --engine, --python and --site, behind that word or in front of the arguments, are
// those of [Config]. Other options, such as those of python=PROGRAM -W error, are Python's and mean
// nothing to a Go program: it says so on stderr and ends with status 2. Behind another word
// (python=PROGRAM agent) the arguments are the program's own, which may call Main.
func ServeIfWorker() { Config{}.ServeIfWorker() }

// ServeIfWorker is the function [ServeIfWorker] with this Config.
func (c Config) ServeIfWorker() {
	switch isWorker, err := c.arguments(os.Args[1:]); {
	case err != nil:
		os.Exit(complain("", err, exitRefused))
	case isWorker:
		os.Exit(c.Main())
	}
}

// Command is the method of an empty [Config].
func Command(args ...string) server.Command { return Config{}.Command(args...) }

// arguments tells whether a program with these arguments is to be a worker, and takes the options
// among them. Those that a Go worker does not know are an error, if a driver has given them.
func (c *Config) arguments(args []string) (isWorker bool, err error) {
	n := len(args)
	byDriver := n >= 2 && args[n-2] == "-c" && (args[n-1] == cmdline.BootstrapLine || dialback.IsProgram(args[n-1]))
	if byDriver {
		args = args[:n-2]
		for len(args) > 0 && (args[len(args)-1] == "-u" || args[len(args)-1] == "-B") {
			args = args[:len(args)-1]
		}
	}
	switch {
	case len(args) > 0 && args[0] == word:
		args = args[1:]
	case !byDriver || len(args) > 0 && !strings.HasPrefix(args[0], "-"):
		return false, nil
	}
	given := *c
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == cmdline.ConnectOption })
	extra, err := given.take(args)
	switch {
	case len(extra) > 0 && !byDriver: // the program's own command "worker" knows what they mean
		return false, nil
	case len(extra) > 0:
		return false, fmt.Errorf("%s is a Go worker, no Python: it does not take %s", os.Args[0], strings.Join(extra, " "))
	}
	*c = given
	return err == nil, err
}

// The exit statuses of Main.
const (
	exitFailed  = 1 // the set-up or the protocol failed, or executions did not end
	exitRefused = 2 // what started it was no driver
)

// firstLineTimeout is how long the first line may take if it comes over a socket, so that somebody
// who connects and sends nothing does not keep a worker.
const firstLineTimeout = time.Minute

// ballastSize is the size of an allocation that is never written to, so that the system gives it no
// memory. The garbage collector counts it, and so does not run after every few items of a worker
// that holds nothing else.
const ballastSize = 16 << 20

// Main serves the driver at stdin and stdout, which become the null device for everybody else in
// the process, until the driver terminates the worker or is gone. If the program's arguments say
// that it is to connect (see [ServeIfWorker]), it serves the driver that it connects to. It returns
// the exit status: 0 after an orderly end, 1 if the set-up failed, executions did not end or the
// driver does not speak the protocol, 2 if what started the program was no driver, or it has found
// none; what went wrong stands on stderr.
//
// Programs call ServeIfWorker instead, unless their own command line says that they are a worker.
// If a function that runs in this goroutine (execmodel=main_thread_only) has called runtime.Goexit,
// Main does not return but ends the process with the status.
func Main() int { return Config{}.Main() }

// Main is the function [Main] with this Config.
func (c Config) Main() int {
	cmdline.Serve()
	connects := dialback.Asked(os.Args[1:])
	if !connects && term.IsTerminal(int(os.Stdin.Fd())) {
		fmt.Fprintf(os.Stderr, "%s: this is a worker of execnet: a driver starts it and speaks to it, as in\n"+
			"    execnet.makegateway(\"popen//python=%s\")\n", os.Args[0], strings.Join(os.Args[:min(2, len(os.Args))], " "))
		return exitRefused
	}
	streams, err := takeStreams()
	if err != nil {
		return complain("cannot take over stdin and stdout", err, exitFailed)
	}
	var pipe wire = streams
	if connects {
		_ = streams.Kill() // nobody uses them
		connected, err := dialback.Connect(context.Background())
		if err != nil {
			return complain("", err, exitRefused)
		}
		driver := newConnection(connected)
		defer driver.leave()
		pipe = driver
	}
	in := bufio.NewReaderSize(pipe, 64<<10)
	pipe.limitReads(firstLineTimeout)
	request, err := bootstrap.Accept(in)
	if err != nil {
		return complain("", err, exitRefused)
	}
	pipe.limitReads(0)
	// A terminal's Ctrl-C goes to all of its programs. What it means for a worker is its driver's
	// decision, so nobody reads this channel. signal.Ignore would be inherited by the processes
	// that the worker starts.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	if err := c.settleSite(); err != nil {
		return complain("", err, exitFailed)
	}
	if err := setUp(request); err != nil {
		return complain("cannot set up worker "+request.ID, err, exitFailed)
	}
	// What the driver sets up may be variables that check reads.
	if err := c.check(); err != nil {
		return complain("", err, exitFailed)
	}
	output, err := captureOutput(request.Output)
	if err != nil {
		return complain("cannot redirect the output of worker "+request.ID, err, exitFailed)
	}
	// What was read with the first line comes before the rest.
	buffered, _ := in.Peek(in.Buffered())
	pipe.readFirst(io.MultiReader(bytes.NewReader(request.Ahead), bytes.NewReader(bytes.Clone(buffered))))
	if _, err := pipe.Write(request.Answer); err != nil {
		return complain("cannot answer the driver", err, exitFailed)
	}
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	status := func(err error) int {
		if err != nil {
			return complain("worker "+request.ID, err, exitFailed)
		}
		return 0
	}
	return status(serve(context.Background(), pipe, config{
		id: request.ID, execModel: request.ExecModel, describeErrors: request.DescribeErrors, output: output,
		settings: c, engineKey: request.Engine,
		goexit: func(err error) { os.Exit(status(err)) },
	}))
}

// complain writes one line to stderr and returns status.
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
