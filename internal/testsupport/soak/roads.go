package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/relay"
	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker"
)

// soak is the run: what is drawn at random, and the servers that the roads need.
type soak struct {
	random    *rand.Rand
	log       io.Writer
	dir       string // holds everything that the soak itself needs
	temporary string // the folder for temporary files, of all processes
	roads     []road
	pip       string // the Python that has execnet
	program   string // this program, which is the Go worker
	opened    []func()
}

// road is a way to a worker, and the kind of worker there.
type road struct {
	name string
	// specs are those of the gateways to make, one after the other. The last one leads to the
	// worker.
	specs []string
	// relay carries the connection; nil if there is none that could be cut.
	relay *relay.Relay
	// pipSocket says that a socket server of Python's execnet has to run, for one gateway. Its
	// address, behind a relay, replaces ADDRESS in the last spec.
	pipSocket bool
	golang    bool // the worker is in Go
	python    string
}

func (w road) hasWorker() bool   { return true }
func (w road) isVia() bool       { return len(w.specs) > 1 }
func (w road) isSSH() bool       { return strings.HasPrefix(w.specs[0], "ssh=") && runtime.GOOS == "linux" }
func (w road) canBeCut() bool    { return w.relay != nil || w.pipSocket }
func (w road) canBeDriven() bool { return !w.pipSocket }
func (w road) isGoPopen() bool   { return w.golang && w.specs[0][:5] == "popen" && len(w.specs) == 1 }
func (w road) syncs() bool       { return !strings.Contains(w.name, "2.7") }

// readsStreams says whether the worker can be started by itself, to be sent broken streams. That of
// Python's execnet does not stand them, and is not ours to mend.
func (w road) readsStreams() bool {
	return len(w.specs) == 1 && w.specs[0][:5] == "popen" && !strings.HasSuffix(w.name, "pip")
}

// fatal stands in for the test that the helpers of tests want: their failures become panics, which
// setUp turns into errors.
type fatal struct {
	testing.TB
	s *soak
}

type setUpError struct{ error }

func (fatal) Helper()                        {}
func (f fatal) Fatal(args ...any)            { panic(setUpError{errors.New(fmt.Sprint(args...))}) }
func (f fatal) Fatalf(s string, args ...any) { panic(setUpError{fmt.Errorf(s, args...)}) }
func (f fatal) TempDir() string {
	dir, err := os.MkdirTemp(f.s.dir, "")
	if err != nil {
		f.Fatal(err)
	}
	return dir
}

// setUp starts the servers and finds the roads whose names contain part.
func (s *soak) setUp(ctx context.Context, part string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			failed, ok := p.(setUpError)
			if !ok {
				panic(p)
			}
			err = failed.error
		}
	}()
	if s.dir, err = os.MkdirTemp("", "execnet-soak-"); err != nil {
		return err
	}
	s.opened = append(s.opened, func() { os.RemoveAll(s.dir) })
	s.temporary = filepath.Join(s.dir, "tmp")
	usual := os.Getenv("TMPDIR")
	if err := errors.Join(os.Mkdir(s.temporary, 0o700), os.Setenv("TMPDIR", s.temporary)); err != nil {
		return err
	}
	s.opened = append(s.opened, func() { os.Setenv("TMPDIR", usual) })
	if s.program, err = os.Executable(); err != nil {
		return err
	}
	tb := fatal{s: s}
	s.pip = pythons.WithExecnet(tb)
	all, python := pythons.All(tb), pythons.Default(tb)

	sshd, err := opensshd.Start(ctx, s.dir)
	if err != nil {
		return err
	}
	s.opened = append(s.opened, sshd.Stop)
	toSSH, err := s.relay(sshd.Addr)
	if err != nil {
		return err
	}
	if err := sshd.Describe(toSSH.Port); err != nil {
		return err
	}
	toSocket, err := s.serve(tb, server.Socket{})
	if err != nil {
		return err
	}
	authority := tlstest.NewAuthority(tb)
	config, err := server.TLSConfig(first(authority.IssueFiles(tb, "127.0.0.1")))
	if err != nil {
		return err
	}
	toTLS, err := s.serve(tb, server.Socket{TLS: config})
	if err != nil {
		return err
	}

	ssh := "ssh=" + opensshd.Alias + "//ssh_config=" + sshd.ConfigFile
	golang := "//python=" + s.program
	add := func(w road) {
		if strings.Contains(w.name, part) {
			s.roads = append(s.roads, w)
		}
	}
	for _, p := range all {
		add(road{name: "popen Python " + p.Version(), specs: []string{p.Spec()}, python: p.Path})
	}
	add(road{name: "popen Go", specs: []string{"popen" + golang}, golang: true})
	add(road{name: "popen pip", specs: []string{"popen//bootstrap=import//python=" + s.pip}, python: s.pip})
	add(road{name: "ssh Python", specs: []string{ssh + "//python=" + python.Path}, relay: toSSH, python: python.Path})
	add(road{name: "ssh Go", specs: []string{ssh + golang}, relay: toSSH, golang: true})
	add(road{name: "ssh pip", specs: []string{ssh + "//bootstrap=import//python=" + s.pip}, relay: toSSH, python: s.pip})
	add(road{name: "socket Go", specs: []string{"socket=" + toSocket.Addr}, relay: toSocket, golang: true})
	add(road{name: "socket pip", specs: []string{"socket=ADDRESS"}, pipSocket: true, python: s.pip})
	add(road{name: "TLS Go", specs: []string{"socket=" + toTLS.Addr + "//tls_ca=" + authority.File}, relay: toTLS, golang: true})
	add(road{name: "via Python", specs: []string{python.Spec() + "//id=forwarder", "popen//via=forwarder//python=" + python.Path}, python: python.Path})
	add(road{name: "via Go", specs: []string{"popen//id=forwarder" + golang, "popen//via=forwarder" + golang}, golang: true})
	add(road{name: "via ssh", specs: []string{ssh + "//id=forwarder//python=" + python.Path, "popen//via=forwarder//python=" + python.Path}, relay: toSSH, python: python.Path})
	if len(s.roads) == 0 {
		return fmt.Errorf("no road has %q in its name", part)
	}
	return nil
}

// first puts the two files of a certificate in front of the authority that clients must come from:
// none.
func first(certificate, key string) (string, string, string) { return certificate, key, "" }

// close ends the servers, the last one first.
func (s *soak) close() {
	for i := len(s.opened) - 1; i >= 0; i-- {
		s.opened[i]()
	}
}

func (s *soak) relay(to string) (*relay.Relay, error) {
	r, err := relay.Start(to)
	if err == nil {
		s.opened = append(s.opened, func() { _ = r.Close() }) // nothing uses it any more
	}
	return r, err
}

// serve runs a socket server whose workers are this program, and a relay to it.
func (s *soak) serve(tb testing.TB, socket server.Socket) (*relay.Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	socket.Command = worker.Command()
	socket.Command.Stderr = nil
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = socket.Serve(ctx, listener) // it ends because ctx does
	}()
	s.opened = append(s.opened, func() { cancel(); <-ended })
	return s.relay(listener.Addr().String())
}

// opened is a road that has been taken.
type opened struct {
	group  *execnet.Group
	gw     *execnet.Gateway // to the worker
	relay  *relay.Relay
	pid    int // the worker's process
	server *exec.Cmd
}

// open makes the gateways of a road.
func (s *soak) open(ctx context.Context, w road) (_ *opened, err error) {
	ctx, cancel := within(ctx)
	defer cancel()
	o := &opened{group: newGroup(), relay: w.relay}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("opening: %w", err), o.close())
		}
	}()
	specs := strings.Join(w.specs, "\n")
	if w.pipSocket {
		address, err := o.pipSocketServer(s.pip)
		if err != nil {
			return nil, err
		}
		if o.relay, err = relay.Start(address); err != nil {
			return nil, err
		}
		specs = strings.ReplaceAll(specs, "ADDRESS", o.relay.Addr)
	}
	for _, spec := range strings.Split(specs, "\n") {
		if o.gw, err = o.group.MakeGateway(ctx, spec); err != nil {
			return nil, err
		}
	}
	o.pid, err = pidOf(ctx, o.gw)
	return o, err
}

// close ends what is left of a road.
func (o *opened) close() error {
	ctx, cancel := within(context.Background())
	defer cancel()
	err := o.group.Terminate(ctx)
	if o.server != nil {
		_ = o.server.Process.Kill() // it does not end by itself
		_ = o.server.Wait()
		if o.relay != nil {
			err = errors.Join(err, o.relay.Close())
		}
	}
	return err
}

// pipSocketServer runs the socket server of Python's execnet, which serves one connection at a
// time, and returns its address.
func (o *opened) pipSocketServer(python string) (string, error) {
	o.server = exec.Command(python, "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0")
	out, err := o.server.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := o.server.Start(); err != nil {
		return "", err
	}
	var seen []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		// socket_readline_exec_server-1.2 Entering Accept loop ('127.0.0.1', 41373)
		if _, port, ok := strings.Cut(lines.Text(), "Accept loop ('127.0.0.1', "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // until it is killed
			return "127.0.0.1:" + strings.TrimSuffix(port, ")"), nil
		}
		seen = append(seen, lines.Text())
	}
	return "", fmt.Errorf("the socket server of execnet does not start: %q", seen)
}

func pidOf(ctx context.Context, gw *execnet.Gateway) (int, error) {
	ch, err := gw.RemoteExec(ctx, "import os; channel.send(os.getpid())")
	if err != nil {
		return 0, err
	}
	return execnet.Receive[int](ctx, ch)
}

// all runs functions at once and returns when the last one has returned.
func all(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		wg.Go(f)
	}
	wg.Wait()
}
