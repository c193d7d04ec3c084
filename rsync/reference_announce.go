package rsync

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
)

// announce sends an entry, and for a directory all that is in it.
func (s *referenceSession) announce(dir string, m found, to []*referenceTarget) {
	path := join(dir, m.name)
	switch m.kind {
	case kindDir:
		s.announceDir(path, m, to)
	case kindFile:
		s.mu.Lock()
		s.order[path] = len(s.order)
		s.sizes[path] = m.size
		s.mu.Unlock()
		s.broadcast(to, serializer.Tuple{int64(m.mode), pythonTime(m.mtime), m.size})
	case kindLink:
		s.announceLink(to, "link", path, m.target)
	case kindLinkBase:
		s.announceLink(to, "linkbase", path, m.target)
	default:
		s.broadcast(to, leaveAlone)
	}
}

// leaveAlone announces a link, and nothing happens to what has its name there before the link
// itself is sent. So it also stands for what is not sent at all.
var leaveAlone any

func (s *referenceSession) announceLink(to []*referenceTarget, kind, path, target string) {
	if !utf8.ValidString(target) {
		s.report.fail(FileError{Path: path, Problem: "the protocol of Python's execnet can only send link targets that are UTF-8"})
	} else {
		for _, t := range to {
			t.links = append(t.links, serializer.Tuple{kind, path, target})
		}
	}
	s.broadcast(to, leaveAlone)
}

// announceDir sends a directory and what is in it.
func (s *referenceSession) announceDir(path string, m found, to []*referenceTarget) {
	l := &listing{path: path, blocks: make(chan block)}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	reading.Go(func() { s.tree.list(ctx, l) })
	item := []any{int64(m.mode)}
	var members []found
	lacks := ""
	for b := range l.blocks {
		for _, m := range b.members {
			if utf8.ValidString(m.name) {
				item = append(item, m.name)
				members = append(members, m)
				continue
			}
			lacks = "it holds names that are not UTF-8"
			if m.kind != kindOther {
				s.report.fail(FileError{Path: join(path, m.name), Problem: "the protocol of Python's execnet can only send names that are UTF-8"})
			}
		}
		if b.incomplete && !s.vanished(path) {
			lacks = "not all of it could be read"
		}
	}
	if lacks != "" {
		to = s.spare(to, path, lacks)
	}
	s.broadcast(to, item)
	for _, m := range members {
		if !s.alive(to) {
			return
		}
		s.announce(path, m, to)
	}
}

// vanished reports whether a directory is no longer in the tree, wherever the tree itself may have
// gone.
func (s *referenceSession) vanished(path string) bool {
	_, err := s.tree.root.Lstat(dirOrDot(path))
	return errors.Is(err, fs.ErrNotExist)
}

// spare has the targets that delete leave a directory as it is, since they would delete what its
// list lacks. It returns the others.
func (s *referenceSession) spare(to []*referenceTarget, path, why string) (others []*referenceTarget) {
	for _, t := range to {
		if !t.options.Delete {
			others = append(others, t)
			continue
		}
		s.send(t, leaveAlone)
		s.mu.Lock()
		t.files = append(t.files, FileError{Path: path, Problem: "left as it is there: " + why +
			", and Python's execnet would delete the rest; sync without deleting, or with a spec without bootstrap=import"})
		s.mu.Unlock()
	}
	return others
}

// pythonTime is st_mtime as Python computes it, so that comparing it there finds equal what is
// equal.
func pythonTime(nanoseconds int64) float64 {
	seconds, rest := nanoseconds/1e9, nanoseconds%1e9
	if rest < 0 {
		seconds, rest = seconds-1, rest+1e9
	}
	return float64(seconds) + 1e-9*float64(rest)
}
