package cmdline

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

// Environ returns the environment for a process on this machine: base, with the spec's env on top.
// A nil base is this process's own, for os/exec too.
func Environ(base []string, env map[string]string) []string {
	if len(env) == 0 {
		return base
	}
	all := slices.Clone(base)
	if base == nil {
		all = os.Environ()
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, name+"="+env[name])
	}
	return all
}

// early matches the names of variables that a program reads only when it starts: those of Python,
// of the dynamic linker, of the C library and of Go. PATH is none: the interpreter is found without
// it on this machine, too.
var early = regexp.MustCompile(`^((PYTHON|LD_|DYLD_|LC_|MALLOC_)[A-Za-z0-9_]*|LANG|LANGUAGE|TZ|GODEBUG|GOGC|GOMAXPROCS|GOMEMLIMIT|GOTRACEBACK)$`)

// plain matches a value that every shell leaves as it is.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:,+@%=-]*$`)

// withEnv returns words to put before a command that an ssh host's shell gets, so that the command
// has those variables of spec's env that it reads when it starts. The worker sets all of env when
// it has started, so that secrets do not stand in the host's list of processes.
//
// Values that no shell changes are given to env(1). For others sh prints the values from octal
// numbers: nothing in that script means anything to csh or fish within single quotes. (The x keeps
// line ends at the end of a value, which $() drops.)
func withEnv(spec *xspec.Spec) []string {
	names := earlyNames(spec)
	if len(names) == 0 {
		return nil
	}
	words := []string{"env"}
	var script strings.Builder
	script.WriteString("sh -c '")
	for _, name := range names {
		words = append(words, name+"="+spec.Env[name])
		fmt.Fprintf(&script, `%s=$(printf %%b "%sx"); %[1]s=${%[1]s%%x}; export %[1]s; `, name, octal(spec.Env[name]))
	}
	script.WriteString(`exec "$@"' sh`)
	if slices.ContainsFunc(names, func(name string) bool { return !plain.MatchString(spec.Env[name]) }) {
		return []string{script.String()}
	}
	return words
}

// earlyNames are the names of those variables of spec's env that early matches.
func earlyNames(spec *xspec.Spec) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(spec.Env)), func(name string) bool { return !early.MatchString(name) })
}

// octal writes the bytes of value that a shell might change as printf's %b reads them.
func octal(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		if plain.MatchString(string(rune(c))) && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\0%03o`, c)
		}
	}
	return b.String()
}

var envScript = regexp.MustCompile(`sh -c '([A-Za-z0-9_]+=\$\(printf %b "[A-Za-z0-9_./:,+@=\\-]*x"\); [A-Za-z0-9_]+=\$\{[A-Za-z0-9_]+%x\}; export [A-Za-z0-9_]+; )+exec "\$@"' sh `)

// CutEnv returns the command line of Remote without the script that gives the command its
// variables, if there is one. (What env(1) gets are words like others.)
func CutEnv(command string) string {
	if at := envScript.FindStringIndex(command); at != nil {
		return command[:at[0]] + command[at[1]:]
	}
	return command
}
