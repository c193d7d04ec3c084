package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// mostMemory is what a process may have in memory that reads a broken stream of some hundred KiB.
const mostMemory = 512 << 20

// mutate sends a broken stream to the worker of a road or, as often, to a driver in Go. Either has
// to end soon after the stream's end, and in order.
func mutate(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	cmd, firstLine := s.worker(w)
	if r.IntN(2) == 0 {
		cmd, firstLine = s.reader(), ""
	}
	stream := append([]byte(firstLine), broken(r, messages(r))...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.Stdout = bytes.NewReader(stream), &stderr, io.Discard
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	late := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	took := time.Since(start)
	problem := ""
	for _, crash := range []string{"panic: ", "fatal error: ", "Fatal Python error", "Segmentation fault"} {
		if strings.Contains(stderr.String(), crash) {
			problem = "it crashed"
		}
	}
	switch most := memory(cmd.ProcessState); {
	case !late.Stop():
		problem = fmt.Sprintf("it has not ended after %v", limit)
	case most > mostMemory:
		problem = fmt.Sprintf("it took %d MiB", most>>20)
	case problem == "" && err != nil && cmd.ProcessState.ExitCode() < 0:
		problem = err.Error()
	}
	if problem == "" {
		return took, nil
	}
	file := filepath.Join(os.TempDir(), fmt.Sprintf("../../execnet-soak-stream-%d", os.Getpid()))
	_ = os.WriteFile(filepath.Clean(file), stream, 0o600)
	return took, fmt.Errorf("%s: %s\n%.2000s\nthe stream is kept in %s", cmd.Args, problem, stderr.String(), filepath.Clean(file))
}

// worker is the command of a road's worker, and what a driver says to it before the first message.
func (s *soak) worker(w road) (cmd *exec.Cmd, firstLine string) {
	if w.golang {
		return exec.Command(s.program, "worker"), pipFirstLine
	}
	parts := filepath.Join(pythons.Root(), "bootstrap", "worker")
	return exec.Command(w.python, "-u", "-c", "import os, sys; d = sys.argv[1]; "+
		"exec('\\n\\n'.join(open(os.path.join(d, part)).read() for part in sorted(os.listdir(d)))); serve_popen('soak')", parts), ""
}

// reader is the command of a driver that reads stdin.
func (s *soak) reader() *exec.Cmd {
	cmd := exec.Command(s.program)
	cmd.Env = append(os.Environ(), roleVariable+"=reader")
	return cmd
}

// pipFirstLine is the first line of a driver that uses Python's execnet (protocol.md section 7.3).
const pipFirstLine = `"import sys\nif '/x' not in sys.path:\n    sys.path.insert(0, '/x')\n` +
	`from execnet.gateway_base import serve, init_popen_io, get_execmodel\nsys.stdout.write('1')\nsys.stdout.flush()\n` +
	`execmodel = get_execmodel('thread')\nserve(init_popen_io(execmodel), id='soak-worker')"` + "\n"

// messages is a sound stream of all kinds of messages, for either end.
func messages(r *rand.Rand) (stream []byte) {
	add := func(code byte, channel int32, payload []byte) {
		stream = append(stream, code)
		stream = binary.BigEndian.AppendUint32(stream, uint32(channel))
		stream = binary.BigEndian.AppendUint32(stream, uint32(len(payload)))
		stream = append(stream, payload...)
	}
	value := func(v any) []byte {
		payload, err := new(serializer.Codec).Append(nil, v)
		if err != nil {
			panic(err) // it is one of those below
		}
		return payload
	}
	for range 1 + r.IntN(30) {
		channel := int32(1 + 2*r.IntN(5))
		switch r.IntN(10) {
		case 0, 1:
			add(3, channel, value(serializer.Tuple{echoSource, nil, nil, serializer.NewDict()}))
		case 2:
			add(4, channel, value([]any{1, "two", 3.5, []byte{4}, serializer.NewDict("k", serializer.NewSet(1, 2)), nil, true}))
		case 3:
			add(4, channel, value(make([]byte, r.IntN(100000))))
		case 4:
			add(4, channel, []byte("B\x00\x00\x00\x09Q"))
		case 5:
			add(5, channel, nil)
		case 6:
			add(6, channel, value("an error"))
		case 7:
			add(7, channel, nil)
		case 8:
			add(1, channel*int32(r.IntN(2)), value(serializer.Tuple{true, false}))
		case 9:
			add(0, channel, nil)
		}
	}
	if r.IntN(2) == 0 {
		add(2, 0, nil)
	}
	return stream
}

// broken is a stream with some of its bytes changed, doubled, moved or left out.
func broken(r *rand.Rand, stream []byte) []byte {
	for range r.IntN(6) {
		if len(stream) == 0 {
			break
		}
		at := r.IntN(len(stream))
		n := min(r.IntN(64), len(stream)-at)
		switch r.IntN(6) {
		case 0:
			stream[at] ^= 1 << r.IntN(8)
		case 1:
			stream[at] = byte(r.Uint32())
		case 2: // often a length
			if at+4 <= len(stream) {
				binary.BigEndian.PutUint32(stream[at:], []uint32{0, 1, 0x7fffffff, 0xffffffff, 0x80000000}[r.IntN(5)])
			}
		case 3:
			stream = append(stream[:at:at], append(bytes.Clone(stream[at:at+n]), stream[at:]...)...)
		case 4:
			stream = append(stream[:at:at], stream[at+n:]...)
		case 5:
			stream = stream[:at]
		}
	}
	return stream
}

// stdio is a far end that speaks on stdin.
type stdio struct{ in *os.File }

func (s stdio) Read(p []byte) (int, error)   { return s.in.Read(p) }
func (stdio) Write(p []byte) (int, error)    { return len(p), nil }
func (s stdio) CloseRead() error             { return s.in.Close() }
func (stdio) CloseWrite() error              { return nil }
func (s stdio) Kill() error                  { return nil }
func (stdio) Exit() gatewaybase.Exit         { return gatewaybase.Exit{} }
func (stdio) RemoteAddress() string          { return "" }
func (stdio) Wait(ctx context.Context) error { return nil }

// beReader is a driver that reads what a worker is said to have sent on stdin: it receives all
// items on some channels, one of them by a callback.
func beReader() {
	gw := gatewaybase.New(stdio{os.Stdin}, gatewaybase.Config{Spec: &xspec.Spec{ID: "soak"}})
	var receivers []func()
	for i := range 5 {
		ch, err := gw.NewChannel()
		if err != nil {
			continue // the stream has ended
		}
		if i == 0 {
			// The channel has no callback yet, so this cannot fail.
			_ = ch.SetCallback(func(any) error { return nil }, execnet.NoEndmarker)
			continue
		}
		receivers = append(receivers, func() {
			for tries := 0; tries < 100; tries++ {
				if _, err := ch.Receive(context.Background()); err != nil && !gw.HasReceiver() {
					return
				}
			}
		})
	}
	all(receivers...)
	if err := gw.Join(context.Background()); err != nil {
		panic(err)
	}
}
