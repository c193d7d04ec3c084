package rsync

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// found is an entry of the source as the walk saw it.
type found struct {
	name   string
	kind   byte
	mode   uint32
	mtime  int64 // nanoseconds since 1970
	size   int64
	target string // of a link
}

// block is a part of a directory's members, numbered from first on.
type block struct {
	dir        uint32
	path       string // of the directory, relative
	first      uint32
	members    []found
	last       bool
	incomplete bool
}

// walkChunk is how many members of a directory are dealt with at once.
const walkChunk = 1024

// walk hands out the tree: the root, then each directory's members after the directory itself was
// handed out. While one directory is handed out, the next ones are being read.
func (s *source) walk(ctx context.Context, emit func(block) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()

	if err := emit(block{dir: noEntry, members: []found{s.describe(s.info, "")}}); err != nil {
		return err
	}
	next := uint32(1)
	pending := []*listing{{path: ""}}
	for len(pending) > 0 {
		for _, l := range pending[max(0, len(pending)-readAhead):] {
			if l.blocks == nil {
				l.blocks = make(chan block, 1)
				reading.Go(func() { s.list(ctx, l) })
			}
		}
		l := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		var inside []*listing
		for b := range l.blocks {
			b.dir, b.path, b.first = l.entry, l.path, next
			if uint64(next)+uint64(len(b.members)) >= noEntry {
				return errors.New("execnet: rsync: more than 4294967294 entries")
			}
			next += uint32(len(b.members))
			if err := emit(b); err != nil {
				return err
			}
			for i, m := range b.members {
				if m.kind == kindDir {
					inside = append(inside, &listing{entry: b.first + uint32(i), path: join(l.path, m.name)})
				}
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i := len(inside) - 1; i >= 0; i-- {
			pending = append(pending, inside[i])
		}
	}
	return nil
}

// readAhead is how many directories are read at the same time.
const readAhead = 4

// listing is a directory whose members are to be handed out.
type listing struct {
	entry  uint32
	path   string
	blocks chan block // closed after the last; nil until somebody reads the directory
}

// list reads a directory, unless ctx ends first.
func (s *source) list(ctx context.Context, l *listing) {
	defer close(l.blocks)
	send := func(b block) bool {
		select {
		case l.blocks <- b:
			return true
		case <-ctx.Done():
			return false
		}
	}
	f, err := os.Open(s.full(l.path))
	if err != nil {
		s.report.unreadable(l.path, err)
		send(block{last: true, incomplete: true})
		return
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(walkChunk)
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		members := s.describeAll(l.path, entries)
		b := block{members: members, last: err != nil}
		if len(members) < len(entries) {
			// Some are not part of the tree; or they have vanished, and then perhaps not they
			// alone: the source may have been renamed or unmounted.
			b.incomplete = !s.stillThere(f, l.path)
		}
		if err != nil && err != io.EOF {
			s.report.unreadable(l.path, err)
			b.incomplete = true
		}
		if !send(b) || b.last {
			return
		}
	}
}

// stillThere reports whether a directory is where it was opened.
func (s *source) stillThere(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(s.full(path))
	return err == nil && os.SameFile(opened, there)
}

// describeAll looks at a directory's entries, several at a time if there are many, and leaves out
// those that do not belong to the tree.
func (s *source) describeAll(dir string, entries []fs.DirEntry) []found {
	all := make([]found, len(entries))
	workers := min(runtime.GOMAXPROCS(0), 8, (len(entries)+127)/128)
	var looking sync.WaitGroup
	for w := range workers {
		part := func() {
			for i := len(entries) * w / workers; i < len(entries)*(w+1)/workers; i++ {
				all[i] = s.look(dir, entries[i])
			}
		}
		if w == workers-1 {
			part()
		} else {
			looking.Go(part)
		}
	}
	looking.Wait()
	kept := all[:0]
	for _, m := range all {
		if m.kind != 0 {
			kept = append(kept, m)
		}
	}
	return kept
}

// look describes one entry; its kind is 0 if it is not part of the tree.
func (s *source) look(dir string, entry fs.DirEntry) found {
	relative := join(dir, entry.Name())
	if s.filter != nil && !s.filter(s.full(relative)) {
		return found{}
	}
	info, err := entry.Info()
	if err != nil {
		s.report.unreadable(relative, err)
		if errors.Is(err, fs.ErrNotExist) {
			return found{}
		}
		return found{name: entry.Name(), kind: kindOther}
	}
	m := s.describe(info, entry.Name())
	switch m.kind {
	case kindLink:
		if m.target, err = os.Readlink(s.full(relative)); err != nil {
			s.report.unreadable(relative, err)
			m.kind = kindOther
			break
		}
		if inside, ok := s.linkBase(m.target); ok {
			m.kind, m.target = kindLinkBase, inside
		}
	case kindOther:
		s.report.warn(FileError{Path: relative, Problem: "not sent: it is " + specialKind(info.Mode())})
	}
	return m
}

func (s *source) describe(info fs.FileInfo, name string) found {
	m := found{name: name, mode: unixMode(info), mtime: nanoseconds(info.ModTime())}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		m.kind, m.size = kindFile, info.Size()
	case mode.IsDir():
		m.kind = kindDir
	case mode&fs.ModeSymlink != 0:
		m.kind = kindLink
	default:
		m.kind = kindOther
	}
	return m
}

// nanoseconds are those since 1970. Times that 64 bits cannot hold, before 1678 and after 2262,
// become the first or the last that they can.
func nanoseconds(t time.Time) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	switch seconds := t.Unix(); {
	case seconds >= most:
		return math.MaxInt64
	case seconds <= -most:
		return math.MinInt64
	}
	return t.UnixNano()
}

func specialKind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	default:
		return "no file, directory or link"
	}
}

// linkBase tells whether an absolute link target lies inside the tree, and its path from the top,
// with slashes.
func (s *source) linkBase(target string) (inside string, ok bool) {
	if !filepath.IsAbs(target) {
		return "", false
	}
	top, err := filepath.Abs(s.path)
	if err != nil {
		return "", false
	}
	inside, err = filepath.Rel(top, target)
	if err != nil || inside == "." || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(inside), true
}
