package gatewaybase

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/pyfile"
	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

// ExecOption says more about the source given to RemoteExec.
type ExecOption func(*task)

// task is the payload of a CHANNEL_EXEC (protocol.md section 3.4).
type task struct {
	source string
	file   string // the name shown in tracebacks, empty for execnet's "<remote exec>"
	line   int    // the line of that file on which source begins
	call   string // the function to call, or empty
	kwargs map[string]any
	// own says that the source is this module's: what it sends is not the user's to configure.
	own bool
	// noArrays refuses arrays among kwargs, which would arrive as dicts that nobody has meant.
	noArrays bool
	// streams says that the channel is that of an iteration.
	streams bool
}

// File names the file and the line that the source comes from, for tracebacks. line counts from 1.
func File(name string, line int) ExecOption {
	return func(t *task) { t.file, t.line = name, line }
}

// Call makes the far end call a function that the source defines, with the channel as its first
// argument, which must be named channel, and kwargs after it. The values of kwargs are sent as by
// Channel.Send. execnet does this when remote_exec is given a function.
func Call(function string, kwargs map[string]any) ExecOption {
	return func(t *task) { t.call, t.kwargs = function, kwargs }
}

// RemoteExec executes Python source at the far end, with the channel as the global variable channel
// and with __name__ set to "__channelexec__". It returns this end of the channel at once. The
// channel closes when the source has run, with a [RemoteError] if the source raised an exception.
// Indentation that all lines have in common is removed first. ctx bounds the sending of the source,
// not its execution.
//
// It returns a [SourceError] for options that do not fit the source, and the errors of
// Channel.Send. It is execnet's Gateway.remote_exec.
func (g *Gateway) RemoteExec(ctx context.Context, source string, options ...ExecOption) (*Channel, error) {
	t := task{source: dedent(source)}
	return g.exec(ctx, &t, options)
}

// RemoteExecFile is RemoteExec of a Python file. Remote tracebacks show its name and lines. The
// file is read as Python reads it: it may have a byte order mark, declare an encoding (PEP 263),
// and have any kind of newline. It returns a [SourceError] for what cannot be decoded. It is
// execnet's remote_exec of a module.
func (g *Gateway) RemoteExecFile(ctx context.Context, name string, options ...ExecOption) (*Channel, error) {
	data, err := os.ReadFile(name)
	return g.execFile(ctx, name, data, err, options)
}

// RemoteExecFS is RemoteExecFile for a file in fsys, such as an embed.FS.
func (g *Gateway) RemoteExecFS(ctx context.Context, fsys fs.FS, name string, options ...ExecOption) (*Channel, error) {
	data, err := fs.ReadFile(fsys, name)
	return g.execFile(ctx, name, data, err, options)
}

// execFile executes what reading a file has returned.
func (g *Gateway) execFile(ctx context.Context, name string, data []byte, err error, options []ExecOption) (*Channel, error) {
	if err != nil {
		return nil, fmt.Errorf("execnet: %w", err)
	}
	source, err := pyfile.Decode(name, data)
	if err != nil {
		return nil, badSource("%s", errtext.Of(err))
	}
	return g.exec(ctx, &task{source: source, file: name}, options)
}

func (g *Gateway) exec(ctx context.Context, t *task, options []ExecOption) (*Channel, error) {
	for _, option := range options {
		option(t)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.line > 1 {
		t.source = strings.Repeat("\n", t.line-1) + t.source
	}
	return g.start(ctx, t)
}

// start sends a task, which check has accepted.
func (g *Gateway) start(ctx context.Context, t *task) (*Channel, error) {
	f := newFrame()
	var err error
	var arrays bool
	f.bytes, arrays, err = g.codec.Load().AppendNoting(f.bytes, t.tuple())
	if err == nil && arrays && t.noArrays {
		err = fmt.Errorf("execnet: the worker of gateway %s takes no arrays as arguments: send their Data", g.id)
	}
	if err != nil {
		f.free()
		return nil, err
	}
	c, err := g.newChannel()
	if err != nil {
		f.free()
		return nil, err
	}
	if t.own {
		c.useDefaultStrings()
	}
	if t.streams {
		c.forStream()
	}
	if err := g.send(ctx, codeExec, c.core.id, f); err != nil {
		c.core.end(ending{sendOnly: true})
		g.table.remove(c.core)
		return nil, err
	}
	return c, nil
}

func (t *task) tuple() serializer.Tuple {
	kwargs := serializer.NewDict()
	for _, name := range slices.Sorted(maps.Keys(t.kwargs)) {
		// A string is always hashable.
		_ = kwargs.Set(name, t.kwargs[name])
	}
	return serializer.Tuple{t.source, orNone(t.file), orNone(t.call), kwargs}
}

func orNone(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// SourceError is the error of RemoteExec and RemoteCall for a source or a name that could only fail
// at the far end, where the error would be harder to understand. Use errors.As with a *SourceError.
type SourceError struct{ Problem string }

// Error says what is wrong.
func (e *SourceError) Error() string { return "execnet: " + e.Problem }

func badSource(format string, args ...any) error {
	return &SourceError{fmt.Sprintf(format, args...)}
}

func (t *task) check() error {
	if t.call == "" {
		if len(t.kwargs) > 0 {
			return badSource("keyword arguments need the name of a function to call")
		}
		return nil
	}
	if !pyliteral.IsIdentifier(t.call) {
		return badSource("%q is not the name of a Python function", t.call)
	}
	def := regexp.MustCompile(`(?m)^(?:async[ \t]+)?def[ \t]+` + t.call + `[ \t]*\(\s*(\w*)`)
	if m := def.FindStringSubmatch(t.source); m != nil && m[1] != "channel" {
		return badSource("the first argument of the function %s must be named channel, not %q", t.call, m[1])
	}
	if !regexp.MustCompile(`\b` + t.call + `\b`).MatchString(t.source) {
		return badSource("the source does not define the function %s", t.call)
	}
	return nil
}

// dedent removes the indentation that all lines of source have in common, as Python's
// textwrap.dedent does: lines of white space do not count and become empty; tabs and spaces are
// different.
func dedent(source string) string {
	lines := strings.Split(source, "\n")
	margin, found := "", false
	for i, line := range lines {
		code := strings.TrimLeft(line, " \t")
		if code == "" {
			lines[i] = ""
			continue
		}
		indent := line[:len(line)-len(code)]
		if !found {
			margin, found = indent, true
		}
		for !strings.HasPrefix(indent, margin) {
			margin = margin[:len(margin)-1]
		}
	}
	if margin == "" {
		return strings.Join(lines, "\n")
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n")
}
