package tree

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/pycache"
)

// list is the file in a folder that tells how many files the folder has, and names them with their
// sizes. It is written last.
const list = ".files"

// Filling is a folder that is being filled. Its methods may be called by several goroutines.
type Filling struct {
	Dir  string // the path that the folder will have
	root *os.Root

	mu    sync.Mutex // guards files
	files []string   // the lines of list but the first
}

// filled fills a new folder that will be called dir.
func filled(temporary, dir string, fill func(*Filling) error) error {
	root, err := os.OpenRoot(temporary)
	if err != nil {
		return err
	}
	defer root.Close()
	f := &Filling{Dir: dir, root: root}
	if err := fill(f); err != nil {
		// A file that is there already is no matter of the disk: it is written twice.
		if disk := new(fs.PathError); errors.As(err, &disk) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return &fillError{err}
	}
	_, err = f.write(list, 0o600, strings.NewReader(fmt.Sprintf("%d files\n%s", len(f.files), strings.Join(f.files, ""))))
	return err
}

// fillError is an error that has nothing to do with where the folder is.
type fillError struct{ error }

// Write writes a file, and makes the folders above it. When it returns the content is on the disk.
// name has slashes; one that leads out of the folder, or that was written before, is an error.
func (f *Filling) Write(name string, mode fs.FileMode, content io.Reader) error {
	size, err := f.write(name, mode, content)
	if err != nil {
		return err
	}
	return f.note(name, size)
}

// Link makes a symbolic link, and the folders above it.
func (f *Filling) Link(name, target string) error {
	if err := f.above(name); err != nil {
		return err
	}
	if err := f.root.Symlink(filepath.FromSlash(target), filepath.FromSlash(name)); err != nil {
		return err
	}
	return f.note(name, int64(len(target)))
}

func (f *Filling) above(name string) error {
	if !fs.ValidPath(name) {
		return fmt.Errorf("execnet: %q is no name of a file in a folder", name)
	}
	return f.root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o700)
}

// note adds a line to list.
func (f *Filling) note(name string, size int64) error {
	if strings.ContainsAny(name, "\n\r") {
		return fmt.Errorf("execnet: the name %q has a line end", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = append(f.files, fmt.Sprintf("%d %s\n", size, name))
	return nil
}

// write writes a file and returns its size.
func (f *Filling) write(name string, mode fs.FileMode, content io.Reader) (size int64, err error) {
	if err := f.above(name); err != nil {
		return 0, err
	}
	file, err := f.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(file, content)
	if err == nil {
		err = store(file)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return size, err
}

// complete reports whether a folder is there, is this user's alone, and has all its files.
func complete(dir string) bool {
	if pycache.Check(dir) != nil {
		return false
	}
	file, err := os.Open(filepath.Join(dir, list))
	if err != nil {
		return false
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	missing, err := strconv.Atoi(strings.TrimSuffix(lines.Text(), " files"))
	if err != nil {
		return false
	}
	for lines.Scan() {
		size, name, _ := strings.Cut(lines.Text(), " ")
		want, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return false
		}
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || info.Size() != want {
			return false
		}
		missing--
	}
	return lines.Err() == nil && missing == 0
}
