package gpython

// _subprocess: what the module subprocess (library/subprocess.py) needs of the system. gpython
// v0.2.0 has no child processes. No shell is started here: a program is found and run with exactly
// the arguments that it is given. A child inherits no descriptor but its three streams.
//
// Every child is reaped by a goroutine of the gateway. When the execution that started it is
// interrupted, or its gateway ends, the child is killed, unless it was started in a session or a
// process group of its own: such a child is meant to outlive the program, as it does with CPython.

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// What programs give for a stream of a child, besides a file or a descriptor.
const (
	streamPipe   = -1
	streamStdout = -2 // where the child's stdout goes
	streamNull   = -3
)

// subprocessHelper makes the module _subprocess.
func (in *interp) subprocessHelper() (*py.Module, error) {
	return in.newModule("_subprocess", py.StringDict{
		"start": &function{"start", in.startChild},
		"PIPE":  py.Int(streamPipe), "STDOUT": py.Int(streamStdout), "DEVNULL": py.Int(streamNull),
	})
}

// child is a process that a program has started.
type child struct {
	in       *interp
	process  *os.Process
	detached bool
	done     chan struct{}                // closed when it has been reaped
	ended    func(state *os.ProcessState) // called before done is closed, if it is not nil
	code     int                          // as Popen.returncode; valid after done
	pipes    [3]*os.File                  // our ends, nil for streams that are no pipes

	talking  bool            // communicate has begun
	talked   chan struct{}   // closed when all pipes have come to their ends
	gathered [3]*gatheredOut // of communicate
}

var childType = newType(py.ObjectType, "_subprocess.child", "A child process.")

func (c *child) Type() *py.Type { return childType }

func (c *child) M__getattr__(name string) (py.Object, error) {
	switch name {
	case "pid":
		return py.Int(c.process.Pid), nil
	case "poll":
		return &function{name, c.poll}, nil
	case "wait":
		return &function{name, c.wait}, nil
	case "send_signal":
		return &function{name, c.sendSignal}, nil
	case "communicate":
		return &function{name, c.communicate}, nil
	}
	return nil, noAttribute(c, name)
}

// startChild is _subprocess.start. It returns the child and the program's ends of its pipes as open
// files of os, or None.
func (in *interp) startChild(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("start", args, kwargs, 9, "argv", "executable", "cwd", "env", "stdin", "stdout", "stderr",
		"session", "group", "encoding", "errors")
	if err != nil {
		return nil, err
	}
	argv, err := childArguments(a[0])
	if err != nil {
		return nil, err
	}
	env, err := in.childEnvironment(a[3])
	if err != nil {
		return nil, err
	}
	attr := &os.ProcAttr{Env: env}
	if a[2] != py.None {
		if attr.Dir, err = childFolder(a[2]); err != nil {
			return nil, err
		}
	}
	session, err := truth(a[7], false)
	if err != nil {
		return nil, err
	}
	group := -1
	if a[8] != py.None {
		if group, err = py.IndexInt(a[8]); err != nil {
			return nil, err
		}
	}
	if attr.Sys, err = childAttributes(session, group); err != nil {
		return nil, err
	}
	streams := &childStreams{in: in}
	defer streams.closeTheirs()
	if err := streams.open(a[4:7]); err != nil {
		streams.closeOurs()
		return nil, err
	}
	attr.Files = streams.theirs[:]
	name, err := fileSystemText(a[1])
	if err != nil {
		streams.closeOurs()
		return nil, err
	}
	keepDescriptors()
	var process *os.Process
	in.blocking(func() { process, err = startProgram(name, argv, attr) })
	if err != nil {
		streams.closeOurs()
		return nil, aboutPath(err, a[1])
	}
	c := &child{in: in, process: process, detached: session || group >= 0, done: make(chan struct{}), pipes: streams.ours}
	c.watch()
	result := py.Tuple{c, py.None, py.None, py.None}
	for i, f := range streams.ours {
		if f != nil {
			if result[i+1], err = in.pipeFile(f, i == 0, a[9], a[10]); err != nil {
				return nil, err
			}
		}
	}
	return result, nil
}

// watch sees to it that the child is reaped, and killed when nobody is left who could.
func (c *child) watch() {
	gw, ctx := c.in.channel.Gateway(), c.in.ctx
	reap := func() {
		state, err := c.process.Wait()
		if err == nil {
			c.code = exitCode(state)
		}
		if c.ended != nil {
			c.ended(state)
		}
		close(c.done)
	}
	if c.detached {
		go reap() // it ends with the child, which may outlive the gateway
	} else {
		gw.Go(reap)
	}
	gw.Go(func() {
		select {
		case <-c.done:
			return
		case <-ctx.Done():
		case <-gw.Done():
		}
		if !c.detached {
			_ = c.process.Kill() // it fails if the child has ended
		}
		for _, f := range c.pipes {
			if f != nil {
				_ = f.Close() // so that nobody waits for it
			}
		}
	})
}

// poll returns the exit status, or None while the child runs.
func (c *child) poll(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("poll", args, kwargs, 0); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
		return py.Int(c.code), nil
	default:
		return py.None, nil
	}
}

// wait waits for the child's end, at most for a time in seconds. It returns what poll does.
func (c *child) wait(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("wait", args, kwargs, 1, "timeout")
	if err != nil {
		return nil, err
	}
	limit, err := waitLimit(a[0])
	if err != nil {
		return nil, err
	}
	if _, err := c.in.wait(c.done, limit); err != nil {
		return nil, err
	}
	return c.poll(nil, nil)
}

// waitLimit is a number of seconds, or None for no limit.
func waitLimit(o py.Object) (time.Duration, error) {
	if o == py.None {
		return forever, nil
	}
	seconds, err := py.FloatAsFloat64(o)
	if err != nil {
		return 0, err
	}
	return duration(max(seconds, 0)), nil
}

// sendSignal sends the child a signal by its number, if it has not ended.
func (c *child) sendSignal(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("send_signal", args, kwargs, 1, "signal")
	if err != nil {
		return nil, err
	}
	number, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	err = signalProcess(c.process, number)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return py.None, err
}

// gatheredOut is what communicate has read from one stream.
type gatheredOut struct {
	mu   sync.Mutex
	data []byte
	err  error
}

// communicate(input, timeout, files) writes input to the child's stdin, closes it, and reads the
// other streams to their ends, all at the same time. It returns whether all of that has happened
// within the time, and what has been read so far of each stream, None of one that is no pipe. A
// second call goes on where the first has left off.
func (c *child) communicate(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("communicate", args, kwargs, 5, "input", "timeout", "stdin", "stdout", "stderr")
	if err != nil {
		return nil, err
	}
	limit, err := waitLimit(a[1])
	if err != nil {
		return nil, err
	}
	if !c.talking {
		input, _ := a[0].(py.Bytes)
		c.talk(input, a[2:])
	}
	came, err := c.in.wait(c.talked, limit)
	if err != nil {
		return nil, err
	}
	result := py.Tuple{py.NewBool(came), py.None, py.None}
	for i, g := range c.gathered[1:] {
		if g == nil {
			continue
		}
		g.mu.Lock()
		data, err := slices.Clone(g.data), g.err
		g.mu.Unlock()
		if err != nil && came {
			return nil, err
		}
		result[i+1] = py.Bytes(data)
	}
	return result, nil
}

// talk starts what communicate waits for.
func (c *child) talk(input []byte, files []py.Object) {
	c.talking, c.talked = true, make(chan struct{})
	var all sync.WaitGroup
	gw := c.in.channel.Gateway()
	begin := func(f func()) {
		all.Add(1)
		gw.Go(func() {
			defer all.Done()
			f()
		})
	}
	if stdin, ok := files[0].(*file); ok && !stdin.closed.Load() {
		begin(func() {
			// A child that has closed its stdin does not want the rest: no error in Python.
			_, _ = stdin.f.Write(input)
			stdin.closed.Store(true)
			_ = stdin.f.Close() // the pipe may be broken
		})
	}
	for i, o := range files[1:] {
		f, ok := o.(*file)
		if !ok || f.closed.Load() {
			continue
		}
		g := &gatheredOut{}
		c.gathered[i+1] = g
		ahead, _ := f.reader.Peek(f.reader.Buffered()) // it is there
		g.data = slices.Clone(ahead)
		_, _ = f.reader.Discard(len(ahead))
		begin(func() { g.gather(f.f) })
	}
	gw.Go(func() {
		all.Wait()
		close(c.talked)
	})
}

// gather reads to the end of the stream.
func (g *gatheredOut) gather(from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		g.mu.Lock()
		g.data = append(g.data, buffer[:n]...)
		switch {
		case len(g.data) > pyvalue.MostBytes:
			g.err = newException(py.MemoryError)
		case err != nil && err != io.EOF && !errors.Is(err, os.ErrClosed):
			g.err = err
		}
		stop := err != nil || g.err != nil
		g.mu.Unlock()
		if stop {
			return
		}
	}
}

// childArguments are a list of str, bytes or paths.
func childArguments(o py.Object) ([]string, error) {
	list, ok := o.(*py.List)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "argv must be a list")
	}
	argv := make([]string, len(list.Items))
	for i, item := range list.Items {
		var err error
		if argv[i], err = fileSystemText(item); err != nil {
			return nil, err
		}
	}
	return argv, nil
}

// fileSystemText is os.fspath(o) as the system takes it. It refuses a null byte.
func fileSystemText(o py.Object) (string, error) {
	text, err := systemPath(o)
	if err == nil && strings.IndexByte(text, 0) >= 0 {
		err = py.ExceptionNewf(py.ValueError, "embedded null byte")
	}
	return text, err
}

// childEnvironment is what a program gives for it, or its own for None.
func (in *interp) childEnvironment(o py.Object) ([]string, error) {
	if o == py.None {
		return in.environment(), nil
	}
	vars := pyvalue.NewDict()
	if err := vars.Update(o); err != nil {
		return nil, err
	}
	var all []string
	for _, key := range vars.Keys() {
		value, _, err := vars.Get(key)
		if err != nil {
			return nil, err
		}
		k, err := fileSystemText(key)
		if err != nil {
			return nil, err
		}
		if strings.Contains(k, "=") {
			return nil, py.ExceptionNewf(py.ValueError, "illegal environment variable name")
		}
		v, err := fileSystemText(value)
		if err != nil {
			return nil, err
		}
		all = append(all, k+"="+v)
	}
	if all == nil {
		all = []string{} // os.StartProcess takes nil for its own
	}
	return all, nil
}

// childFolder is the folder that a child begins in. That it is one is found out before the child
// exists, so that the error can name it.
func childFolder(o py.Object) (string, error) {
	dir, err := fileSystemText(o)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return dir, nil
	case err == nil:
		return "", numberedError(eNotFolder, "Not a directory", dir)
	}
	return "", err
}

// startProgram starts a program. A name without a slash is looked for in the folders of PATH in
// the child's environment, as execvp does.
func startProgram(name string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	if strings.ContainsRune(name, filepath.Separator) || filepath.VolumeName(name) != "" {
		return os.StartProcess(name, argv, attr)
	}
	found, err := lookUp(name, attr.Env)
	if err != nil {
		return nil, err
	}
	return os.StartProcess(found, argv, attr)
}
