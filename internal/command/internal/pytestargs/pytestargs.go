// Package pytestargs separates the arguments of "execnet pytest" from those that are pytest's, and
// finds among the latter what the command has to know before pytest has read them.
package pytestargs

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Split separates the options that flags define from everything else, in which order they ever
// stand. What follows "--" is pytest's. So is the value of one of pytest's options that are one
// letter, such as the -x of "-k -x".
func Split(args []string, flags *pflag.FlagSet) (ours, rest []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch flag, valued := lookUp(arg, flags); {
		case arg == "--":
			return ours, append(rest, args[i+1:]...)
		case flag == nil:
			rest = append(rest, arg)
			if valueFollows.MatchString(arg) && i+1 < len(args) {
				i++
				rest = append(rest, args[i])
			}
		default:
			ours = append(ours, arg)
			if !valued && flag.NoOptDefVal == "" && i+1 < len(args) {
				i++
				ours = append(ours, args[i])
			}
		}
	}
	return ours, rest
}

// valueFollows matches an option of pytest whose value is the next argument: one letter, maybe
// behind others that have no values, as in "-vk".
var valueFollows = regexp.MustCompile(`^-[hlqsvxV]*[kmpcoWr]$`)

// lookUp returns the flag that an argument is for, or nil, and whether it contains the value, too.
func lookUp(arg string, flags *pflag.FlagSet) (flag *pflag.Flag, valued bool) {
	if name, ok := strings.CutPrefix(arg, "--"); ok {
		name, _, valued = strings.Cut(name, "=")
		return flags.Lookup(name), valued
	}
	if len(arg) < 2 || arg[0] != '-' {
		return nil, false
	}
	return flags.ShorthandLookup(arg[1:2]), len(arg) > 2
}

// optionsOf are the arguments that can be options: those before a "--".
func optionsOf(args []string) []string {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i]
	}
	return args
}

// Has reports whether one of the options is among the arguments, maybe with a value behind "=".
func Has(args []string, options ...string) bool {
	return slices.ContainsFunc(optionsOf(args), func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return slices.Contains(options, name)
	})
}

// Value returns the value of the last of the options, and whether there is one.
func Value(args []string, options ...string) (value string, ok bool) {
	args = optionsOf(args)
	for i, arg := range args {
		name, behind, has := strings.Cut(arg, "=")
		switch {
		case !slices.Contains(options, name):
		case has:
			value, ok = behind, true
		case i+1 < len(args):
			value, ok = args[i+1], true
		}
	}
	return value, ok
}
