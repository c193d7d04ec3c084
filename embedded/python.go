//go:build (linux && (amd64 || arm64)) || (darwin && (amd64 || arm64)) || (windows && amd64)

package embedded

import (
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	_ "unsafe" // for go:linkname

	_ "github.com/kluctl/go-embed-python/python" // holds the files
	"golang.org/x/sync/errgroup"

	"github.com/go-execnet/execnet/embedded/internal/tree"
)

// files is the library's file system with this platform's CPython. The library exports only a
// function that unpacks it, which follows each link with a copy of the 29 MB that it points to, and
// takes a half file that a killed process has left for a whole one if the size is right.
//
//go:linkname files github.com/kluctl/go-embed-python/python/internal/data.Data
var files fs.FS

// licence is CPython's. The library leaves it out for Windows.
//
//go:embed LICENSE.python.txt
var licence string

// file is one entry of the list files.json in that file system.
type file struct {
	Name       string      `json:"name"` // with slashes
	Size       int64       `json:"size"`
	Mode       fs.FileMode `json:"perm"`
	Symlink    string      `json:"symlink"`
	Compressed bool        `json:"compressed"` // stored with .gz behind its name
}

// unpackPython returns the folder of the interpreter.
func unpackPython() (home string, err error) {
	if err := checkSystem(); err != nil {
		return "", err
	}
	if files == nil {
		return "", errors.New("execnet: the release of github.com/kluctl/go-embed-python in this program does not have its files where they are looked for")
	}
	list, err := fs.ReadFile(files, "files.json")
	if err != nil {
		return "", fmt.Errorf("execnet: the Python inside this program has no list of its files: %w", err)
	}
	// The list has a hash of what the files contain.
	sum := sha256.Sum256(slices.Concat(list, []byte(licence)))
	return tree.Folder("python-"+shortHash(sum), func(to *tree.Filling) error {
		var all struct {
			Files []file `json:"files"`
		}
		if err := json.Unmarshal(list, &all); err != nil {
			return fmt.Errorf("execnet: the list of files of the Python inside this program cannot be read: %w", err)
		}
		var writers errgroup.Group
		// A writer waits for the disk most of the time.
		writers.SetLimit(4 * runtime.GOMAXPROCS(0))
		writers.Go(func() error { return to.Write("LICENSE.txt", 0o644, strings.NewReader(licence)) })
		for _, f := range all.Files {
			writers.Go(func() error { return f.write(to) })
		}
		return writers.Wait()
	})
}

// write writes one file.
func (f file) write(to *tree.Filling) error {
	switch {
	case f.Mode.IsDir():
		return nil // it is made for the first file in it
	case f.Mode.Type() == fs.ModeSymlink:
		return to.Link(f.Name, f.Symlink)
	case !f.Mode.IsRegular():
		return fmt.Errorf("execnet: %s in the Python inside this program is no file", f.Name)
	}
	content, err := f.open()
	if err != nil {
		return f.damaged(err)
	}
	defer content.Close()
	counted := &counter{Reader: content}
	if f.Compressed {
		unzipped, err := gzip.NewReader(content) // checks the CRC-32, too
		if err != nil {
			return f.damaged(err)
		}
		counted.Reader = unzipped
	}
	err = to.Write(f.Name, f.Mode.Perm()&^0o022, counted)
	if err == nil && counted.n != f.Size {
		err = f.damaged(fmt.Errorf("it has %d bytes, not %d", counted.n, f.Size))
	}
	return err
}

// open opens the file as it is stored.
func (f file) open() (fs.File, error) {
	if f.Compressed {
		return files.Open(f.Name + ".gz")
	}
	return files.Open(f.Name)
}

func (f file) damaged(err error) error {
	return fmt.Errorf("execnet: %s in the Python inside this program is damaged: %w", f.Name, err)
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}
