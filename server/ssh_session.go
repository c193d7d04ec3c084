package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	shellquote "github.com/kballard/go-shellquote"
	"golang.org/x/crypto/ssh"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
)

// purpose tells people what they have reached.
const purpose = "this is no sshd: it starts workers for execnet drivers and nothing else"

// exitRefused is what a shell exits with when it does not find a command.
const exitRefused = 127

// holdEOF is how long after its last output a worker's exit status is waited for. A client that has
// nothing more to send either closes the session when it is told of the output's end, and then can
// no longer be told the status.
const holdEOF = 500 * time.Millisecond

// session answers the requests of a session until it is closed, and returns when nothing of it is
// left.
func (c *sshConn) session(ctx context.Context, channel ssh.Channel, requests <-chan *ssh.Request) {
	ctx, end := context.WithCancelCause(ctx)
	var done chan struct{} // closed when what the session does is over; nil before that begins
	for request := range requests {
		var do func()
		accepted := false
		switch {
		case request.Type == "exec" && done == nil:
			var asked struct{ Command string }
			accepted = ssh.Unmarshal(request.Payload, &asked) == nil
			do = func() { c.execute(ctx, channel, asked.Command) }
		case request.Type == "shell" && done == nil:
			accepted = true
			do = func() { refuse(channel, "there is no shell; "+purpose) }
		case request.Type == "signal":
			var signal struct{ Name string }
			if accepted = ssh.Unmarshal(request.Payload, &signal) == nil; accepted {
				end(signalCause(signal.Name))
			}
		}
		if request.WantReply {
			_ = request.Reply(accepted, nil) // it fails when the client is gone
		}
		if accepted && do != nil { // the answer has to come before the end
			done = make(chan struct{})
			go func() {
				defer close(done)
				do()
			}()
		}
	}
	end(nil) // the client has closed the session, or is gone
	if done != nil {
		<-done
	}
	_ = channel.Close()
}

// signalCause makes of a signal that a client sends the way in which the worker is to end: at once,
// or in order.
func signalCause(name string) error {
	if name == "KILL" {
		return errKill
	}
	return context.Canceled
}

// refuse ends a session that asks for something else than a worker, or for one that cannot be had.
func refuse(channel ssh.Channel, why string) {
	fmt.Fprintf(channel.Stderr(), "execnet sshserver: %s\r\n", why)
	leave(channel, gatewaybase.Exit{Known: true, Code: exitRefused})
}

// leave tells how a session's worker has ended, and closes the session.
func leave(channel ssh.Channel, exit gatewaybase.Exit) {
	// They fail when the client is gone.
	if exit.Signal != nil {
		_, _ = channel.SendRequest("exit-signal", false, ssh.Marshal(&struct {
			Name              string
			CoreDumped        bool
			Message, Language string
		}{Name: signalName(exit.Signal), Message: exit.Signal.String()}))
	} else {
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&struct{ Code uint32 }{uint32(exit.Code)}))
	}
	_ = channel.Close()
}

// execute gives a session to a worker, if that is what its command line asks for.
func (c *sshConn) execute(ctx context.Context, channel ssh.Channel, command string) {
	if err := asksForWorker(command); err != nil {
		c.log.printf("%v: refused: %v", c.conn.RemoteAddr(), err)
		refuse(channel, err.Error()+"; "+purpose)
		return
	}
	r, err := c.command.relay(nil, channel, channel.Stderr(), holdEOF)
	if err != nil {
		c.log.printf("%v: no worker: %v", c.conn.RemoteAddr(), err)
		refuse(channel, err.Error())
		return
	}
	pid, begin := r.process.PID(), time.Now()
	c.log.printf("%v: worker %d started", c.conn.RemoteAddr(), pid)
	exit := r.wait(ctx)
	c.log.printf("%v: worker %d ended after %v: %s", c.conn.RemoteAddr(), pid, time.Since(begin).Round(time.Millisecond), exitText(exit))
	r.drain()
	leave(channel, exit)
	r.finish()
}

// asksForWorker reports why a session's command line is not what drivers of execnet send, nil if it
// is: an interpreter's name, in any number of words, and -c with the bootstrap line (protocol.md
// section 7.2), or that inside a script for sh, which this module's drivers send where the spec has
// no python=. Whatever is in front of -c is not executed, so it must not mean more than the name of
// an interpreter: no operator of a shell may be in it.
func asksForWorker(command string) error {
	words, err := shellquote.Split(command)
	if err != nil || len(words) < 3 || words[len(words)-2] != "-c" {
		return notTheBootstrap(command)
	}
	interpreter, program := words[:len(words)-2], words[len(words)-1]
	script := interpreter[len(interpreter)-1] == "sh" && (program == searching("") || program == searching(" -B"))
	if program != cmdline.BootstrapLine && !script {
		return notTheBootstrap(command)
	}
	if around := strings.Replace(command, program, "", 1); strings.ContainsAny(around, ";&|<>`$(){}\n\r") {
		return fmt.Errorf("%q is more than an interpreter's name", strings.Join(interpreter, " "))
	}
	return nil
}

// searching is the script for sh that looks for an interpreter.
func searching(flag string) string {
	return "if command -v python3 >/dev/null 2>&1; then p=python3; else p=python; fi; exec $p -u" + flag + ` -c "` + cmdline.BootstrapLine + `"`
}

func notTheBootstrap(command string) error {
	const most = 200
	if len(command) > most {
		return fmt.Errorf("%q... is not the command line of an execnet driver", command[:most])
	}
	return fmt.Errorf("%q is not the command line of an execnet driver", command)
}
