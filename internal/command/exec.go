package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/command/internal/jsonform"
	"github.com/go-execnet/execnet/internal/command/internal/pysource"
	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

type execFlags struct {
	remoteFlags
	source string
	send   []string
	args   []string
	call   string
	raw    bool
}

func newExec() *cobra.Command {
	var f execFlags
	cmd := &cobra.Command{
		Use:   "exec [--tx SPEC]... (-c SOURCE | FILE | -) [-- ARG...]",
		Short: "Run Python source in one interpreter or many",
		Long: `Exec starts the interpreters, all side by side, runs the source in all of them at
once, and prints each item that it sends, as it comes, as one line of JSON:

  {"gateway": "gw0", "item": [1, "two"]}

The source is SOURCE itself, or what FILE or stdin (-) holds. It finds the
variable channel: channel.send(value) prints an item, channel.receive() gives
the next value of --send, and a loop over channel gets them all. (When there is
none left, receive raises EOFError, which ends the source quietly.) What the
source and its children print, to stdout or stderr, appears on stderr as it
comes, each line with the gateway's id in front:

  [gw0] hello

A FILE is read as Python reads it: as UTF-8, unless a line such as
"# coding: latin-1" at its top says otherwise.

What stands behind -- is what the source finds in sys.argv[1:].

If the source does nothing but define one function, or with --call, that
function is called, as function(channel, **arguments), with the arguments of
--arg. Its first parameter must be named channel.

If the source raises an exception, its traceback appears on stderr, each line
with the gateway's id in front, and the exit code is 1 when the others have
finished too. sys.exit(3) in the source makes the exit code 3, as with python;
of several codes it is the highest. If an interpreter cannot be started, nothing
is run and the exit code is 1; with --keep-going the others run the source all
the same. Ctrl-C gives the interpreters a second to end; a second Ctrl-C kills
them at once. No interpreter is left behind.

"execnet help specs" tells what SPEC can be, and "execnet help json" how values
look that JSON does not have, such as bytes and sets.`,
		Example: `  # the interpreter that is called python3
  execnet exec -c 'channel.send(1 + 1)'

  # two of one version and one of another
  execnet exec --tx '2*popen//python=python3.12' --tx popen//python=python3.8 -c 'import sys; channel.send(sys.version)'

  # on another host
  execnet exec --tx ssh=me@example.org -c 'import os; channel.send(os.uname()[1])'

  # values in, values out
  execnet exec --send 20 --send '{"a": [1, 2]}' -c 'channel.send(channel.receive() + 1); channel.send(channel.receive()["a"])'

  # a loop over all of them
  execnet exec --send 2 --send 3 -c 'for n in channel: channel.send(n ** 100)'

  # a function with arguments
  execnet exec --arg times=3 --arg word=ho -c 'def shout(channel, word, times): channel.send(word * times)'

  # text, not JSON
  execnet exec --raw -c 'import platform; channel.send(platform.platform() + "\n")'

  # with the modules of a folder here
  execnet exec --tx ssh=me@example.org --import ./python -c 'import analysis; channel.send(analysis.run())'

  # a file, whose name appears in tracebacks, with arguments
  execnet exec --tx popen//chdir=/tmp script.py -- --verbose input.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			files, _ := atDash(cmd, args)
			switch given := cmd.Flags().Changed("command"); {
			case given && len(files) > 0:
				return fmt.Errorf("there is -c SOURCE, so %q is one source too many (arguments for the source stand behind --)", files[0])
			case !given && len(files) == 0:
				return errors.New("nothing to run: give -c SOURCE, the name of a file, or - for stdin")
			case len(files) > 1:
				return fmt.Errorf("one file can be run, and %q is a second one (arguments for the source stand behind --, values go into --send or --arg)", files[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.addWhere(cmd)
	flags.StringVarP(&f.source, "command", "c", "", "run this `SOURCE`")
	flags.StringArrayVar(&f.send, "send", nil, "send a value, written as `JSON`, to each channel first; may be repeated")
	flags.StringVar(&f.call, "call", "", "call the function `NAME` that the source defines")
	flags.StringArrayVar(&f.args, "arg", nil, "argument `NAME=VALUE` for the function; VALUE is a Python literal such as 5, None or [1, 'a'], "+
		"and else a string (which quotes make it in any case: name='\"5\"'); may be repeated")
	flags.BoolVar(&f.raw, "raw", false, "write str (as UTF-8) and bytes as they are, adding nothing; other items as Python's repr, on a line each")
	f.addHow(cmd, "run the source")
	return cmd
}

func (f *execFlags) run(cmd *cobra.Command, args []string) error {
	specs, options, err := f.gateways()
	if err != nil {
		return err
	}
	task := fleet.Task{Source: f.source}
	for _, text := range f.send {
		v, err := parseJSON(text)
		if err != nil {
			return fmt.Errorf("--send: %w", err)
		}
		task.Send = append(task.Send, v)
	}
	kwargs, err := parseArgs(f.args)
	if err != nil {
		return err
	}
	name := "-c"
	files, arguments := atDash(cmd, args)
	if len(files) > 0 {
		name = files[0]
		if err := readSource(cmd, name, &task); err != nil {
			return err
		}
	}
	if arguments != nil {
		task.Argv = append([]string{name}, arguments...)
	}
	if f.call == "" {
		f.call, _ = pysource.SingleFunction(task.Source)
	}
	if f.call == "" && len(kwargs) > 0 {
		return errors.New("--arg is for a function, and the source is more than one or none: name the one to call with --call NAME")
	}
	if f.call != "" {
		task.Options = append(task.Options, gatewaybase.Call(f.call, kwargs))
	}
	return withGateways(cmd, specs, options, func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) int {
		members = slices.DeleteFunc(members, func(m fleet.Member) bool { return m.Err != nil })
		return f.runTask(ctx, cancel, cmd, members, task)
	})
}

// atDash separates the arguments before -- from those behind it, which are nil without --.
func atDash(cmd *cobra.Command, args []string) (before, behind []string) {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		return args[:n], args[n:]
	}
	return args, nil
}

// runTask executes the task on all gateways and prints items and errors. It returns the exit code:
// the highest of those that the sources ask for by sys.exit and of exitFailure for each that failed
// otherwise.
func (f *execFlags) runTask(ctx context.Context, cancel context.CancelCauseFunc, cmd *cobra.Command, members []fleet.Member, task fleet.Task) (code int) {
	out := newPrinter(ctx, cmd.OutOrStdout(), cancel)
	codes := make(chan int, len(members)) // each member fails at most once
	var sent atomic.Bool
	fleet.Run(ctx, members, task, func(id string, v any) {
		sent.Store(true)
		line, err := f.format(id, v)
		if err != nil {
			cancel(err)
			return
		}
		out.print(cmd.OutOrStdout(), line)
	}, func(id string, err error) {
		code, text := exitCode(err)
		if text != "" {
			out.print(cmd.ErrOrStderr(), prefixed(id, text))
		}
		codes <- code
	})
	close(codes)
	for wanted := range codes {
		code = max(code, wanted)
	}
	if len(members) > 0 && code == 0 && !sent.Load() && ctx.Err() == nil && stdinIsTerminal(cmd) {
		out.print(cmd.ErrOrStderr(), []byte("(nothing was sent: channel.send(VALUE) prints a value here)\n"))
	}
	out.close()
	return code
}

// format returns what is printed for an item.
func (f *execFlags) format(id string, v any) ([]byte, error) {
	if f.raw {
		switch x := v.(type) {
		case string:
			return []byte(x), nil
		case []byte:
			return x, nil
		}
		return append(pyliteral.Append(nil, v), '\n'), nil
	}
	line := append(jsonform.AppendString([]byte(`{"gateway": `), id), `, "item": `...)
	line, err := jsonform.Append(line, v)
	return append(line, "}\n"...), err
}

func parseJSON(text string) (any, error) {
	v, err := jsonform.Parse(text)
	var syntax *jsonform.SyntaxError
	if errors.As(err, &syntax) {
		return nil, fmt.Errorf("%s\n%s", syntax.Problem, strings.TrimSuffix(caret(text, syntax.Offset), "\n"))
	}
	return v, err
}

// caret returns the line of text that contains the offset, and below it a caret at that place.
func caret(text string, offset int) string {
	return (&pyliteral.SyntaxError{Text: text, Offset: offset}).Caret()
}

// parseArgs reads NAME=VALUE pairs.
func parseArgs(pairs []string) (map[string]any, error) {
	kwargs := map[string]any{}
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if !ok || !pyliteral.IsIdentifier(name) {
			return nil, fmt.Errorf("--arg %q: it must be NAME=VALUE, where NAME is a Python name", pair)
		}
		if _, twice := kwargs[name]; twice || name == "channel" {
			return nil, fmt.Errorf("--arg %q: the function gets another value for %s already", pair, name)
		}
		v, err := pyliteral.Parse(text)
		if err != nil || !canBeSent(v) {
			v = text
		}
		kwargs[name] = v
	}
	return kwargs, nil
}

// canBeSent reports whether a channel takes a value: no int with too many digits is in it.
func canBeSent(v any) bool {
	_, err := (&serializer.Codec{}).Append(nil, v)
	return err == nil
}
