// Unpack puts the CPython inside package embedded where this repository's tests look for
// interpreters: unpack FOLDER makes FOLDER/3.14. If there is none for this system, it says so, and
// that is no failure: the tests do with the interpreters that are found.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	_ "github.com/go-execnet/execnet/embedded"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/xspec"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: unpack FOLDER")
		os.Exit(2)
	}
	if err := unpack(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "there is no embedded CPython for the tests:", err)
	}
}

// program prints the version. It compiles the standard library, because where
// PYTHONDONTWRITEBYTECODE is set each start would compile what it imports.
const program = `
import compileall, os, sys
compileall.compile_dir(os.path.dirname(os.__file__), quiet=2)
print("%d.%d" % sys.version_info[:2])
`

// unpack replaces the folder.
func unpack(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	// What the place of the user's cache folder depends on.
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"} {
		if err := os.Setenv(name, folder); err != nil {
			return err
		}
	}
	spec, err := xspec.Parse("popen//python=" + cmdline.Embedded)
	if err != nil {
		return err
	}
	argv, _, err := cmdline.Python(spec)
	if err != nil {
		return err
	}
	version, err := exec.Command(argv[0], "-c", program).Output()
	if err != nil {
		return err
	}
	home := filepath.Dir(argv[0])
	if filepath.Base(home) == "bin" {
		home = filepath.Dir(home)
	}
	if home, err = filepath.Rel(folder, home); err != nil {
		return err
	}
	return os.Symlink(home, filepath.Join(folder, strings.TrimSpace(string(version))))
}
