package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// Block is a part of a directory's members. Walk numbers entries in the order in which it hands
// them out, the top being 0.
type Block struct {
	Dir        uint32 // the number of the directory; wire.NoEntry for the block that holds the top
	Path       string // of the directory
	Members    []Entry
	Last       bool // no more blocks of this directory follow
	Incomplete bool // not all members could be read
}

// membersPerBlock is how many members of a directory are read and described at once.
const membersPerBlock = 1024

// readAhead is how many directories are read at the same time.
const readAhead = 4

// listing is a directory whose members are to be handed out.
type listing struct {
	number uint32
	path   string
	blocks chan Block // closed after the last; nil until somebody reads the directory
}

// Walk hands out the tree: the top, then each directory's members after the directory itself was
// handed out. While one directory is handed out, the next ones are being read.
func (t *Tree) Walk(ctx context.Context, emit func(Block) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()

	if err := emit(Block{Dir: wire.NoEntry, Members: []Entry{t.Top()}}); err != nil {
		return err
	}
	next := uint32(1)
	pending := []*listing{{path: ""}} // a stack: the next one is the last
	for len(pending) > 0 {
		for _, l := range pending[max(0, len(pending)-readAhead):] {
			if l.blocks == nil {
				l.blocks = make(chan Block, 1)
				reading.Go(func() { t.read(ctx, l) })
			}
		}
		l := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		var inside []*listing
		for b := range l.blocks {
			b.Dir, b.Path = l.number, l.path
			first := next
			if uint64(next)+uint64(len(b.Members)) >= wire.NoEntry {
				return errors.New("execnet: rsync: more than 4294967294 entries")
			}
			next += uint32(len(b.Members))
			if err := emit(b); err != nil {
				return err
			}
			for i, m := range b.Members {
				if m.Kind == wire.KindDir {
					inside = append(inside, &listing{number: first + uint32(i), path: paths.Join(l.path, m.Name)})
				}
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		slices.Reverse(inside)
		pending = append(pending, inside...)
	}
	return nil
}

// read reads a directory into its channel, unless ctx ends first.
func (t *Tree) read(ctx context.Context, l *listing) {
	defer close(l.blocks)
	t.List(l.path, func(b Block) bool {
		select {
		case l.blocks <- b:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// List reads one directory and hands out its members, in blocks without Dir and Path. It returns
// early when emit reports false.
func (t *Tree) List(dir string, emit func(Block) bool) {
	f, err := os.Open(t.Full(dir))
	if err != nil {
		t.report.Unreadable(dir, err)
		emit(Block{Last: true, Incomplete: true})
		return
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(membersPerBlock)
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		members := t.describeAll(dir, entries)
		b := Block{Members: members, Last: err != nil}
		if len(members) < len(entries) {
			// Some do not belong to the tree, or they have vanished. In the second case others may
			// have vanished too: the source may have been renamed or unmounted.
			b.Incomplete = !t.stillThere(f, dir)
		}
		if err != nil && err != io.EOF {
			t.report.Unreadable(dir, err)
			b.Incomplete = true
		}
		if !emit(b) || b.Last {
			return
		}
	}
}

// stillThere reports whether a directory is where it was opened.
func (t *Tree) stillThere(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(t.Full(path))
	return err == nil && os.SameFile(opened, there)
}
