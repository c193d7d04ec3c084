package source

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// Entry is a file, directory or link of the tree as it was when it was looked at.
type Entry struct {
	Name   string
	Kind   byte   // wire.KindFile and so on
	Mode   uint32 // st_mode
	MTime  int64  // nanoseconds since 1970
	Size   int64  // of a file
	Target string // of a link
}

// IsLink reports whether the entry is a link of either kind.
func (e *Entry) IsLink() bool { return e.Kind == wire.KindLink || e.Kind == wire.KindLinkBase }

// Top describes the top of the tree, whose name is empty.
func (t *Tree) Top() Entry { return describe(t.info, "") }

// describeAll looks at a directory's entries, several at a time if there are many, and leaves out
// those that do not belong to the tree.
func (t *Tree) describeAll(dir string, entries []fs.DirEntry) []Entry {
	all := make([]Entry, len(entries))
	workers := min(runtime.GOMAXPROCS(0), 8, (len(entries)+127)/128)
	var looking sync.WaitGroup
	for w := range workers {
		part := func() {
			for i := len(entries) * w / workers; i < len(entries)*(w+1)/workers; i++ {
				all[i] = t.look(dir, entries[i])
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
	for _, e := range all {
		if e.Kind != 0 {
			kept = append(kept, e)
		}
	}
	return kept
}

// look describes one entry; its kind is 0 if it does not belong to the tree. One that is there but
// cannot be read is wire.KindOther: a target then keeps what it has of that name.
func (t *Tree) look(dir string, entry fs.DirEntry) Entry {
	path := paths.Join(dir, entry.Name())
	if t.filter != nil && !t.filter(t.Full(path)) {
		return Entry{}
	}
	info, err := entry.Info()
	if err != nil {
		t.report.Unreadable(path, err)
		if errors.Is(err, fs.ErrNotExist) {
			return Entry{}
		}
		return Entry{Name: entry.Name(), Kind: wire.KindOther}
	}
	e := describe(info, entry.Name())
	switch e.Kind {
	case wire.KindLink:
		if e.Target, err = os.Readlink(t.Full(path)); err != nil {
			t.report.Unreadable(path, err)
			e.Kind = wire.KindOther
			break
		}
		if inside, ok := t.linkBase(e.Target); ok {
			e.Kind, e.Target = wire.KindLinkBase, inside
		}
	case wire.KindOther:
		t.report.Warn(path, "not sent: it is "+specialKind(info.Mode()))
	}
	return e
}

func describe(info fs.FileInfo, name string) Entry {
	e := Entry{Name: name, Mode: unixMode(info), MTime: wire.Nanoseconds(info.ModTime())}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		e.Kind, e.Size = wire.KindFile, info.Size()
	case mode.IsDir():
		e.Kind = wire.KindDir
	case mode&fs.ModeSymlink != 0:
		e.Kind = wire.KindLink
	default:
		e.Kind = wire.KindOther
	}
	return e
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
