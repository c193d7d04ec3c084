package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/embedded/internal/tree"
	"github.com/go-execnet/execnet/embedded/internal/wheel"
)

// program is the interpreter in its folder.
func program(home string) string { return filepath.Join(home, "python.exe") }

// programIn is the interpreter of an environment.
func programIn(environment string) string { return filepath.Join(environment, "Scripts", "python.exe") }

// mayRun has nothing to check: a file system does not forbid it here.
func mayRun(string) error { return nil }

// linkPrograms puts the interpreter in home into an environment: copies of the programs and
// libraries that lie beside each other, as Python's own environments have links to all of them.
func linkPrograms(to *tree.Filling, home string) error {
	entries, err := os.ReadDir(home)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !slices.Contains([]string{".exe", ".dll"}, strings.ToLower(filepath.Ext(entry.Name()))) {
			continue
		}
		file, err := os.Open(filepath.Join(home, entry.Name()))
		if err != nil {
			return err
		}
		err = to.Write("Scripts/"+entry.Name(), 0o755, file)
		file.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// layoutOf is the layout of the environments of the interpreter in home.
func layoutOf(home string) (l layout, err error) {
	found, err := filepath.Glob(filepath.Join(home, "python3?*.dll"))
	if err != nil || len(found) != 1 {
		return l, fmt.Errorf("execnet: the Python inside this program has no library in %s", home)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), "python3"), ".dll")
	l.minor, err = minorOf("python3." + version)
	l.programs = home
	l.Layout = wheel.Layout{Packages: "Lib/site-packages", Programs: "Scripts", Headers: "Include"}
	return l, err
}
