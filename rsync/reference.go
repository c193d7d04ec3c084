package rsync

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/rsync/internal/source"
	"github.com/go-execnet/execnet/serializer"
)

// The files reference*.go have the sending half for targets that run Python's execnet,
// docs/protocol.md sections 11.1 to 11.4. Each file travels as one item, so that it must fit into
// memory, and must be smaller than 2 GiB.

type referenceDialect struct{}

// referenceProgram runs the receiving half of the execnet package that is installed there.
const referenceProgram = "import execnet.rsync_remote\nexecnet.rsync_remote.serve_rsync(channel)\n"

func (referenceDialect) execute(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error) {
	return gw.RemoteExec(context.Background(), referenceProgram)
}

func (referenceDialect) hello(t *target, _ bool) any {
	return serializer.Tuple{t.dest, serializer.NewDict("delete", t.options.Delete)}
}

func (referenceDialect) begin(base *session) func(context.Context) {
	s := &referenceSession{session: base, files: base.tree.Opener(), announced: make(map[string]announced)}
	for _, t := range base.targets {
		reference := &referenceTarget{target: t, session: s, last: -1}
		t.peer = reference
		s.peers = append(s.peers, reference)
	}
	return s.send
}

// referenceSession sends a tree in the protocol of Python's execnet. send walks the tree and then
// answers the requests for files. All receivers ask in the order of the tree, so that a file can be
// read once for all.
type referenceSession struct {
	*session
	peers []*referenceTarget // those of targets
	files *source.Opener     // the goroutine of send alone uses it

	// The session's mutex guards what follows.
	announced map[string]announced // files, by path
	walked    bool                 // the targets have the whole tree
}

// announced is a file that was announced.
type announced struct {
	order int
	size  int64
}

// referenceTarget is a target that runs Python's execnet.
type referenceTarget struct {
	*target
	session *referenceSession
	links   []serializer.Tuple // the goroutine of send alone uses it

	// The session's mutex guards what follows.
	requests []request
	linking  bool          // it waits for the links
	last     int           // the order of the last request
	expected []expectedAck // files on their way
	sending  bool          // a send is under way
}

// expectedAck is a file whose acknowledgement is to come.
type expectedAck struct {
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

func (s *referenceSession) send(context.Context) {
	s.announce("", s.tree.Top(), s.peers)
	s.mu.Lock()
	s.walked = true
	for _, t := range s.peers {
		t.lastSign = time.Now() // from now on it owes an answer
	}
	s.mu.Unlock()
	s.serve()
	s.files.Close()
}

func (t *referenceTarget) owes() bool {
	silent := t.session.walked && len(t.requests) == 0 && !t.linking
	return t.sending || len(t.expected) > 0 || silent
}

// sendItem sends an item to one target, which ends if the item cannot be serialized.
func (s *referenceSession) sendItem(t *referenceTarget, v any) {
	s.mu.Lock()
	if t.phase == ended {
		s.mu.Unlock()
		return
	}
	t.sending = true
	t.lastSign = time.Now()
	s.mu.Unlock()
	err := t.channel.Send(t.ctx, v)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.sending = false
	t.lastSign = time.Now()
	// Why the channel has failed is what the goroutine that receives reports.
	if unfit := (*serializer.DumpError)(nil); errors.As(err, &unfit) {
		t.fail(err)
	}
}

// broadcast sends an item to several targets.
func (s *referenceSession) broadcast(to []*referenceTarget, v any) {
	for _, t := range to {
		s.sendItem(t, v)
	}
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
				s.sendItem(linking, link)
			}
			s.sendItem(linking, 42)
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
	for s.alive() {
		first, undecided := math.MaxInt, false
		for _, t := range s.peers {
			switch {
			case t.phase == ended:
			case t.linking:
				t.linking = false
				return nil, t
			case len(t.requests) > 0:
				first = min(first, t.requests[0].order)
			default:
				undecided = undecided || t.phase == listing
			}
		}
		if first < math.MaxInt && !undecided {
			for _, t := range s.peers {
				if t.phase != ended && len(t.requests) > 0 && t.requests[0].order == first {
					asking = append(asking, t)
				}
			}
			return asking, nil
		}
		s.changed.Wait()
	}
	return nil, nil
}

// sendFile answers the first request of each of these targets, which is for the same file. The
// answer is the content or None, and None gives a file that is there the time that was announced.
// So a target that has a file of the same size gets no answer for one that cannot be read, and
// fails: otherwise its file would seem to be up to date in all later syncs.
func (s *referenceSession) sendFile(asking []*referenceTarget) {
	s.mu.Lock()
	path := asking[0].requests[0].path
	checksums := make([][]byte, len(asking))
	for i, t := range asking {
		checksums[i] = t.requests[0].checksum
		t.requests = t.requests[1:]
		t.lastSign = time.Now()
	}
	s.mu.Unlock()
	data, err := s.read(path)
	if err != nil {
		s.report.Unreadable(path, err)
	}
	var digest [md5.Size]byte
	digested := false
	for i, t := range asking {
		if err != nil && checksums[i] != nil && !errors.Is(err, fs.ErrNotExist) {
			s.mu.Lock()
			t.fail(&FileError{Path: path, Err: err, Problem: fmt.Sprintf(
				"%v; Python's execnet would from now on take a file there, of the same size, for it", err)})
			s.mu.Unlock()
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
		sent := expectedAck{path: path, writes: answer != nil}
		if err == nil {
			// As in execnet: the file's size, also when the content was there.
			sent.size = int64(len(data))
		}
		t.expected = append(t.expected, sent)
		s.mu.Unlock()
		s.sendItem(t, answer)
	}
}

// maxReferenceFile is the most that one item can hold.
const maxReferenceFile = math.MaxInt32

// read reads a file whole.
func (s *referenceSession) read(path string) ([]byte, error) {
	dir, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	f, info, err := s.files.Open(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > maxReferenceFile {
		return nil, fmt.Errorf("it has %d bytes, and the protocol of Python's execnet sends at most %d", info.Size(), maxReferenceFile)
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(f, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	s.mu.Lock()
	announced := s.announced[path].size
	s.mu.Unlock()
	if int64(n) != announced {
		s.report.Warn(path, "changed while it was sent")
	}
	return data[:n], nil
}
