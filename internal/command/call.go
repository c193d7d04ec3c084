package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/command/internal/jsonform"
	"github.com/go-execnet/execnet/internal/pyliteral"
)

func newCall() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "call [--tx SPEC]... [--import DIR]... MODULE.FUNCTION [ARG | NAME=VALUE]...",
		Short: "Call a Python function and print what it returns",
		Long: `Call starts an interpreter, calls a function there, and prints what it returns as
one line of JSON; of a generator, and of any other iterator, each item as it comes.
The function is one of any module that can be imported there, of the modules in
DIR, or of those that a worker in Go has registered. The options stand before its
name.

ARG and VALUE are JSON (5, true, null, "text", [1, 2]) or a Python literal
(None, 'text', (1, 2), b'bytes', {1, 2}), and text if they are neither: with
quotes of their own they are text in any case, as in '"5"' or "'a=b'". What has
the form NAME=VALUE is a keyword argument.

Values that JSON does not have are printed and read as "execnet help json" tells:
bytes as {"__bytes__": "aGVsbG8="}, a set as {"__set__": [1, 2]}, NaN as
{"__float__": "nan"}. A tuple is printed as an array, and an int with all its
digits. Named tuples, dates, Decimal, Enum members, numpy's types and some others
appear in plain forms; of other objects nothing can be printed.

With several interpreters all of them call the function at once, and each result
is printed as it comes, with the gateway's id:

  {"gateway": "gw0", "result": 5}

What the function prints appears on stderr, each line with the gateway's id in
front. If it raises an exception, its traceback appears on stderr, each line
with the gateway's id in front, and the exit code is 1 when the others have
finished too; sys.exit(3) makes it 3. If an interpreter cannot be started, nothing
is called, unless --keep-going says otherwise. Ctrl-C ends the interpreters as it
does with exec.`,
		Example: `  execnet call math.gcd 42 30
  execnet call --tx popen//python=python3.8 platform.python_version
  execnet call --import ./python analysis.fit '[1.5, 2]' degree=2 name=first
  execnet call --tx ssh=me@example.org os.path.exists /etc/passwd
  execnet call builtins.sorted '[3, 1, 2]' reverse=true`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("nothing to call: give the name of a function, such as math.gcd")
			}
			for part := range strings.SplitSeq(args[0], ".") {
				if !pyliteral.IsIdentifier(part) {
					return fmt.Errorf("%q is not the name of a function in a module, such as math.gcd", args[0])
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runCall(cmd, &f, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.SetInterspersed(false) // what follows the function's name is for the function, such as -5
	f.addWhere(cmd)
	f.addHow(cmd, "call the function")
	return cmd
}

func runCall(cmd *cobra.Command, f *remoteFlags, function string, arguments []string) error {
	specs, options, err := f.gateways()
	if err != nil {
		return err
	}
	args, err := callArguments(arguments)
	if err != nil {
		return err
	}
	return withGateways(cmd, specs, options, func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) (code int) {
		out := newPrinter(ctx, cmd.OutOrStdout(), cancel)
		codes := make(chan int, len(members))
		var calls sync.WaitGroup
		for _, m := range members {
			if m.Err != nil {
				continue
			}
			calls.Go(func() {
				var err error
				for result, failed := range gatewaybase.RemoteResults[any](ctx, m.Gateway, function, args...) {
					var line []byte
					if err = failed; err == nil {
						line, err = formatResult(m.Spec.ID, result, len(members) > 1)
					}
					if err != nil {
						break
					}
					out.print(cmd.OutOrStdout(), line)
				}
				if err != nil && !fleet.Settled(ctx, err) {
					failed, text := exitCode(err)
					if text != "" {
						out.print(cmd.ErrOrStderr(), prefixed(m.Spec.ID, text))
					}
					codes <- failed
				}
			})
		}
		calls.Wait()
		close(codes)
		for failed := range codes {
			code = max(code, failed)
		}
		out.close()
		return code
	})
}

// callArguments reads the arguments of a function. The last one are its keyword arguments.
func callArguments(texts []string) ([]any, error) {
	var args []any
	kwargs := gatewaybase.Kwargs{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || !pyliteral.IsIdentifier(name) {
			args = append(args, literal(text))
			continue
		}
		if _, twice := kwargs[name]; twice {
			return nil, fmt.Errorf("%q: there is another value for %s already", text, name)
		}
		kwargs[name] = literal(value)
	}
	return append(args, kwargs), nil
}

// literal reads JSON or a Python literal. Anything else is text.
func literal(text string) any {
	v, err := jsonform.Parse(text)
	if err != nil {
		v, err = pyliteral.Parse(text)
	}
	if err != nil || !canBeSent(v) {
		return text
	}
	return v
}

// formatResult returns the line that is printed for a result, with the gateway's id if there are
// several.
func formatResult(id string, result any, several bool) ([]byte, error) {
	if !several {
		line, err := jsonform.Append(nil, result)
		return append(line, '\n'), err
	}
	line := append(jsonform.AppendString([]byte(`{"gateway": `), id), `, "result": `...)
	line, err := jsonform.Append(line, result)
	return append(line, "}\n"...), err
}
