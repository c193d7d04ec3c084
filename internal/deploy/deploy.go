// Package deploy brings a program to a host where nothing is installed, and starts it there. Shell
// scripts do the work at the far end; they need a POSIX shell and the programs that go with it.
//
// The program is kept there in a folder that only its user can write to, under a name that contains
// the SHA-256 of its content ([protocol.md section 7.12]). So it is there the next time, several
// drivers do not disturb each other, and a program that has been built anew is another file.
//
// [protocol.md section 7.12]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#712-a-program-that-brings-itself
package deploy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
)

// Host is where a program is to be.
type Host struct {
	// Name is what errors call it.
	Name string
	// Run starts a script there, each time in a process of its own.
	Run func(ctx context.Context, script Script) (gatewaybase.IO, error)
	// Done is called when no further script follows those that were run; nil means nobody.
	Done func()
	// Failed turns the end of a command that leads there, and that has printed nothing, into the
	// error that it means, or returns nil. A nil Failed is that of the ssh command.
	Failed func(gatewaybase.Exit) error
	// NoShell reports whether an error of reading says that there is no program sh; nil means that
	// none does.
	NoShell func(error) bool
	// Progress is told how many bytes of a program have been sent, however they travel, and how
	// many there are; nil means nobody.
	Progress func(sent, total int64)
	// Printed gets what the host prints in front of the scripts' answers, unless it is nil.
	Printed func(noise []byte)
}

// Script is a script for a POSIX shell.
type Script struct {
	Text string
	// Starts says that it looks for the program and starts it. A Go worker that is to run this one
	// may start its own program instead, and say what the script says of one that is there: Mark,
	// " there ", its path and a line break.
	Starts bool
	// Mark is the word that its answer begins with.
	Mark string
}

// There is the answer of a script that has found a program.
func There(mark, path string) []byte { return []byte(mark + there + path + "\n") }

const there = " there "

// Error says why a program cannot be put on a host.
type Error struct {
	// Host is the host as its spec names it, or the id of the gateway that leads there.
	Host string
	// Problem says what is wrong and what to do.
	Problem string
	// Err is the cause, or nil.
	Err error
}

// Error names the host and the problem.
func (e *Error) Error() string {
	return fmt.Sprintf("execnet: cannot put the program on %s: %s", e.Host, e.Problem)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Start starts the set's program with args, which every shell takes as they are between double
// quotes, and returns its stdin and stdout. If it is not on the host it is put there first.
func (h *Host) Start(ctx context.Context, s *Set, args []string) (gatewaybase.IO, error) {
	start := `exec "$d/$n"`
	for _, arg := range args {
		start += ` "` + arg + `"`
	}
	pipe, _, err := h.reach(ctx, s, start, true)
	return pipe, err
}

// Put puts the set's program on the host, unless it is there, and returns where it is.
func (h *Host) Put(ctx context.Context, s *Set) (path string, err error) {
	pipe, path, err := h.reach(ctx, s, "exit 0", false)
	if err != nil {
		return "", err
	}
	end(pipe)
	return path, nil
}

// reach has the findScript find a program, and puts one there if there is none.
func (h *Host) reach(ctx context.Context, s *Set, then string, starts bool) (gatewaybase.IO, string, error) {
	if h.Done != nil {
		defer h.Done()
	}
	for put := false; ; put = true {
		mark := newMark()
		pipe, answer, noise, err := h.ask(ctx, Script{s.findScript(mark, then), starts, mark}, nil)
		if err != nil {
			return nil, "", err
		}
		if path, ok := strings.CutPrefix(" "+answer, there); ok {
			if len(noise) > 0 && h.Printed != nil {
				h.Printed(noise)
			}
			return pipe, path, nil
		}
		end(pipe)
		uname, ok := strings.CutPrefix(answer, "missing ")
		if put || !ok {
			return nil, "", &Error{Host: h.Name, Problem: fmt.Sprintf("its shell says %q after an upload", answer)}
		}
		uname, packed := strings.CutSuffix(uname, " gzip")
		p, err := s.find(h.Name, uname)
		if err == nil {
			err = h.upload(ctx, s, p, packed)
		}
		if err != nil {
			return nil, "", err
		}
	}
}

// upload puts a program into the first of the places that takes it.
func (h *Host) upload(ctx context.Context, s *Set, p *program, packed bool) error {
	var k *packer
	if packed {
		k = p.startPacker()
		defer k.stop()
	}
	var reasons []string
	for place := range places {
		mark := newMark()
		pipe, answer, _, err := h.ask(ctx, Script{Text: s.putScript(mark, p, place, packed), Mark: mark}, func(pipe gatewaybase.IO) error {
			return h.send(ctx, pipe, p, k)
		})
		if err != nil {
			return err
		}
		end(pipe)
		reason, failed := strings.CutPrefix(answer, "failed ")
		if !failed {
			return nil
		}
		reasons = append(reasons, reason)
	}
	return &Error{Host: h.Name, Problem: "no folder there takes it:\n  " + strings.Join(reasons, "\n  ") +
		"\nset XDG_CACHE_HOME or TMPDIR there to a folder of yours that does"}
}

// send writes a program to a putScript, until ctx ends. Without a packer it travels as it is.
func (h *Host) send(ctx context.Context, pipe gatewaybase.IO, p *program, k *packer) error {
	sent := int64(0)
	err := p.eachPiece(func(i int, content []byte) error {
		piece := content
		if k != nil {
			piece = k.take(i, content)
		}
		if ctx.Err() != nil {
			return errNotSent
		}
		if _, err := pipe.Write(piece); err != nil {
			return errNotSent
		}
		if k != nil {
			k.gone(len(content))
		}
		if sent += int64(len(content)); h.Progress != nil {
			h.Progress(sent, p.size)
		}
		return nil
	})
	if err == errNotSent {
		return nil
	}
	return err
}

// errNotSent ends an upload of which the script, or ctx, says what went wrong.
var errNotSent = errors.New("not sent")

// newMark is a word that nothing but an answer begins with.
func newMark() string { return "execnet-" + rand.Text() }

// ask runs a script and reads its answer: the rest of the line that begins with its mark.
// noise is the beginning of what came before. send, unless it is nil, writes the script's stdin
// meanwhile, and its end. The caller owns the pipe.
func (h *Host) ask(ctx context.Context, script Script, send func(gatewaybase.IO) error) (pipe gatewaybase.IO, answer string, noise []byte, err error) {
	pipe, err = h.Run(ctx, script)
	if err != nil {
		return nil, "", nil, err
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = pipe.Kill()
		pipe.CloseRead()
		pipe.CloseWrite()
	})
	sent := make(chan error, 1)
	go func() {
		if send == nil {
			sent <- nil
			return
		}
		err := send(pipe)
		pipe.CloseWrite()
		sent <- err
	}()
	answer, noise, err = readAnswer(pipe, script.Mark)
	if send != nil {
		pipe.CloseWrite() // the script has ended, and takes no more
	}
	if failed := <-sent; failed != nil {
		err = failed
	}
	if !stop() {
		<-stopped
		err = timeout.During(ctx, "putting the program on "+h.Name)
	}
	if err == nil {
		return pipe, answer, noise, nil
	}
	var own *answerError
	unanswered := errors.As(err, &own)
	if !unanswered || !errors.Is(own.err, io.EOF) {
		_ = pipe.Kill() // it fails where there is nothing left to kill
	}
	end(pipe)
	if unanswered {
		err = h.noAnswer(own, pipe.Exit())
	}
	return nil, "", nil, err
}

// maxNoise is how many bytes a host may print before an answer, and shownNoise how many of them
// errors and warnings keep.
const (
	maxNoise   = 64 << 10
	shownNoise = 1 << 10
)

// answerError says that a script has given no answer.
type answerError struct {
	noise []byte // what came instead
	err   error  // the error of reading; io.EOF if the output has ended
}

func (e *answerError) Error() string { return e.err.Error() }

// readAnswer reads up to the end of the answer's line, and nothing behind it.
func readAnswer(pipe io.Reader, mark string) (answer string, noise []byte, err error) {
	var got []byte
	for at := -1; ; {
		var next [1]byte
		if _, err := io.ReadFull(pipe, next[:]); err != nil {
			return "", nil, &answerError{got[:min(len(got), shownNoise)], err}
		}
		if next[0] == '\n' && at >= 0 {
			return strings.TrimSuffix(string(got[at:]), "\r"), got[:min(at-len(mark)-1, shownNoise)], nil
		}
		if got = append(got, next[0]); len(got) > maxNoise {
			return "", nil, &answerError{got[:shownNoise], errNoise}
		}
		if at < 0 && strings.HasSuffix(string(got[max(0, len(got)-len(mark)-1):]), mark+" ") {
			at = len(got)
		}
	}
}

var errNoise = fmt.Errorf("more than %d KiB came, and no answer: whatever prints when the host's shell starts (.bashrc) has to leave stdout alone", maxNoise>>10)

// noAnswer is the error for a script without an answer.
func (h *Host) noAnswer(failed *answerError, exit gatewaybase.Exit) error {
	if len(failed.noise) == 0 && errors.Is(failed.err, io.EOF) {
		failed := h.Failed
		if failed == nil {
			failed = func(exit gatewaybase.Exit) error { return farend.HostNotFound(exit, h.Name) }
		}
		if err := failed(exit); err != nil {
			return err
		}
	}
	if h.NoShell != nil && h.NoShell(failed.err) {
		return &Error{Host: h.Name, Problem: "it has no POSIX shell that is called sh, as on Windows; put the program there in another way, and write its path as python=", Err: failed.err}
	}
	if failed.err != errNoise && !errors.Is(failed.err, io.EOF) {
		return failed.err // the way to the host tells what has happened
	}
	var b strings.Builder
	if failed.err == errNoise {
		b.WriteString(errNoise.Error())
	} else {
		b.WriteString("its shell has run no sh script to the end" + exit.String() + "; it needs a POSIX shell that is called sh")
	}
	if len(failed.noise) > 0 {
		fmt.Fprintf(&b, "; it printed %q", failed.noise)
	}
	b.WriteString(farend.StderrText(exit.Stderr))
	return &Error{Host: h.Name, Problem: b.String(), Err: failed.err}
}

// How long a script may take to end after its answer, and, killed, to be gone.
const (
	endWait  = 5 * time.Second
	reapWait = 2 * time.Second
)

// end ends a script that has given its answer, or will give none.
func end(pipe gatewaybase.IO) {
	pipe.CloseWrite()
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, pipe) // what is not read may hold the far end
	}()
	if pipe.Wait(ctx) != nil {
		_ = pipe.Kill()
		ctx, cancel := context.WithTimeout(context.Background(), reapWait)
		defer cancel()
		_ = pipe.Wait(ctx)
	}
	pipe.CloseRead()
	<-drained
}

// Warning is the text for what a host has printed in front of an answer.
func Warning(id string, noise []byte) string {
	return fmt.Sprintf("execnet: gateway %s: skipped what its host printed at the start (.bashrc): %q\n", id, noise)
}
