package rsync

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/rsync/internal/source"
	"github.com/go-execnet/execnet/serializer"
)

// announce sends an entry, and for a directory all that is in it.
func (s *referenceSession) announce(dir string, m source.Entry, to []*referenceTarget) {
	path := paths.Join(dir, m.Name)
	switch m.Kind {
	case wire.KindDir:
		s.announceDir(path, m, to)
	case wire.KindFile:
		s.mu.Lock()
		s.announced[path] = announced{len(s.announced), m.Size}
		s.mu.Unlock()
		s.broadcast(to, serializer.Tuple{int64(m.Mode), wire.FloatTime(time.Unix(0, m.MTime)), m.Size})
	case wire.KindLink:
		s.announceLink(to, "link", path, m.Target)
	case wire.KindLinkBase:
		s.announceLink(to, "linkbase", path, m.Target)
	default:
		s.broadcast(to, leaveAlone)
	}
}

// leaveAlone, None, announces a link. A target does nothing about its name until the link itself is
// sent, so leaveAlone also announces what is not sent at all.
var leaveAlone any

// announceLink announces a link, which is sent at the end.
func (s *referenceSession) announceLink(to []*referenceTarget, kind, path, target string) {
	if !utf8.ValidString(target) {
		s.report.fail(&FileError{Path: path, Problem: "the protocol of Python's execnet can only send link targets that are UTF-8"})
	} else {
		for _, t := range to {
			t.links = append(t.links, serializer.Tuple{kind, path, target})
		}
	}
	s.broadcast(to, leaveAlone)
}

// announceDir sends a directory and what is in it. The protocol's list of names must be complete,
// since a target with Delete removes what is not in it.
func (s *referenceSession) announceDir(path string, m source.Entry, to []*referenceTarget) {
	item := []any{int64(m.Mode)}
	var members []source.Entry
	lacks := ""
	s.tree.List(path, func(b source.Block) bool {
		for _, m := range b.Members {
			if utf8.ValidString(m.Name) {
				item = append(item, m.Name)
				members = append(members, m)
				continue
			}
			lacks = "it holds names that are not UTF-8"
			if m.Kind != wire.KindOther {
				s.report.fail(&FileError{Path: paths.Join(path, m.Name), Problem: "the protocol of Python's execnet can only send names that are UTF-8"})
			}
		}
		if b.Incomplete && !s.tree.Vanished(path) {
			lacks = "not all of it could be read"
		}
		return true
	})
	if lacks != "" {
		to = s.skipWhereDeleting(to, path, lacks)
	}
	s.broadcast(to, item)
	for _, m := range members {
		if !s.anyAlive(to) {
			return
		}
		s.announce(path, m, to)
	}
}

// anyAlive reports whether any of these targets is left.
func (s *referenceSession) anyAlive(of []*referenceTarget) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(of, func(t *referenceTarget) bool { return t.phase != ended })
}

// skipWhereDeleting has the targets with Delete leave a directory as it is, since they would delete
// what its list lacks. It returns the others.
func (s *referenceSession) skipWhereDeleting(to []*referenceTarget, path, why string) (others []*referenceTarget) {
	for _, t := range to {
		if !t.options.Delete {
			others = append(others, t)
			continue
		}
		s.sendItem(t, leaveAlone)
		s.mu.Lock()
		t.files = append(t.files, &FileError{Path: path, Problem: "left as it is there: " + why +
			", and Python's execnet would delete the rest; sync without deleting, or with a spec without bootstrap=import"})
		s.mu.Unlock()
	}
	return others
}
