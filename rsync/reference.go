package rsync

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sync"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

// The sending half for targets that run Python's execnet: docs/protocol.md sections 11.1 to 11.4.
// Each file travels as one item, so that it must fit into memory, and must be smaller than 2 GiB.

// referenceProgram runs the receiving half of the execnet package that is installed there.
const referenceProgram = "import execnet.rsync_remote\nexecnet.rsync_remote.serve_rsync(channel)\n"

// referenceSession sends a tree to such targets. run walks the tree and then serves requests; one
// goroutine for each target takes what it says. All receivers ask in the order of the tree, so that
// a file can be read once for all.
type referenceSession struct {
	tree   *source
	report *reporter
	files  opener

	mu      sync.Mutex // guards what follows, and the targets
	changed sync.Cond  // anything did
	targets []*referenceTarget
	order   map[string]int   // the files announced, by path
	sizes   map[string]int64 // of those
}

// referenceTarget is a target with what its receiver has said.
type referenceTarget struct {
	*target
	links    []serializer.Tuple // of the goroutine of run
	requests []request
	listed   bool        // no more requests come
	linking  bool        // it waits for the links
	last     int         // the order of the last request
	arriving []arrivalOf // files on their way
	sending  bool        // a send is under way
}

// arrivalOf is a file whose acknowledgement is to come.
type arrivalOf struct {
	path   string
	size   int64
	writes bool // content was sent
}

// request asks for one file.
type request struct {
	path     string
	order    int
	checksum []byte
}

func newReferenceSession(tree *source, targets []*target, report *reporter) *referenceSession {
	s := &referenceSession{tree: tree, report: report, files: opener{source: tree}, order: make(map[string]int), sizes: make(map[string]int64)}
	s.changed.L = &s.mu
	for _, t := range targets {
		t.wake.L = &s.mu
		t.lively = time.Now()
		s.targets = append(s.targets, &referenceTarget{target: t, last: -1})
	}
	return s
}

// run serves the targets until each has ended. What went wrong stands in them.
func (s *referenceSession) run(ctx context.Context, stall time.Duration) {
	var running sync.WaitGroup
	for _, t := range s.targets {
		t.ctx, t.cancel = context.WithCancel(context.Background())
	}
	for _, t := range s.targets {
		running.Go(func() { s.receive(t) })
	}
	over := make(chan struct{})
	running.Go(func() { s.watch(ctx, over, stall) })
	s.announce("", s.tree.describe(s.tree.info, ""), s.targets)
	s.announced()
	s.serve()
	s.files.close()
	close(over)
	running.Wait()
}

// announced notes that the targets have the whole tree, and owe an answer.
func (s *referenceSession) announced() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.targets {
		t.asked = 1
		t.lively = time.Now()
	}
}

func (s *referenceSession) fail(t *referenceTarget, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.fail(err)
	s.changed.Broadcast()
}

func (s *referenceSession) failAll(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.targets {
		t.fail(err)
	}
	s.changed.Broadcast()
}

// watch is session.watch for these targets.
func (s *referenceSession) watch(ctx context.Context, over <-chan struct{}, stall time.Duration) {
	tick := time.NewTicker(max(stall/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-ctx.Done():
			s.failAll(context.Cause(ctx))
			return
		case now := <-tick.C:
			s.mu.Lock()
			for _, t := range s.targets {
				owes := t.sending || len(t.arriving) > 0 || t.walkedAndSilent()
				if !owes || t.drains() {
					t.lively = now
				} else if now.Sub(t.lively) > stall {
					t.fail(&StallError{stall})
					s.changed.Broadcast()
				}
			}
			s.mu.Unlock()
		}
	}
}

// walkedAndSilent reports whether the target has the whole tree and must say something. The caller
// holds the mutex.
func (t *referenceTarget) walkedAndSilent() bool {
	return t.asked > 0 && len(t.requests) == 0 && !t.linking
}

// send sends an item to one target, which ends if that fails.
func (s *referenceSession) send(t *referenceTarget, v any) {
	s.mu.Lock()
	if t.ended {
		s.mu.Unlock()
		return
	}
	t.sending = true
	t.lively = time.Now()
	s.mu.Unlock()
	err := t.channel.Send(t.ctx, v)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.sending = false
	t.lively = time.Now()
	var unfit *serializer.DumpError
	if errors.As(err, &unfit) {
		t.fail(err)
	}
	// Other errors are explained by what receiving reports.
}

// broadcast sends an item to several targets.
func (s *referenceSession) broadcast(to []*referenceTarget, v any) {
	for _, t := range to {
		s.send(t, v)
	}
}

// alive reports whether any of these targets is left.
func (s *referenceSession) alive(of []*referenceTarget) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return anyAlive(of)
}

func anyAlive(of []*referenceTarget) bool {
	for _, t := range of {
		if !t.ended {
			return true
		}
	}
	return false
}

// serve answers requests until all targets have ended.
func (s *referenceSession) serve() {
	for {
		asking, linking := s.next()
		switch {
		case len(asking) > 0:
			s.sendFile(asking)
		case linking != nil:
			for _, link := range linking.links {
				s.send(linking, link)
			}
			s.send(linking, 42)
		default:
			return
		}
	}
}

// next waits until every target has a request or will have none, and returns those that ask for the
// file which comes first, or one that waits for its links, or nothing when all have ended.
func (s *referenceSession) next() (asking []*referenceTarget, linking *referenceTarget) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for anyAlive(s.targets) {
		first, thinking := math.MaxInt, false
		for _, t := range s.targets {
			switch {
			case t.ended:
			case t.linking:
				t.linking = false
				return nil, t
			case len(t.requests) > 0:
				first = min(first, t.requests[0].order)
			default:
				thinking = thinking || !t.listed
			}
		}
		if first < math.MaxInt && !thinking {
			for _, t := range s.targets {
				if !t.ended && len(t.requests) > 0 && t.requests[0].order == first {
					asking = append(asking, t)
				}
			}
			return asking, nil
		}
		s.changed.Wait()
	}
	return nil, nil
}

// sendFile answers the first request of each of these targets, which is for the same file. None,
// the only answer that is no content, gives a file that is there the time announced. So it is no
// answer where an unreadable file has one of its size: that would seem to be up to date in all
// later syncs.
func (s *referenceSession) sendFile(asking []*referenceTarget) {
	s.mu.Lock()
	path := asking[0].requests[0].path
	checksums := make([][]byte, len(asking))
	for i, t := range asking {
		checksums[i] = t.requests[0].checksum
		t.requests = t.requests[1:]
		t.lively = time.Now()
	}
	s.mu.Unlock()
	data, err := s.read(path)
	if err != nil {
		s.report.unreadable(path, err)
	}
	var digest [md5.Size]byte
	digested := false
	for i, t := range asking {
		if err != nil && checksums[i] != nil && !errors.Is(err, fs.ErrNotExist) {
			s.fail(t, &FileError{Path: path, Err: err, Problem: fmt.Sprintf(
				"%v; Python's execnet would from now on take a file there, of the same size, for it", err)})
			continue
		}
		var answer any
		if err == nil {
			if checksums[i] != nil && !digested {
				digest, digested = md5.Sum(data), true
			}
			if checksums[i] == nil || string(checksums[i]) != string(digest[:]) {
				answer = data
				s.report.sending(t.target, path, int64(len(data)))
			}
		}
		s.mu.Lock()
		sent := arrivalOf{path: path, writes: answer != nil}
		if err == nil {
			// As execnet tells it: the file's size, also when the content was there.
			sent.size = int64(len(data))
		}
		t.arriving = append(t.arriving, sent)
		s.mu.Unlock()
		s.send(t, answer)
	}
}

// maxReference is the most that one item can hold.
const maxReference = math.MaxInt32

// read reads a file whole.
func (s *referenceSession) read(path string) ([]byte, error) {
	dir, name := splitPath(path)
	f, info, err := s.files.open(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > maxReference {
		return nil, fmt.Errorf("it has %d bytes, and the protocol of Python's execnet sends at most %d", info.Size(), maxReference)
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(f, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	s.mu.Lock()
	announced := s.sizes[path]
	s.mu.Unlock()
	if int64(n) != announced {
		s.report.warn(FileError{Path: path, Problem: "changed while it was sent"})
	}
	return data[:n], nil
}

func splitPath(path string) (dir, name string) {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i], path[i+1:]
		}
	}
	return "", path
}
