// Package wheel unpacks Python's binary distribution format. See
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
package wheel

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Wheel is an open wheel.
type Wheel struct {
	name string // of the file, without folders
	file fs.File
	zip  *zip.Reader
}

// Layout says where an environment has what, as names with slashes below its folder.
type Layout struct {
	Packages string // modules and packages
	Programs string
	Headers  string
	Python   string // the interpreter's path, for the first line of programs
}

// Open opens a wheel of a file system.
func Open(fsys fs.FS, name string) (*Wheel, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	w := &Wheel{name: path.Base(name), file: file}
	if err := w.open(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return w, nil
}

func (w *Wheel) open() error {
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	content, ok := w.file.(io.ReaderAt)
	if !ok {
		all, err := io.ReadAll(w.file)
		if err != nil {
			return err
		}
		content = bytes.NewReader(all)
	}
	w.zip, err = zip.NewReader(content, info.Size())
	return err
}

// Close closes the file.
func (w *Wheel) Close() { w.file.Close() }

// Describe writes the name of the wheel and the names, sizes and checksums of its files, which are
// a list in it: nothing is unpacked for that.
func (w *Wheel) Describe(to io.Writer) {
	fmt.Fprintf(to, "%q\n", w.name)
	for _, f := range w.zip.File {
		fmt.Fprintf(to, "%q %d %08x %o\n", f.Name, f.UncompressedSize64, f.CRC32, f.Mode())
	}
}

// Unpack has write write all files, each by its name in the environment.
func (w *Wheel) Unpack(layout Layout, write func(name string, mode fs.FileMode, content io.Reader) error) error {
	for _, f := range w.zip.File {
		if strings.HasSuffix(f.Name, "/") {
			continue // a folder is made for the first file in it
		}
		if err := unpack(f, layout, write); err != nil {
			return fmt.Errorf("execnet: %s in %s: %w", f.Name, w.name, err)
		}
	}
	return nil
}

func unpack(f *zip.File, layout Layout, write func(name string, mode fs.FileMode, content io.Reader) error) error {
	if !f.Mode().IsRegular() {
		return fmt.Errorf("it is neither a file nor a folder")
	}
	if !fs.ValidPath(f.Name) {
		return fmt.Errorf("the name leads out of the wheel")
	}
	name, program, err := layout.place(f.Name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if program || f.Mode()&0o100 != 0 {
		mode = 0o755
	}
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	if program {
		return write(name, mode, withInterpreter(content, layout.Python))
	}
	return write(name, mode, content)
}

// place is where a file of a wheel belongs, and whether it is a program. Files in the folder
// NAME-VERSION.data/KIND do not belong to the packages, or are there for no other reason than that
// the wheel has two kinds of them.
func (l Layout) place(name string) (placed string, program bool, err error) {
	top, rest, inFolder := strings.Cut(name, "/")
	distribution, isData := strings.CutSuffix(top, ".data")
	if !inFolder || !isData || strings.Count(distribution, "-") != 1 {
		return path.Join(l.Packages, name), false, nil
	}
	kind, rest, _ := strings.Cut(rest, "/")
	switch kind {
	case "purelib", "platlib":
		return path.Join(l.Packages, rest), false, nil
	case "scripts":
		return path.Join(l.Programs, rest), true, nil
	case "headers":
		distribution, _, _ = strings.Cut(distribution, "-")
		return path.Join(l.Headers, distribution, rest), false, nil
	case "data":
		return rest, false, nil
	}
	return "", false, fmt.Errorf("there is no kind of data called %q", kind)
}

// withInterpreter is a program whose first line names the interpreter, if it was "#!python".
func withInterpreter(program io.Reader, python string) io.Reader {
	const mark = "#!python"
	start := make([]byte, len(mark))
	n, _ := io.ReadFull(program, start) // an error comes again below
	if string(start[:n]) == mark {
		return io.MultiReader(strings.NewReader("#!"+python), program)
	}
	return io.MultiReader(bytes.NewReader(start[:n]), program)
}
