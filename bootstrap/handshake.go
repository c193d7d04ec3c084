package bootstrap

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

const (
	// maxNoise is how many bytes a far end may print before its worker's answer. A long message of
	// the day has a few KiB.
	maxNoise = 64 << 10
	// shownNoise is how many of them errors and warnings keep.
	shownNoise = 1 << 10
	// wrongAnswerWait is how long the handshake waits for the rest of a wrong answer, and how long
	// a far end that has given one may take to end by itself.
	wrongAnswerWait = 100 * time.Millisecond
	// endWait is how long a far end that has ended its output may take to end, before it is killed
	// and its exit status lost. It takes milliseconds, unless the machine is busy.
	endWait = time.Second
	// reapWait is how long a killed far end may take to be gone.
	reapWait = 2 * time.Second
)

// Why bytes that came make a worker's answer impossible.
var (
	errWrong = errors.New("no answer, and nothing may come before one here")
	errNoise = fmt.Errorf("more than %d KiB came, and no worker's answer: whatever prints when the far end starts (.bashrc, "+
		"a wrapper in python=) has to leave stdout alone", maxNoise>>10)
	errEcho = errors.New("what is sent there comes back: it is a terminal (ssh -t), or a program like cat, and no Python")
)

// greet makes a worker of the far end. On an error it ends the far end.
func greet(ctx context.Context, pipe gatewaybase.IO, config gatewaybase.Config, m more) error {
	spec := config.Spec
	called := ""
	if m.behind != nil {
		called = m.behind.Called
	}
	heard := tellSilence(config, called)
	noise, err := handshake(ctx, pipe, spec, m)
	heard()
	if err == nil {
		if len(noise) > 0 {
			warn(config, noise)
		}
		return nil
	}
	discard(pipe, errors.Is(err, io.EOF))
	failed := &Error{Spec: spec, Got: noise, Exit: pipe.Exit(), called: called, Err: err}
	if err == errWrong {
		failed.Err = nil
	}
	if err := containerFailed(failed); err != nil {
		return err
	}
	if errors.Is(err, io.EOF) && len(noise) == 0 && (spec.Kind() == xspec.KindSSH || spec.Kind() == xspec.KindVagrantSSH) {
		if err := farend.HostNotFound(failed.Exit, pipe.RemoteAddress()); err != nil {
			return err
		}
		if err := pythonNotFound(failed, pipe.RemoteAddress()); err != nil && !spec.Self {
			return err
		}
	}
	return failed
}

// warn tells what was skipped. What is printed at a start goes wrong in other programs than this
// one, and in releases of execnet.
func warn(config gatewaybase.Config, noise []byte) {
	fmt.Fprintf(warnings(config), "execnet: gateway %s: skipped what its far end printed at the start (.bashrc, or a wrapper in python=): %s\n", config.Spec.ID, quote(noise))
}

// handshake writes the first line and reads up to the end of the answer. noise is the beginning of
// what came before the answer, or instead of it.
func handshake(ctx context.Context, pipe gatewaybase.IO, spec *xspec.Spec, m more) (noise []byte, err error) {
	stop := context.AfterFunc(ctx, func() {
		pipe.CloseRead()
		pipe.CloseWrite()
	})
	token := rand.Text()
	written := make(chan struct{})
	// It is written while the answer is read: a far end that prints much, and reads nothing, must
	// not stop at a full pipe, or nobody would see what it prints.
	go func() {
		defer close(written)
		for _, line := range firstLines(spec, token, m) {
			if _, err := pipe.Write(line); err != nil {
				return // the far end has ended, and reading says how
			}
		}
	}()
	noise, err = readAnswer(pipe, token, spec.Kind() == xspec.KindSocket)
	if err != nil {
		pipe.CloseWrite()
	}
	<-written
	if !stop() {
		err = timeout.During(ctx, "no answer from the interpreter")
	}
	return noise, err
}

// readAnswer reads up to the end of the answer, "1" and the token, and returns the beginning of
// what came before it. It reads nothing beyond the answer. From a socket server, which prints
// nothing there, and in whose place any other server may listen, it takes nothing else (exact).
func readAnswer(pipe gatewaybase.IO, token string, exact bool) (noise []byte, err error) {
	want := []byte("1" + token)
	var got []byte
	for {
		// As many bytes as are missing at least, so that none of the messages is among them.
		missing := len(want) - overlap(got, want)
		if missing == 0 {
			return beginningOf(got[:len(got)-len(want)]), nil
		}
		got = slices.Grow(got, missing)
		n, err := pipe.Read(got[len(got) : len(got)+missing])
		got = got[:len(got)+n]
		switch fresh := got[max(0, len(got)-n-len(want)):]; {
		case exact && !bytes.HasPrefix(want, got):
			return readWrong(pipe, got), errWrong
		case !bytes.HasSuffix(got, want) && bytes.Contains(fresh, []byte(token)):
			return beginningOf(got), errEcho
		case err != nil && !bytes.HasSuffix(got, want):
			return beginningOf(got), err
		case len(got) > maxNoise+len(want):
			return beginningOf(got), errNoise
		}
	}
}

// overlap is how many bytes at the end of got are a beginning of want.
func overlap(got, want []byte) int {
	n := min(len(got), len(want))
	for !bytes.HasSuffix(got, want[:n]) {
		n--
	}
	return n
}

// beginningOf returns as much of noise as errors and warnings keep.
func beginningOf(noise []byte) []byte { return bytes.Clone(noise[:min(len(noise), shownNoise)]) }

// readWrong reads the rest of a wrong answer that begins with got, as far as it comes soon. A
// server that is no socket server says in it what it is.
func readWrong(pipe gatewaybase.IO, got []byte) []byte {
	timer := time.AfterFunc(wrongAnswerWait, func() { pipe.CloseRead() })
	defer timer.Stop()
	answer := append(make([]byte, 0, shownNoise), got...)
	// Whatever ends the read, the bytes that were read are the answer.
	n, _ := io.ReadFull(pipe, answer[len(got):cap(answer)])
	return answer[:len(got)+n]
}

// discard ends a far end that is not used. ended tells that its output has ended.
func discard(pipe gatewaybase.IO, ended bool) {
	// A process that ends by itself has an exit status. It reads its stdin to the end, if at all.
	pipe.CloseWrite()
	patience := wrongAnswerWait
	if ended {
		patience = endWait
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gone := pipe.Wait(ctx) == nil
	if !gone {
		// There is nothing else to do if the far end cannot be killed.
		_ = pipe.Kill()
	}
	pipe.CloseRead() // what is not read may hold the far end, and always holds the pipe
	if gone {
		return
	}
	ctx, cancel = context.WithTimeout(context.Background(), reapWait)
	defer cancel()
	_ = pipe.Wait(ctx)
}
