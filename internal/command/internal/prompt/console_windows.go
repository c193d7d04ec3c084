package prompt

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// conio is the console of the process.
type conio struct {
	in, out *os.File
	pending bool // a read that nobody waits for any more holds in
}

func open() (console, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return nil, err
	}
	return &conio{in: in, out: out}, nil
}

// Close implements console.
func (c *conio) Close() error {
	if c.pending {
		return c.out.Close() // closing the other one would wait for the read
	}
	return errors.Join(c.in.Close(), c.out.Close())
}

// show implements console.
func (c *conio) show(text string) error {
	_, err := io.WriteString(c.out, text)
	return err
}

// readLine implements console. Reading a console cannot be interrupted: after the end of ctx its
// goroutine waits for the next line or the end of the process.
func (c *conio) readLine(ctx context.Context, question string, echo bool) (string, error) {
	fd := int(c.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	defer term.Restore(fd, before)
	if err := c.show(question); err != nil {
		return "", err
	}
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		if echo {
			line, err := bufio.NewReader(c.in).ReadString('\n')
			answers <- answer{strings.TrimRight(line, "\r\n"), err}
			return
		}
		line, err := term.ReadPassword(fd)
		answers <- answer{string(line), err}
	}()
	select {
	case a := <-answers:
		if !echo {
			_ = c.show("\n") // the one that was typed is not shown
		}
		if errors.Is(a.err, io.EOF) {
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			return "", errNoAnswer // Ctrl-Z, or Ctrl-C, whose signal comes at the same time
		}
		return a.line, a.err
	case <-ctx.Done():
		c.pending = true
		_ = c.show("\n")
		return "", context.Cause(ctx)
	}
}
