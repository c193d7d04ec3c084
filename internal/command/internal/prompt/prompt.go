// Package prompt asks the user what ssh needs to know: passphrases, passwords, and whether to trust
// an unknown host. It uses the terminal itself, so that stdin, stdout and stderr can be files or
// pipes.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	gatewayio "github.com/go-execnet/execnet/gateway_io"
)

// errNoTerminal says that nobody can be asked.
var errNoTerminal = errors.New("there is no terminal to ask on")

// errNoAnswer says that the user has ended the input (Ctrl-D).
var errNoAnswer = errors.New("no answer was given")

// SSH returns options whose callbacks ask on the terminal. The end of ctx ends a question that is
// being asked. settle waits until the terminal is as it was, which a program has to do before it
// exits; it is called after the end of ctx.
func SSH(ctx context.Context) (options gatewayio.SSHOptions, settle func()) {
	a := &asker{ctx: ctx, open: open}
	return gatewayio.SSHOptions{
		UnknownHost: a.unknownHost, Passphrase: a.passphrase, Password: a.password, KeyboardInteractive: a.answers,
	}, a.settle
}

// settleTime bounds settle: a terminal that shows nothing more (Ctrl-S) must not hold the program.
const settleTime = time.Second

// asker asks the questions.
type asker struct {
	ctx    context.Context
	open   func() (console, error)
	asking sync.Mutex // held while a question is asked
}

// settle waits until no question is asked.
func (a *asker) settle() {
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		a.asking.Lock() // and keeps it: no question follows
	}()
	select {
	case <-settled:
	case <-time.After(settleTime):
	}
}

// console is a terminal that is open for questions.
type console interface {
	// readLine shows the question and returns the line that is typed, without its end. If echo is
	// false what is typed is not shown. The terminal is as it was before when it returns, which is
	// soon after the end of ctx, whose cause it returns then.
	readLine(ctx context.Context, question string, echo bool) (string, error)
	// show shows a text.
	show(text string) error
	// Close releases the terminal.
	Close() error
}

// ask asks one question; hint says what the user can do where there is no terminal, "" for nothing.
func (a *asker) ask(question string, echo bool, hint string) (answer string, err error) {
	err = a.on(hint, func(c console) error {
		answer, err = c.readLine(a.ctx, question, echo)
		return err
	})
	return answer, err
}

// on opens the terminal for what uses it.
func (a *asker) on(hint string, use func(console) error) error {
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	c, err := a.open()
	if err != nil && hint == "" {
		return errNoTerminal
	}
	if err != nil {
		return fmt.Errorf("%w: %s", errNoTerminal, hint)
	}
	defer c.Close()
	return use(c)
}

// loginHint says how to log in without a question.
const loginHint = "use a key that needs no passphrase or that ssh-add has loaded into an agent"

func (a *asker) passphrase(file string) ([]byte, error) {
	answer, err := a.ask("Passphrase of the key "+printable(file)+": ", false, "load the key into an agent with ssh-add")
	return []byte(answer), err
}

func (a *asker) password(user, host string) (string, error) {
	return a.ask("Password of "+printable(user+"@"+host)+": ", false, loginHint)
}

func (a *asker) answers(user, host, instruction string, questions []string, echos []bool) ([]string, error) {
	var answers []string
	err := a.on(loginHint, func(c console) error {
		if instruction != "" {
			if err := c.show(printable(instruction) + "\n"); err != nil {
				return err
			}
		}
		for i, question := range questions {
			answer, err := c.readLine(a.ctx, "("+printable(user+"@"+host)+") "+printable(question), echos[i])
			if err != nil {
				return err
			}
			answers = append(answers, answer)
		}
		return nil
	})
	return answers, err
}

// unknownHost asks until the answer is yes, no or the fingerprint.
func (a *asker) unknownHost(host, keyType, fingerprint string) (trusted bool, err error) {
	err = a.on("", func(c console) error {
		question := fmt.Sprintf("No known_hosts file knows the host %s.\nIts key is %s %s\nTrust this key from now on? (yes, no, or the fingerprint) ",
			printable(host), printable(keyType), fingerprint)
		for {
			answer, err := c.readLine(a.ctx, question, true)
			if err != nil {
				return err
			}
			switch answer = strings.TrimSpace(answer); {
			case strings.EqualFold(answer, "yes"), answer == fingerprint:
				trusted = true
				return nil
			case strings.EqualFold(answer, "no"), strings.HasPrefix(answer, "SHA256:"):
				return nil // another fingerprint is a no as well
			}
			question = "Please type yes, no, or the fingerprint: "
		}
	})
	return trusted, err
}

// printable leaves out characters of a text from elsewhere that would control the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}
