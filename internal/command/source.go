package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/pyfile"
)

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
	if errors.Is(err, fs.ErrNotExist) && looksLikeSource(name) {
		err = fmt.Errorf("there is no file %q; to run that as source, write -c in front of it", name)
	}
	if err != nil {
		return failure(err)
	}
	if task.Source, err = pyfile.Decode(shown, data); err != nil {
		return failure(err)
	}
	task.Options = append(task.Options, gatewaybase.File(shown, 1))
	return nil
}

// looksLikeSource tells whether what was given as the name of a file is rather Python source.
func looksLikeSource(name string) bool {
	return strings.ContainsAny(name, " (=;\n") && !strings.HasSuffix(name, ".py")
}

// stdinIsTerminal tells whether a person types what the command reads.
func stdinIsTerminal(cmd *cobra.Command) bool {
	file, ok := cmd.InOrStdin().(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// exitCode returns the exit code for the error of remote code, and what is printed about it.
func exitCode(err error) (code int, text string) {
	if code, text, ok := systemExit(err); ok {
		return code, text
	}
	return exitFailure, plainError(err)
}

// systemExit returns what python would do at the end of a source that SystemExit has ended: with
// which code, and what it would print to stderr.
func systemExit(err error) (code int, text string, ok bool) {
	var remote *gatewaybase.RemoteError
	if !errors.As(err, &remote) || remote.Exception() != "SystemExit" {
		return 0, "", false
	}
	last := remote.Error()[max(0, strings.LastIndex(remote.Error(), "\nSystemExit")):]
	_, text, _ = strings.Cut(last, ": ")
	switch number, notNumber := strconv.ParseInt(text, 10, 64); {
	case text == "" || text == "None" || text == "False":
		return 0, "", true
	case text == "True":
		return 1, "", true
	case notNumber == nil:
		return int(number & 0xff), "", true
	}
	return 1, text, true
}
