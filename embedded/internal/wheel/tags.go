package wheel

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Check returns an error if the wheel is for another Python than CPython 3.MINOR, another system or
// another processor. It goes by the tags in the file's name, which may be several of each kind.
func (w *Wheel) Check(minor int) error {
	parts := strings.Split(strings.TrimSuffix(w.name, ".whl"), "-")
	if len(parts) < 5 {
		return fmt.Errorf("execnet: %s is no name of a wheel, which is NAME-VERSION-PYTHON-ABI-PLATFORM.whl", w.name)
	}
	tags := parts[len(parts)-3:]
	pythons, abis, platforms := strings.Split(tags[0], "."), strings.Split(tags[1], "."), strings.Split(tags[2], ".")
	fitsPython := slices.ContainsFunc(abis, func(abi string) bool {
		return slices.ContainsFunc(pythons, func(python string) bool { return pythonFits(python, abi, minor) })
	})
	if !fitsPython || !slices.ContainsFunc(platforms, func(p string) bool { return platformFits(p, runtime.GOOS, runtime.GOARCH) }) {
		return fmt.Errorf("execnet: %s is not for CPython 3.%d on %s %s", w.name, minor, runtime.GOOS, runtime.GOARCH)
	}
	return nil
}

// pythonFits tells whether CPython 3.MINOR can import what has these tags: for each Python 3 of at
// most this version if it is in Python, or keeps to the stable part of C's interface (abi3), else
// for this version alone.
func pythonFits(python, abi string, minor int) bool {
	if python == "py3" {
		return abi == "none"
	}
	name, version, ok := strings.Cut(python, "3")
	built, err := strconv.Atoi(version)
	switch {
	case !ok || err != nil || name != "py" && name != "cp":
		return false
	case abi == "none":
		return name == "py" && built <= minor || built == minor
	case abi == "abi3":
		return name == "cp" && built <= minor
	}
	return name == "cp" && built == minor && abi == fmt.Sprintf("cp3%d", minor)
}

// processors are the names that platform tags have for Go's.
var processors = map[string][]string{
	"linux/amd64":   {"x86_64"},
	"linux/arm64":   {"aarch64"},
	"darwin/amd64":  {"x86_64", "universal2", "intel"},
	"darwin/arm64":  {"arm64", "universal2"},
	"windows/amd64": {"amd64"},
}

// The interpreter for Linux needs the GNU C library, so what is for another one (musllinux) does
// not fit.
var platform = map[string]*regexp.Regexp{
	"linux":   regexp.MustCompile(`^(?:linux|manylinux(?:1|2010|2014|_\d+_\d+))_(.+)$`),
	"darwin":  regexp.MustCompile(`^macosx_\d+_\d+_(.+)$`),
	"windows": regexp.MustCompile(`^win_(.+)$`),
}

// platformFits tells whether a platform tag is for a system and processor. It does not compare the
// versions of systems and C libraries.
func platformFits(tag, goos, goarch string) bool {
	if tag == "any" {
		return true
	}
	pattern := platform[goos]
	if pattern == nil {
		return false
	}
	found := pattern.FindStringSubmatch(tag)
	return found != nil && slices.Contains(processors[goos+"/"+goarch], found[1])
}
