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
	"github.com/go-execnet/execnet/internal/errtext"
)

// purpose tells people who use an ordinary ssh client what this server is.
const purpose = "this is no sshd: it starts workers for execnet drivers and nothing else"

// exitRefused is the exit status of a shell that does not find a command.
const exitRefused = 127

// holdEOF is how long the end of a worker's output is held back to be sent after the worker's exit
// status. A client that has nothing more to send closes the session when it learns of the output's
// end, and then could not be told the status any more.
const holdEOF = 500 * time.Millisecond

// session answers the requests of a session until the client closes it. It returns when the worker,
// if there is one, has ended.
func (c *sshConn) session(ctx context.Context, channel ssh.Channel, requests <-chan *ssh.Request) {
	ctx, end := context.WithCancelCause(ctx)
	var done chan struct{} // closed when what the session executes has ended; nil before it starts
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
			_ = request.Reply(accepted, nil) // it fails if the connection is closed
		}
		if accepted && do != nil { // after the reply, which must not come after the session's end
			done = make(chan struct{})
			go func() {
				defer close(done)
				do()
			}()
		}
	}
	end(nil) // the session or the connection is closed
	if done != nil {
		<-done
	}
	_ = channel.Close()
}

// signalCause returns the cause with which a client's signal ends the worker's context: after KILL
// the worker is killed at once, after any other signal it may take gracePeriod.
func signalCause(name string) error {
	if name == "KILL" {
		return errKill
	}
	return context.Canceled
}

// refuse ends a session that asks for something else than a worker, or whose worker cannot be
// started.
func refuse(channel ssh.Channel, why string) {
	fmt.Fprintf(channel.Stderr(), "execnet sshserver: %s\r\n", why)
	sendExit(channel, gatewaybase.Exit{Known: true, Code: exitRefused})
}

// sendExit sends how a session's worker has ended, and closes the session.
func sendExit(channel ssh.Channel, exit gatewaybase.Exit) {
	// These fail if the connection is closed.
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

// execute runs a worker for a session, if its command line asks for one.
func (c *sshConn) execute(ctx context.Context, channel ssh.Channel, command string) {
	if err := asksForWorker(command); err != nil {
		c.log.printf("%v: refused: %v", c.conn.RemoteAddr(), err)
		refuse(channel, err.Error()+"; "+purpose)
		return
	}
	r, err := c.command.relay(nil, channel, channel.Stderr(), holdEOF)
	if err != nil {
		c.log.printf("%v: no worker: %s", c.conn.RemoteAddr(), errtext.Of(err))
		refuse(channel, errtext.Of(err))
		return
	}
	pid, begin := r.process.PID(), time.Now()
	c.log.printf("%v: worker %d started", c.conn.RemoteAddr(), pid)
	exit := r.wait(ctx)
	c.log.printf("%v: worker %d ended after %v%v", c.conn.RemoteAddr(), pid, time.Since(begin).Round(time.Millisecond), exit)
	r.drain()
	sendExit(channel, exit)
	r.finish()
}

// asksForWorker returns an error if a session's command line is not one that drivers of execnet
// send: perhaps variables, an interpreter's name, of any number of words, and -c with the bootstrap
// line (protocol.md
// section 7.2), or that inside a script for sh, which this module's drivers send if the spec has no
// python=. What is before -c is not executed. So it must be no more than the name of an
// interpreter, without any operator of a shell.
func asksForWorker(command string) error {
	command = cmdline.CutEnv(command)
	words, err := shellquote.Split(command)
	if err != nil || len(words) < 3 || words[len(words)-2] != "-c" {
		return notTheBootstrap(command)
	}
	interpreter, program := words[:len(words)-2], words[len(words)-1]
	script := interpreter[len(interpreter)-1] == "sh" && (program == findingScript("") || program == findingScript(" -B"))
	if program != cmdline.BootstrapLine && !script {
		return notTheBootstrap(command)
	}
	if around := strings.Replace(command, program, "", 1); strings.ContainsAny(around, ";&|<>`$(){}\n\r") {
		return fmt.Errorf("%q is more than an interpreter's name", strings.Join(interpreter, " "))
	}
	return nil
}

// findingScript returns the script for sh that looks for an interpreter.
func findingScript(flag string) string {
	return "if command -v python3 >/dev/null 2>&1; then p=python3; else p=python; fi; exec $p -u" + flag + ` -c "` + cmdline.BootstrapLine + `"`
}

func notTheBootstrap(command string) error {
	const most = 200
	if len(command) > most {
		return fmt.Errorf("%q... is not the command line of an execnet driver", command[:most])
	}
	return fmt.Errorf("%q is not the command line of an execnet driver", command)
}
