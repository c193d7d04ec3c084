package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/cmd/execnet/internal/fleet"
	"github.com/go-execnet/execnet/cmd/execnet/internal/jsonform"
	"github.com/go-execnet/execnet/cmd/execnet/internal/pysource"
	"github.com/go-execnet/execnet/cmd/execnet/internal/txspec"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

type execFlags struct {
	tx      []string
	source  string
	send    []string
	args    []string
	call    string
	raw     bool
	timeout time.Duration
}

func newExec() *cobra.Command {
	var f execFlags
	cmd := &cobra.Command{
		Use:   "exec [--tx SPEC]... (-c SOURCE | FILE | -)",
		Short: "Run Python source in one interpreter or many",
		Long: `Exec starts the interpreters, all side by side, runs the source in all of them at
once, and prints each item that it sends, as it comes, as one line of JSON:

  {"gateway": "gw0", "item": [1, "two"]}

The source is SOURCE itself, or what FILE or stdin (-) holds. It finds the
variable channel: channel.send(value) prints an item, channel.receive() gives
the next value of --send, and a loop over channel gets them all. (When there is
none left, receive raises EOFError, which ends the source quietly.) What the
source prints goes nowhere; what it writes to sys.stderr appears on stderr.

If the source does nothing but define one function, or with --call, that
function is called, as function(channel, **arguments), with the arguments of
--arg. Its first parameter must be named channel.

If the source raises an exception, its traceback appears on stderr, each line
with the gateway's id in front, and the exit code is 1 when the others have
finished too. If an interpreter cannot be started, nothing is run and the exit
code is 1. Ctrl-C gives the interpreters a second to end; a second Ctrl-C kills
them at once. No interpreter is left behind.

"execnet help specs" tells what SPEC can be, and "execnet help json" how values
look that JSON does not have, such as bytes and sets.`,
		Example: `  # the interpreter that is called python3
  execnet exec -c 'channel.send(1 + 1)'

  # two of one version and one of another
  execnet exec --tx 2*popen//python=python3.12 --tx popen//python=python3.8 -c 'import sys; channel.send(sys.version)'

  # values in, values out
  execnet exec --send 20 --send '{"a": [1, 2]}' -c 'channel.send(channel.receive() + 1); channel.send(channel.receive()["a"])'

  # a loop over all of them
  execnet exec --send 2 --send 3 -c 'for n in channel: channel.send(n ** 100)'

  # a function with arguments
  execnet exec --arg times=3 --arg word=ho -c 'def shout(channel, word, times): channel.send(word * times)'

  # text, not JSON
  execnet exec --raw -c 'import platform; channel.send(platform.platform() + "\n")'

  # a file, whose name appears in tracebacks
  execnet exec --tx popen//chdir=/tmp script.py`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch given := cmd.Flags().Changed("command"); {
			case given && len(args) > 0:
				return fmt.Errorf("there is -c SOURCE, so %q is one source too many", args[0])
			case !given && len(args) == 0:
				return errors.New("nothing to run: give -c SOURCE, the name of a file, or - for stdin")
			case len(args) > 1:
				return fmt.Errorf("one file can be run, and %q is a second one (values for the source go into --send or --arg)", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.tx, "tx", []string{"popen"}, "`SPEC` of an interpreter, or N*SPEC for N of them; may be repeated")
	flags.StringVarP(&f.source, "command", "c", "", "run this `SOURCE`")
	flags.StringArrayVar(&f.send, "send", nil, "send a value, written as `JSON`, to each channel first; may be repeated")
	flags.StringVar(&f.call, "call", "", "call the function `NAME` that the source defines")
	flags.StringArrayVar(&f.args, "arg", nil, "argument `NAME=VALUE` for the function; VALUE is a Python literal such as 5, None or [1, 'a'], "+
		"and else a string (which quotes make it in any case: name='\"5\"'); may be repeated")
	flags.BoolVar(&f.raw, "raw", false, "write str (as UTF-8) and bytes as they are, adding nothing; other items as Python's repr, on a line each")
	addTimeout(cmd, &f.timeout)
	return cmd
}

func (f *execFlags) run(cmd *cobra.Command, args []string) error {
	if err := checkTimeout(f.timeout); err != nil {
		return err
	}
	specs, err := txspec.Parse(f.tx)
	if err != nil {
		return fmt.Errorf("--tx: %w", err)
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
	if len(args) > 0 {
		if err := readSource(cmd, args[0], &task); err != nil {
			return err
		}
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
	return withGateways(cmd, specs, f.timeout, true, func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) bool {
		return f.runTask(ctx, cancel, cmd, members, task)
	})
}

// runTask executes the task on all gateways and prints items and errors; it reports whether all
// succeeded.
func (f *execFlags) runTask(ctx context.Context, cancel context.CancelCauseFunc, cmd *cobra.Command, members []fleet.Member, task fleet.Task) bool {
	out := newPrinter(ctx, cmd.OutOrStdout(), cancel)
	failures := make(chan struct{}, len(members)) // each member fails at most once
	fleet.Run(ctx, members, task, func(id string, v any) {
		line, err := f.format(id, v)
		if err != nil {
			cancel(err)
			return
		}
		out.print(cmd.OutOrStdout(), line)
	}, func(id string, err error) {
		failures <- struct{}{}
		out.print(cmd.ErrOrStderr(), prefixed(id, plainError(err)))
	})
	out.close()
	return len(failures) == 0
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

// readSource sets the task's source to the content of a file, or of stdin if the name is -.
func readSource(cmd *cobra.Command, name string, task *fleet.Task) error {
	var data []byte
	var err error
	shown := name
	if name == "-" {
		shown = "<stdin>"
		data, err = readAll(cmd)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return failure(err)
	}
	task.Source = string(data)
	task.Options = append(task.Options, gatewaybase.File(shown, 1))
	return nil
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
		if err == nil {
			_, err = serializer.Dumps(v)
		}
		if err != nil {
			v = text
		}
		kwargs[name] = v
	}
	return kwargs, nil
}
