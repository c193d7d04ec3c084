package cmdline

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

var (
	// interpreterWord matches a word with which a launcher's own options have ended.
	interpreterWord = regexp.MustCompile(`(?i)^(python|pypy|execnet|uv|env|sh|bash)[0-9.]*(\.exe)?$`)
	// inputOption matches the options of docker, podman and kubectl that keep stdin open.
	inputOption = regexp.MustCompile(`^(-[a-zA-Z]*i[a-zA-Z]*|--interactive|--interactive=true|--stdin|--stdin=true)$`)
	// tasksOption matches srun's options that say how many tasks it starts, or on how many nodes.
	tasksOption = regexp.MustCompile(`^(-n|--ntasks|-N|--nodes)=?([0-9]+)?(-[0-9]+)?$`)
)

// SeveralTasks says, if python= is an srun that starts several processes on one pipe, that this
// cannot work. Otherwise it returns "".
func SeveralTasks(spec *xspec.Spec) string {
	name, options := launcher(spec)
	if name != "srun" {
		return ""
	}
	for i, word := range options {
		found := tasksOption.FindStringSubmatch(word)
		if found == nil {
			continue
		}
		number := found[2]
		if number == "" && i+1 < len(options) {
			number, _, _ = strings.Cut(options[i+1], "-") // --nodes has a range
		}
		if n, err := strconv.Atoi(number); err == nil && n > 1 {
			return fmt.Sprintf("srun starts %d processes on one pipe (%s), and a gateway is one: write launch=srun ...//n=%[1]d, or srun -u -n1 and a spec for each", n, found[1])
		}
	}
	return ""
}

// Hint guesses from python= why a far end gives no answer, or, if ended is set, why it has ended
// without one. It returns "" if it knows nothing.
func Hint(spec *xspec.Spec, ended bool) string {
	if text := SeveralTasks(spec); text != "" {
		return text
	}
	name, options := launcher(spec)
	switch {
	case name == "srun" && !ended:
		if !slices.ContainsFunc(options, func(word string) bool { return strings.HasPrefix(word, "-u") || word == "--unbuffered" }) {
			return "does the launcher hold lines back? srun needs -u"
		}
	case name != "srun" && name != "" && !slices.ContainsFunc(options, inputOption.MatchString):
		return name + " without -i gives no input"
	}
	return ""
}

// launcher finds the first word of python= that is srun or "docker exec" and the like, and returns
// its name and the words between it and the interpreter.
func launcher(spec *xspec.Spec) (name string, options []string) {
	if spec.Launches() {
		return "", nil // there stdin and stdout do not matter
	}
	command := spec.Python
	if command == "" && spec.Local() && !spec.Self {
		command = os.Getenv("EXECNET_PYTHON")
	}
	words, err := SplitPython(command)
	if err != nil {
		return "", nil
	}
	for i, word := range words {
		options = words[i+1:]
		switch base := path.Base(word); base {
		case "srun":
			name = base
		case "docker", "podman", "kubectl":
			verb := slices.IndexFunc(options, func(word string) bool { return word == "exec" || word == "run" })
			if verb < 0 || slices.Contains(options[:verb], "compose") {
				continue // docker compose exec needs no -i
			}
			name, options = base+" "+options[verb], options[verb+1:]
		default:
			continue
		}
		if end := slices.IndexFunc(options, func(word string) bool { return interpreterWord.MatchString(path.Base(word)) }); end >= 0 {
			options = options[:end]
		}
		return name, options
	}
	return "", nil
}
