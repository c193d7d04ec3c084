package server

import (
	"fmt"
	"strings"

	shellquote "github.com/kballard/go-shellquote"

	"github.com/go-execnet/execnet/internal/cmdline"
)

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
