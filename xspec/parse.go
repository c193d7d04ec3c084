package xspec

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Error is the error that [Parse] and [Spec.Validate] return for a specification that cannot be
// used. Use errors.As with an *Error.
type Error struct {
	// Spec is the whole text.
	Spec string
	// Key is the key at fault, empty if it is not a single key.
	Key string
	// Problem says what is wrong and what to write instead.
	Problem string
}

// Error returns the text, the key and what is wrong.
func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("execnet: spec %q: %s", e.Spec, e.Problem)
	}
	return fmt.Sprintf("execnet: spec %q: key %q: %s", e.Spec, e.Key, e.Problem)
}

// Parse reads a specification. Every error it returns is an [*Error]. It checks each key by itself;
// [Spec.Validate] checks whether the keys go together.
//
// As in execnet, a key may appear once, must not be empty and must not start with an underscore.
// Beyond execnet:
//
//   - the switches popen, self, tls and dont_write_bytecode may be written with a value: 1, true,
//     yes and on turn them on, and 0, false, no and off turn them off, in any case of letters. (To
//     Python every non-empty value is true, "false" too.)
//   - a known key that needs a value is refused without one or with an empty one; Python reads a
//     bare "python" as the value True and fails later. The exception is "socket", which stands
//     alone beside "installvia".
//   - nice, n and slurm must be integers, and the last two positive.
//   - a variable given twice with env: is refused as any other key is; Python lets the last one
//     win.
//   - a NUL character is refused, since no command line or environment can carry it.
//   - a % behind a key that has a text as its value, or behind "env", says that the value is
//     percent-encoded as in a URL: env%:PROXY=http:%2F%2Fproxy:3128 sets PROXY to
//     http://proxy:3128. So a value can contain "//". Python's execnet ignores such a key.
func Parse(text string) (*Spec, error) {
	s := &Spec{source: text}
	if text == "" {
		return nil, &Error{Problem: `it is empty; write for example "popen" or "ssh=host"`}
	}
	if strings.ContainsRune(text, 0) {
		return nil, &Error{Spec: text, Problem: "it contains a NUL character"}
	}
	seen := make(map[string]bool)
	for pair := range strings.SplitSeq(text, "//") {
		given, value, hasValue := strings.Cut(pair, "=")
		fail := func(format string, args ...any) (*Spec, error) {
			return nil, &Error{Spec: text, Key: given, Problem: fmt.Sprintf(format, args...)}
		}
		switch {
		case given == "" && hasValue:
			return fail(`a key is missing before "=%s"`, value)
		case given == "":
			return fail(`a key is missing: "//" separates pairs, so it cannot stand at the start or the end, twice in a row or inside a value; there, write it as %s`, escapeOf("KEY"))
		case given[0] == '_':
			return fail("a key cannot start with an underscore")
		}
		key, escaped := plainKey(given)
		if escaped {
			var err error
			if value, err = url.PathUnescape(value); err != nil || strings.ContainsRune(value, 0) {
				return fail(`its value must be percent-encoded, as in a URL: %%2F for "/" and %%25 for "%%"`)
			}
		}
		if seen[key] {
			return fail("it is given twice")
		}
		seen[key] = true
		if problem := s.set(key, value, hasValue); problem != "" {
			return fail("%s", problem)
		}
	}
	return s, nil
}

// set stores one pair. It returns what is wrong with the pair, or "".
func (s *Spec) set(key, value string, hasValue bool) (problem string) {
	if field, ok := boolKeys[key]; ok {
		on, ok := parseSwitch(value, hasValue)
		if !ok {
			return fmt.Sprintf(`it is either on or off, so %q cannot be its value; write %q alone, or %q`, value, key, key+"=false")
		}
		*field(s) = on
		return ""
	}
	if key == "socket" && !hasValue {
		s.bareSocket = true
		return ""
	}
	field, isString := stringKeys[key]
	number, isInt := intKeys[key]
	switch {
	case (isString || isInt) && value == "":
		return fmt.Sprintf(`it needs a value that is not empty and does not start with "//"; write "%s=%s", or leave the key out`, key, placeholders[key])
	case isString:
		*field(s) = value
	case isInt:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Sprintf(`%q is not an integer; write for example "%s=%s"`, value, key, placeholders[key])
		}
		if key != "nice" && n < 1 {
			return fmt.Sprintf(`it must be 1 or more, and is %d`, n)
		}
		*number(s) = n
	case key == "env" || key == "env%" || key == "env:":
		return `it needs a variable's name; write "env:NAME=value"`
	case strings.HasPrefix(key, "env:"):
		if !hasValue {
			return fmt.Sprintf(`it needs a value; write "%s=value", or "%s=" for an empty one`, key, key)
		}
		if s.Env == nil {
			s.Env = make(map[string]string)
		}
		s.Env[key[len("env:"):]] = value
	default:
		if s.Extra == nil {
			s.Extra = make(map[string]any)
		}
		if hasValue {
			s.Extra[key] = value
		} else {
			s.Extra[key] = true
		}
	}
	return ""
}

// placeholders are example values for messages.
var placeholders = map[string]string{
	"ssh": "user@host", "ssh_config": "FILE", "sshclient": "openssh", "vagrant_ssh": "NAME", "docker": "NAME", "podman": "NAME", "kubectl": "POD", "namespace": "NAME", "container": "NAME", "context": "NAME",
	"socket": "HOST:PORT", "tls_ca": "FILE", "tls_cert": "FILE", "tls_key": "FILE", "tls_name": "NAME",
	"via": "GATEWAY-ID", "installvia": "GATEWAY-ID", "python": "python3", "chdir": "FOLDER", "id": "NAME",
	"execmodel": "thread", "engine": "cpython", "preload": "numpy,pandas", "bootstrap": "import", "nice": "10",
	"launch": "mpirun -np 4", "n": "4", "listen": "ADDRESS", "advertise": "ADDRESS",
	"slurm": "4", "nodes": "2", "partition": "NAME", "time": "10:00", "gpus": "1", "account": "NAME", "srun": "--mem=2G",
}

func parseSwitch(value string, hasValue bool) (on, ok bool) {
	if !hasValue {
		return true, true
	}
	switch strings.ToLower(value) {
	case "1", "true", "yes", "on":
		return true, true
	case "0", "false", "no", "off":
		return false, true
	}
	return false, false
}
