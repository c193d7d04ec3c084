package rsync

import (
	"crypto/md5"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/serializer"
)

func (t *referenceTarget) handle(v any) ([]Event, error) {
	pair, _ := v.(serializer.Tuple)
	if len(pair) != 2 {
		return nil, wire.Errorf("%T instead of a pair", v)
	}
	what := text(pair[0])
	switch {
	case what == "send" && t.phase == listing:
		r, err := t.request(pair[1])
		if err != nil {
			return nil, err
		}
		t.requests = append(t.requests, r)
		t.wanted += t.session.announced[r.path].size
		return nil, nil
	case what == "list_done" && t.phase == listing:
		t.phase = listed
		return []Event{t.event(EventList, "", t.wanted)}, nil
	case what == "ack" && len(t.expected) > 0:
		// Acknowledgements come in order. The path in one is not reliable: it lacks a letter when
		// dest ends with a slash.
		a := t.expected[0]
		t.expected = t.expected[1:]
		t.done += t.session.announced[a.path].size
		if a.writes {
			t.count(1, a.size)
		}
		return []Event{t.event(EventAck, a.path, a.size), t.event(EventProgress, "", t.done)}, nil
	case what == "links" && t.phase == listed && len(t.requests) == 0 && len(t.expected) == 0:
		t.linking, t.phase = true, finishing
		return nil, nil
	case what == "done" && t.phase == finishing && !t.linking:
		t.phase = finished
		return nil, nil
	}
	return nil, wire.Errorf("%q out of turn", what)
}

// text returns what Python calls a string: a str, or the str of Python 2. It is empty for other
// values.
func text(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	s, _ := v.(string)
	return s
}

// request reads a request. Only files that were announced can be asked for, in their order.
// (Python's execnet opens whatever path it is told.)
func (t *referenceTarget) request(v any) (request, error) {
	pair, _ := v.(serializer.Tuple)
	if len(pair) != 2 {
		return request{}, wire.Errorf("a request that is no pair")
	}
	names, ok := pair[0].([]any)
	if !ok {
		return request{}, wire.Errorf("a request without a path")
	}
	path := ""
	for _, v := range names {
		name := text(v)
		if name == "" {
			return request{}, wire.Errorf("a request for a path that is no text")
		}
		path = paths.Join(path, name)
	}
	file, known := t.session.announced[path]
	if !known || file.order <= t.last {
		return request{}, wire.Errorf("a request for %q, which was not announced or was asked for before", path)
	}
	t.last = file.order
	r := request{path: path, order: file.order}
	if pair[1] != nil {
		checksum, ok := pair[1].([]byte)
		if !ok || len(checksum) != md5.Size {
			return request{}, wire.Errorf("a checksum that is none")
		}
		r.checksum = checksum
	}
	return r, nil
}
