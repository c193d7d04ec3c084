package importfs

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/serializer"
)

// The bounds of an answer.
const (
	longestPath = 4096
	largestFile = 64 << 20 // bytes
	mostAlong   = 4 << 20  // bytes of modules that a module imports
	// mostBeside is how many bytes of modules go along because others of their folder were asked
	// for.
	mostBeside = 512 << 10
	// worthwhile is from how many bytes on an answer is compressed.
	worthwhile = 512
)

// server answers one far end. Its fields belong to the goroutine that runs serve.
type server struct {
	gw       *gatewaybase.Gateway
	fsys     fs.FS
	python2  bool
	compress bool

	sent   map[string][sha256.Size]byte // what the far end has of modules; zero is not known
	listed map[string]bool              // the folders whose names it has
	asked  map[string]int               // how many modules it has asked for, by folder
}

// begin takes the answer of the finder's install.
func (s *server) begin(item any) (control *gatewaybase.Channel, ok bool) {
	answer, ok := item.(serializer.Tuple)
	if !ok || len(answer) != 4 {
		return nil, false
	}
	control, ok1 := answer[0].(*gatewaybase.Channel)
	version, ok2 := answer[1].(int64)
	hasZlib, ok3 := answer[2].(bool)
	known, ok4 := answer[3].([]any)
	for _, name := range known {
		if name, ok := text(name); ok {
			s.sent[name] = [sha256.Size]byte{}
		}
	}
	s.python2 = version == 2
	// A pipe on this machine is faster than zlib.
	s.compress = hasZlib && !s.gw.Spec().Local()
	return control, ok1 && ok2 && ok3 && ok4
}

// text is a str of the far end, which arrives as bytes if the user has configured the gateway so.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// serve answers a question. It is the callback of the channel control, and so called for one at a
// time. What does not begin with a channel is left without an answer: there is no way for it.
func (s *server) serve(item any) error {
	question, _ := item.(serializer.Tuple)
	if len(question) == 0 {
		return nil
	}
	reply, ok := question[0].(*gatewaybase.Channel)
	if !ok {
		return nil
	}
	defer reply.Close() // nobody there waits longer than this function runs
	a := &answer{problem: fmt.Sprintf("a question of %d parts is none", len(question))}
	if len(question) == 3 {
		kind, ok1 := text(question[1])
		name, ok2 := text(question[2])
		a.problem = fmt.Sprintf("there is no question (%s, %s)", serializer.Repr(question[1]), serializer.Repr(question[2]))
		if ok1 && ok2 {
			a = s.answer(kind, name)
		}
	}
	// If the far end is gone nobody misses the answer.
	_ = reply.Send(context.Background(), a.tuple(s.compress))
	return nil
}

// answer is what goes back to the far end.
type answer struct {
	missing bool   // there is no such file or folder
	problem string // why it cannot be read otherwise
	folders []serializer.Tuple
	files   []serializer.Tuple
	content []byte // of the files, in their order
}

func (a *answer) tuple(compress bool) serializer.Tuple {
	content, compressed := a.content, false
	if compress && len(content) >= worthwhile {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, err := z.Write(content)
		if err == nil && z.Close() == nil && b.Len() < len(content) {
			content, compressed = b.Bytes(), true
		}
	}
	return serializer.Tuple{a.missing, a.problem, a.folders, a.files, compressed, content}
}

func (a *answer) fail(err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		a.missing = true
		return
	}
	a.problem = errtext.Of(err)
}

func (a *answer) addFile(name string, data []byte) {
	a.files = append(a.files, serializer.Tuple{name, len(data)})
	a.content = append(a.content, data...)
}

// answer reads what the far end asks for. Names are those of fs.FS, so nothing above its root can
// be asked for; the far end calls the root "".
func (s *server) answer(kind, name string) (a *answer) {
	defer func() {
		if p := recover(); p != nil {
			a = &answer{problem: fmt.Sprintf("panic in the fs.FS: %v", p)}
			clear(s.sent) // the answer that was begun does not go there
			clear(s.listed)
		}
	}()
	a = &answer{}
	if len(name) > longestPath {
		a.missing = true
		return a
	}
	switch kind {
	case "folder":
		if err := s.addFolder(a, path.Clean(name)); err != nil {
			a.fail(err)
		}
	case "data":
		data, err := s.read(name)
		if err != nil {
			a.fail(err)
			return a
		}
		a.addFile(name, data)
	case "module", "again":
		data, err := s.read(name)
		if err != nil {
			a.fail(err)
			return a
		}
		sum := sha256.Sum256(data)
		if before, ok := s.sent[name]; kind == "again" && ok && before == sum {
			return a
		}
		s.sent[name] = sum
		a.addFile(name, data)
		s.addAlong(a, name, data)
	default:
		a.problem = fmt.Sprintf("there is no question %q", kind)
	}
	return a
}

// read reads a file, whose size is bounded.
func (s *server) read(name string) ([]byte, error) {
	file, err := s.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(data) > largestFile {
		err = fmt.Errorf("%s has more than %d bytes", name, largestFile)
	}
	return data, err
}

// addFolder adds the names in a folder.
func (s *server) addFolder(a *answer, folder string) error {
	names, err := list(s.fsys, folder)
	if err != nil {
		return err
	}
	s.listed[folder] = true
	a.folders = append(a.folders, serializer.Tuple{farName(folder), names})
	return nil
}

// farName is the name of a folder at the far end, where the root is "".
func farName(folder string) string {
	if folder == "." {
		return ""
	}
	return folder
}
