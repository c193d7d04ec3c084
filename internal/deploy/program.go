package deploy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"weak"

	"github.com/go-execnet/execnet/internal/errtext"
)

// program is a program file.
type program struct {
	from     string // where the file is, for errors
	platform Platform
	size     int64
	sum      string // its SHA-256, in hexadecimal digits
	open     func() (io.ReadCloser, error)

	packingMu sync.Mutex            // guards packed
	packed    weak.Pointer[packing] // what is compressed of it, as long as it is uploaded
}

// newProgram reads a program once. If platform is not known, the program's header says it; else it
// must not say something else.
func newProgram(from string, platform Platform, open func() (io.ReadCloser, error)) (*program, error) {
	fail := func(err error) (*program, error) { return nil, errtext.Wrap("reading "+from, err) }
	file, err := open()
	if err != nil {
		return fail(err)
	}
	defer file.Close()
	header := make([]byte, 20)
	n, err := io.ReadFull(file, header)
	if n == 0 {
		return fail(errors.Join(errors.New("there is nothing in it"), err))
	}
	header = header[:n]
	switch says := platformOf(header); {
	case platform == (Platform{}):
		platform = says
	case !platform.fits(says):
		return nil, fmt.Errorf("execnet: %s is no program for %s but for %s", from, platform, says)
	}
	hash := sha256.New()
	size, err := io.Copy(hash, io.MultiReader(bytes.NewReader(header), file))
	if err != nil {
		return fail(err)
	}
	return &program{from: from, platform: platform, size: size, sum: hex.EncodeToString(hash.Sum(nil)), open: open}, nil
}

// fileName is the name of the program at the far end. The hash in it is that of the content, so
// that a file of this name can hold nothing else.
func (p *program) fileName(name string) string { return name + "-" + p.sum }

var odd = regexp.MustCompile(`[^A-Za-z0-9._]+`)

// plainName makes a name that every shell takes as it is, and that begins with a letter or digit.
func plainName(name string) string {
	name = odd.ReplaceAllString(name, "_")
	for len(name) > 0 && (name[0] == '.' || name[0] == '_') {
		name = name[1:]
	}
	if name == "" {
		return "program"
	}
	return name[:min(len(name), 40)]
}
