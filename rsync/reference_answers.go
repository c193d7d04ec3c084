package rsync

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

// receive takes what a target says until it ends.
func (s *referenceSession) receive(t *referenceTarget) {
	defer t.channel.Close()
	for {
		v, err := t.channel.Receive(t.ctx)
		var events []Event
		s.mu.Lock()
		t.lively = time.Now()
		if err == nil {
			events, err = s.act(t, v)
		}
		complete := errors.Is(err, io.EOF) && t.finished && !t.ended
		switch {
		case complete:
			t.fail(nil)
		case errors.Is(err, io.EOF):
			t.fail(fmt.Errorf("the receiving half ended too early: %w", io.ErrUnexpectedEOF))
		case err != nil:
			t.fail(err)
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		for _, e := range events {
			s.report.event(e)
		}
		if complete && t.options.Finished != nil {
			s.report.call(t.options.Finished)
		}
		if err != nil {
			return
		}
	}
}

// act takes one item. The caller holds the mutex.
func (s *referenceSession) act(t *referenceTarget, v any) ([]Event, error) {
	pair, _ := v.(serializer.Tuple)
	if len(pair) != 2 {
		return nil, broken("%T instead of a pair", v)
	}
	what, _ := pair[0].(string)
	switch {
	case t.finished:
	case what == "send" && !t.listed:
		r, err := s.request(t, pair[1])
		if err != nil {
			return nil, err
		}
		t.requests = append(t.requests, r)
		t.wanted += s.sizes[r.path]
		return nil, nil
	case what == "list_done" && !t.listed:
		t.listed = true
		return []Event{t.event(EventList, "", t.wanted)}, nil
	case what == "ack" && len(t.arriving) > 0:
		// They come in order; the path in it can lack a letter, as when the directory was given
		// with a slash at its end.
		a := t.arriving[0]
		t.arriving = t.arriving[1:]
		t.done += s.sizes[a.path]
		if a.writes {
			t.count(1, a.size)
		}
		return []Event{t.event(EventAck, a.path, a.size), t.event(EventProgress, "", t.done)}, nil
	case what == "links" && t.listed && len(t.requests) == 0 && len(t.arriving) == 0 && !t.finishing:
		t.linking, t.finishing = true, true
		return nil, nil
	case what == "done" && t.finishing && !t.linking:
		t.finished = true
		return nil, nil
	}
	return nil, broken("%q out of turn", what)
}

// request reads a request. Only files that were announced can be asked for, in their order; execnet
// opens whatever path it is told.
func (s *referenceSession) request(t *referenceTarget, v any) (request, error) {
	pair, _ := v.(serializer.Tuple)
	if len(pair) != 2 {
		return request{}, broken("a request that is no pair")
	}
	names, ok := pair[0].([]any)
	if !ok {
		return request{}, broken("a request without a path")
	}
	path := ""
	for _, v := range names {
		name, ok := v.(string)
		if !ok || name == "" {
			return request{}, broken("a request for a path that is no text")
		}
		path = join(path, name)
	}
	order, announced := s.order[path]
	if !announced || order <= t.last {
		return request{}, broken("a request for %q, which was not announced or was asked for before", path)
	}
	t.last = order
	r := request{path: path, order: order}
	if pair[1] != nil {
		checksum, ok := pair[1].([]byte)
		if !ok || len(checksum) != md5.Size {
			return request{}, broken("a checksum that is none")
		}
		r.checksum = checksum
	}
	return r, nil
}
