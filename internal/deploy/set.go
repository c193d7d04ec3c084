package deploy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
)

// Set is one program in its builds for several platforms.
type Set struct {
	name     string // its base name, plain
	beside   string // the path that the names of further builds begin with
	mainPath string // the path of its main package, "" if that is not known
	programs []*program
}

// registered are the folders of AddBuilds.
var registered struct {
	sync.Mutex
	builds []fs.FS
}

// AddBuilds says that fsys has builds of this program: files whose names end in -GOOS-GOARCH.
func AddBuilds(fsys fs.FS) {
	registered.Lock()
	defer registered.Unlock()
	registered.builds = append(registered.builds, fsys)
}

// Self returns this program (see [cmdline.SelfFile]), with the builds of AddBuilds and the files
// PROGRAM-GOOS-GOARCH beside it.
func Self() (*Set, error) {
	own, err := ownProgram()
	if err != nil {
		return nil, err
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := newSet(strings.TrimSuffix(path, " (deleted)"), own)
	registered.Lock()
	builds := slices.Clone(registered.builds)
	registered.Unlock()
	for _, fsys := range builds {
		if err := s.addFolder(fsys); err != nil {
			return nil, err
		}
	}
	return s, s.addBeside()
}

// ownProgram is this program's own file, which is read once.
var ownProgram = sync.OnceValues(func() (*program, error) {
	path, err := cmdline.SelfFile()
	if err != nil {
		return nil, err
	}
	return newProgram(path, here, func() (io.ReadCloser, error) { return os.Open(path) })
})

// File returns the program in a file, with the files PATH-GOOS-GOARCH beside it.
func File(path string) (*Set, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, errtext.Wrap("deploying", err)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("execnet: deploying: %s is no file", path)
	}
	p, err := cached(path, Platform{}, func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		return nil, err
	}
	s := newSet(path, p)
	s.mainPath = ""
	return s, s.addBeside()
}

func newSet(path string, own *program) *Set {
	base := strings.TrimSuffix(path, ".exe")
	s := &Set{name: plainName(filepath.Base(base)), beside: base, programs: []*program{own}}
	if info, ok := debug.ReadBuildInfo(); ok {
		s.mainPath = info.Path
	}
	return s
}

// addBeside adds the files with the program's name and a platform's.
func (s *Set) addBeside() error {
	if s.programs[0].platform == (Platform{}) {
		return nil // a script runs everywhere
	}
	for _, platform := range platforms() {
		path := s.beside + platform.suffix()
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := s.add(path, platform, func() (io.ReadCloser, error) { return os.Open(path) }); err != nil {
			return err
		}
	}
	return nil
}

// addFolder adds the files of a folder whose names end in that of a platform.
func (s *Set) addFolder(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return errtext.Wrap("reading the builds of this program", err)
		}
		for _, platform := range platforms() {
			if entry.IsDir() || !strings.HasSuffix("-"+path.Base(name), platform.suffix()) {
				continue
			}
			err := s.add(name, platform, func() (io.ReadCloser, error) { return fsys.Open(name) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// add adds a build, unless there is one for the platform.
func (s *Set) add(from string, platform Platform, open func() (io.ReadCloser, error)) error {
	if slices.ContainsFunc(s.programs, func(p *program) bool { return p.platform == platform }) {
		return nil
	}
	p, err := cached(from, platform, open)
	if err != nil {
		return err
	}
	s.programs = append(s.programs, p)
	return nil
}

// cached is newProgram, which reads a file of the same name and time once.
func cached(from string, platform Platform, open func() (io.ReadCloser, error)) (*program, error) {
	file, err := open()
	if err != nil {
		return nil, errtext.Wrap("reading "+from, err)
	}
	defer file.Close()
	statter, ok := file.(fs.File)
	if !ok {
		return newProgram(from, platform, open)
	}
	info, err := statter.Stat()
	if err != nil {
		return nil, errtext.Wrap("reading "+from, err)
	}
	key := fmt.Sprint(from, platform, info.Size(), info.ModTime().UnixNano())
	once, _ := builds.LoadOrStore(key, sync.OnceValues(func() (*program, error) { return newProgram(from, platform, open) }))
	return once.(func() (*program, error))()
}

// builds are the builds that have been read: functions of sync.OnceValues, by name and time.
var builds sync.Map

// find returns the build for what "uname -s -m" says.
func (s *Set) find(host, uname string) (*program, error) {
	platform, known := platformNamed(uname)
	for _, p := range s.programs {
		if known && p.platform == platform || p.platform == (Platform{}) {
			return p, nil
		}
	}
	var have []string
	for _, p := range s.programs {
		have = append(have, p.platform.String())
	}
	problem := fmt.Sprintf("it is %q there, and %s is built for %s", uname, s.name, strings.Join(have, ", "))
	if !known {
		return nil, &Error{Host: host, Problem: problem + "; Go has no name for that system and processor, or it has no POSIX shell"}
	}
	build := s.beside + platform.suffix()
	return nil, &Error{Host: host, Err: errNoBuild, Problem: fmt.Sprintf("%s; there is no %s: make it by GOOS=%s GOARCH=%s CGO_ENABLED=0 go build -o %s %s%s",
		problem, build, platform.OS, platform.Arch, build, s.mainPath, s.alsoBuilds())}
}

// alsoBuilds tells of package worker's Builds, which is for this program only.
func (s *Set) alsoBuilds() string {
	if s.mainPath == "" {
		return "(its package)"
	}
	return ", or give it to worker.Builds"
}

// errNoBuild is the cause of an Error for a platform without a build.
var errNoBuild = errors.New("no build for that platform")
