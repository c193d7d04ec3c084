// Command bench measures this module beside Python's execnet and beside what the machine can do at
// all, all in the same run, and prints one table. It needs a Python 3 and an interpreter that can
// import execnet (see -execnet). Run it in its own folder:
//
//	go run .                                  # everything
//	go run . -only 'echo|items' -rounds 31    # some measurements
//	go run . -write ../docs                   # everything, and write docs/benchmarks.md
//	go run . -draw ../docs                    # measure nothing, only draw the charts again
//
// It tells on stderr what it is measuring.
//
// # Method
//
// The speed of a machine changes from second to second: its clock rate, its caches, and whoever
// else uses it. So every figure is a comparison. A round measures each side once, one right after
// the other, and the next round starts with another side. Each round gives a ratio; the table shows
// the median ratio, the quartiles of the ratios in parentheses, and each side's own median. Rely on
// the ratio; the rest is for orientation. Where the quartiles lie far apart, use more -rounds.
//
// A sample repeats its work until it takes about 20 ms, and where bytes a second are measured until
// it has moved 256 MiB; that number of repetitions is found before the first round. Starts of
// interpreters are measured one by one. Each side runs with its garbage collector as it comes.
//
// # How to read it
//
// "speed × 41" means 41 times as fast as what it is measured against, and more is better; "time ×
// 1.2" means 1.2 times as long, and less is better. Then come the aim and whether it is met; a
// comparison without an aim is there for orientation.
//
//   - dumps and loads: the public form, in memory. Python's execnet is timed inside its own
//     process. msgpack and CBOR load the same value, from their own format, to any.
//   - echo, items, MB: this program and a Python worker, a process each. The raw pipe is a Python
//     loop of os.read or readinto and os.write over a pipe made the same way, which moves the same
//     number of bytes and understands nothing. It reads into the same memory all the time; for the
//     pipe whose blocks are kept, each block has memory of its own, as what Receive returns must
//     have. "given back" means that the receiver calls GiveBack with each item. With execnet,
//     both ends are Python. A raw echo takes a few times as long on an idle machine, where each
//     end wakes a sleeping CPU, as on a busy one, where both share a CPU that is awake; what a
//     worker adds stays about the same.
//   - Go workers: "Go to Go" is this program driving itself, started once more as a worker; its raw
//     pipe is a loop of reads and writes in Go at both ends. With execnet driving, the same Python
//     driver has a Go worker at the far end, where gpython runs the source that CPython runs
//     otherwise. Words are counted in 50 MB of text, in pieces of 1 MB over two channels: by a Go
//     function there, and by collections.Counter and a regular expression in CPython, with both
//     channels to one interpreter or one to each of two.
//   - CPython behind Go: this program, started once more as a worker, with a CPython behind it. A
//     call is a Go function that returns its argument; its raw pipe is os.write and os.read in
//     Python at one end and reads and writes in Go at the other. Large bytes as arguments and
//     results stand beside items of a channel between this program and a Python worker. The first
//     program counts from the moment when the Go worker runs.
//   - calls: of a function that returns its argument, beside an item that goes to a loop at the far
//     end and comes back. The decision is that of --engine auto, before a program begins.
//   - arrays: a million float64, from Go's memory to an array of numpy, and the other way. Slices
//     travel as lists, with every number by itself; ArrayOf and bytes as they are in memory.
//     JSON goes through the pipes of a Python process that has imported numpy, each text with its
//     length before it, and encoding/json is at Go's end. Apache Arrow is not measured: its module
//     would be built for every test of bench/.
//   - starts: from the call that makes the gateway to the first value received from code that runs
//     there; ending the gateway is not timed. The bare start is `python -c pass` from fork to wait,
//     so it includes the interpreter's end, and a ratio can be below 1. What an interpreter does at
//     its start depends on what is installed there, so execnet's interpreter is measured with both.
//     16 starts are 16 goroutines on either side; execnet's own group makes one gateway after the
//     other.
//   - workers in one group: a new driver for each sample makes a group, calls each worker once and
//     ends all. Its memory is how much more of it is resident once all workers have answered, after
//     a garbage collection, than after it has made and ended one.
//   - pools: as many workers as processors, which have started before time counts. The jobs that
//     hang have two seconds each. pebble and concurrent.futures fork their workers; ours are
//     processes of their own, as they would be behind ssh. A worker is replaced from the moment
//     when the job that has killed it returns until the next job has its result.
//   - suites: commands with two workers, from start to end, each in a folder of its own, where it
//     finds what its last run has left. Ours remembers how long tests have taken. All three use the
//     same interpreter and pytest; pytest-xdist is found by PYTHONPATH, where make venv has put it.
//     The import of 2 s is 2 s of computing, so that two workers that import need both processors.
//     Memory is the proportional set size of all processes of a run, the command itself included.
//   - over ssh: an OpenSSH server on this machine, started for the purpose, behind a relay that
//     holds every byte back 50 ms each way. Time counts from the first connection to the first
//     value. "round trips" is that time in units of 100 ms; the same without the relay's delay
//     stands beside it. "trips +2.1" means that the delay costs 2.1 round trips more than it costs
//     the other side, where work that goes on while bytes are under way costs nothing; an aim of
//     two is met by 2.25. The handshake is x/crypto's, with one key, which our client uses as well;
//     TCP's own is not delayed. sshd lets no input into a session before its command runs, so what
//     is to be the command's input waits a round trip, partly hidden by the interpreter's start;
//     the aim leaves that one out. The remote interpreters run with -S -E, to be quick; they, sshd
//     and the driver share this machine's processors.
//   - uploads: from the login to the end, of the first 20 MiB of this program, by Group.Deploy and
//     by a process of scp for each host. A host is an OpenSSH server of its own behind a relay. All
//     of them, and what Deploy runs there, share this machine's processors.
//   - sync: from the start of a driver process to its end, as with rsync(1); pip's driver runs
//     already. Over ssh the relay holds bytes back 10 ms each way. Each side has a tree of its own
//     in the folder for temporary files ($TMPDIR). rsync(1) serves several targets one after the
//     other. Some file systems (ext4) take several times as long to make files for minutes after
//     many were deleted, and not alike for all sides; a folder in memory, such as TMPDIR=/dev/shm,
//     compares the programs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"

	_ "github.com/go-execnet/execnet/cpython" // these two run the Python source that drivers send
	_ "github.com/go-execnet/execnet/gpython"
	"github.com/go-execnet/execnet/worker"
)

func main() {
	register()
	worker.ServeIfWorker()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := run
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case driveCommand:
			run = driveGroup
		case rawCommand:
			run = serveRaw
		case syncCommand:
			run = driveSync
		}
	}
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// register makes this program's functions callable by drivers.
func register() {
	worker.Register("bench", worker.Funcs{
		"tasks": serveTasks, "words": countWords, "same": func(v any) any { return v }, "compute": compute,
		"size": func(b []byte) int { return len(b) }, "block": sameBlock(),
	})
}

// sameBlock returns a function that gives so many bytes, each time the same ones: what sends items
// of a channel does not make them anew, either.
func sameBlock() func(size int) []byte {
	var block []byte
	return func(size int) []byte {
		if len(block) != size {
			block = make([]byte, size)
		}
		return block
	}
}

// options are what the command line says.
type options struct {
	python   string
	execnet  string
	rounds   int
	only     *regexp.Regexp
	markdown bool
	json     bool
	write    string
	draw     string
}

func parse(args []string) (options, error) {
	o := options{only: regexp.MustCompile("")}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.python, "python", "python3", "the interpreter that our worker runs in, a `path` or a name on PATH")
	flags.StringVar(&o.execnet, "execnet", "", "the interpreter that can import execnet (default: that of $EXECNET_TEST_VENV, else of .venv)")
	flags.IntVar(&o.rounds, "rounds", 15, "how many `rounds` each comparison gets; those of many starts and those over ssh get a third")
	flags.Func("only", "compare only what matches the `regexp`", func(s string) (err error) {
		o.only, err = regexp.Compile(s)
		return err
	})
	flags.BoolVar(&o.markdown, "markdown", false, "print the table in Markdown")
	flags.BoolVar(&o.json, "json", false, "print one JSON object a line")
	flags.StringVar(&o.write, "write", "", "put what is measured into benchmarks.md, its charts and its results.json in this `folder`")
	flags.StringVar(&o.draw, "draw", "", "measure nothing: draw charts and tables again from the results.json in this `folder`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.rounds < 1 {
		return o, fmt.Errorf("-rounds %d: at least one is needed", o.rounds)
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	var r results
	if docs := o.write + o.draw; docs != "" {
		if r, err = readResults(docs); err != nil {
			return err
		}
	}
	if o.draw != "" {
		return r.write(o.draw)
	}
	p := newProgress(os.Stderr)
	p.step("starting the processes that are measured")
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	setting := b.setting(o.rounds)
	p.clear()
	if !o.json {
		fmt.Printf("%s\n\n", setting)
	}
	measured, err := b.measure(ctx, o, p)
	if err != nil || o.write == "" {
		return err
	}
	r.merge(setting, measured)
	return r.write(o.write)
}

// all are the measurements, in the order of the table.
func (b *bench) all() []measurement {
	return slices.Concat(b.values(), b.pipes(), b.goWorkers(), b.cpythons(), b.calls(), b.arrayRows(), b.starts(), b.groups(), b.pools(), b.suites(), b.network(), b.uploads(), b.syncs())
}

// measure makes the measurements that are wanted, prints their rows and returns them.
func (b *bench) measure(ctx context.Context, o options, p *progress) ([][]row, error) {
	wanted := slices.DeleteFunc(b.all(), func(m measurement) bool { return !o.only.MatchString(m.title()) })
	if len(wanted) == 0 {
		return nil, fmt.Errorf("nothing matches -only %s", o.only)
	}
	t := newTable(os.Stdout, o.markdown)
	if !o.json {
		t.head()
	}
	p.total, p.done = len(wanted), 0
	var measured [][]row
	for _, m := range wanted {
		p.begin(m.title())
		rows, err := m.run(ctx, o.rounds, p)
		p.clear()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.title(), err)
		}
		measured = append(measured, rows)
		if !o.json {
			t.rows(rows)
			continue
		}
		for _, r := range rows {
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				return nil, err
			}
		}
	}
	return measured, t.flush()
}
