package embedded

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-execnet/execnet/embedded/internal/tree"
	"github.com/go-execnet/execnet/embedded/internal/wheel"
)

// site is what Site was given, opened.
type site struct {
	wheels []*wheel.Wheel
	plain  []plainFile
	hash   string // of all of it
}

// plainFile is a file that is copied.
type plainFile struct {
	name    string
	content []byte
}

// readSite opens the wheels and reads the other files.
func readSite(all []fs.FS) (s *site, err error) {
	s = new(site)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	sum := sha256.New()
	for _, fsys := range all {
		err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if !strings.HasSuffix(name, ".whl") {
				content, err := fs.ReadFile(fsys, name)
				if err != nil {
					return err
				}
				s.plain = append(s.plain, plainFile{name, content})
				fmt.Fprintf(sum, "%q %d\n%s", name, len(content), content)
				return nil
			}
			w, err := wheel.Open(fsys, name)
			if err != nil {
				return err
			}
			s.wheels = append(s.wheels, w)
			w.Describe(sum)
			return nil
		})
		if err != nil {
			return s, fmt.Errorf("execnet: cannot read the packages for the Python inside this program: %w", err)
		}
	}
	s.hash = string(sum.Sum(nil))
	return s, nil
}

func (s *site) close() {
	for _, w := range s.wheels {
		w.Close()
	}
}

// environment returns the folder of a virtual environment of the interpreter in home with all that
// is in s.
func (s *site) environment(home string) (string, error) {
	layout, err := layoutOf(home)
	if err != nil {
		return "", err
	}
	for _, w := range s.wheels {
		if err := w.Check(layout.minor); err != nil {
			return "", err
		}
	}
	return tree.Folder("site-"+shortHash(sha256.Sum256([]byte(home+"\x00"+s.hash))), func(to *tree.Filling) error {
		// The version tells tools; the interpreter looks for home alone.
		settings := fmt.Sprintf("home = %s\ninclude-system-site-packages = false\nversion = 3.%d\n", layout.programs, layout.minor)
		err := errors.Join(to.Write("pyvenv.cfg", 0o644, strings.NewReader(settings)), linkPrograms(to, home))
		if err != nil {
			return err
		}
		for _, file := range s.plain {
			if err := to.Write(path.Join(layout.Packages, file.name), 0o644, strings.NewReader(string(file.content))); err != nil {
				return err
			}
		}
		layout.Python = programIn(to.Dir)
		for _, w := range s.wheels {
			if err := w.Unpack(layout.Layout, to.Write); err != nil {
				return err
			}
		}
		return nil
	})
}

// layout is where an environment has what.
type layout struct {
	wheel.Layout
	minor    int    // of its version
	programs string // the folder of the interpreter that the environment is one of
}

// minorOf is the second number of the version in a name: python3.14.
func minorOf(name string) (minor int, err error) {
	if _, err := fmt.Sscanf(filepath.Base(name), "python3.%d", &minor); err != nil {
		return 0, fmt.Errorf("execnet: the Python inside this program has no version that is known: %s", name)
	}
	return minor, nil
}
