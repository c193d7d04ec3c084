package multi

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// Stream is one of the two streams on which a worker prints: [Stdout] or [Stderr].
type Stream int

// The streams have the numbers of their descriptors.
const (
	Stdout Stream = gatewaybase.AsideStdout
	Stderr Stream = gatewaybase.AsideStderr
)

// String is "stdout" or "stderr".
func (s Stream) String() string {
	switch s {
	case Stdout:
		return "stdout"
	case Stderr:
		return "stderr"
	}
	return fmt.Sprintf("stream %d", int(s))
}

// Line is a line that a worker or one of its children has printed. Group.Output gets them.
type Line struct {
	// Gateway is the id of the worker's gateway.
	Gateway string
	// Stream is where it was printed.
	Stream Stream
	// Text is the line without its end, which is "\n", "\r\n", "\r" (as of a progress bar) or the
	// end of the stream. The bytes are as they were printed, so they may not be UTF-8. A line of
	// more than 64 KiB comes in several pieces.
	Text string
}

// longestLine is how many bytes of a line are kept together.
const longestLine = 64 << 10

// said takes what one worker prints.
type said struct {
	id     string
	call   func(Line)   // calls Group.Output, one call at a time; nil if that is nil
	log    slog.Handler // Group.SlogHandler
	calls  atomic.Int64 // how many calls have returned, to either of them
	stderr *lines       // what comes by the stderr of a process

	// What the worker sends over its gateway waits here for a goroutine, which lives while there is
	// something.
	mu      sync.Mutex // guards what follows
	queue   []aside
	size    int           // the bytes of the items in queue and of the one that is being taken
	leftOut int           // bytes of items that did not fit
	idle    chan struct{} // closed when the goroutine ends; nil if there is none

	// The goroutine alone uses these.
	streams map[Stream]*lines
	taken   int // bytes that are not confirmed
}

// aside is an item that the worker has sent.
type aside struct {
	gateway *gatewaybase.Gateway
	item    any
	size    int
}

const (
	// mostSaid is how many bytes of items may wait. Workers have gatewaybase.AsideWindow on their
	// way, and at their end somewhat more, for which they do not wait.
	mostSaid = 8 * gatewaybase.AsideWindow
	// confirmEvery is how many bytes are taken before the worker is told, so that not each line
	// costs a message.
	confirmEvery = gatewaybase.AsideWindow / 4
	// saidGrace is how long one call of Group.Output may take at the end of a gateway.
	saidGrace = 500 * time.Millisecond
)

// newSaid returns what takes the output of a spec's worker, and nil if nobody wants it.
func (g *Group) newSaid(spec *xspec.Spec) *said {
	if g.Output == nil && g.SlogHandler == nil {
		return nil
	}
	s := &said{id: spec.ID, log: g.SlogHandler}
	if g.Output != nil {
		s.call = func(line Line) {
			g.printing.Lock()
			defer g.printing.Unlock()
			defer s.calls.Add(1)
			g.Output(line)
		}
		s.stderr = s.lines(Stderr)
		s.streams = map[Stream]*lines{Stdout: s.lines(Stdout), Stderr: s.lines(Stderr)}
	}
	return s
}

func (s *said) lines(stream Stream) *lines {
	return &lines{line: func(text string) { s.call(Line{s.id, stream, text}) }}
}

// writer is where the stderr of the worker's process goes. It is nil if that is not for Output.
func (s *said) writer() io.Writer {
	if s == nil || s.stderr == nil {
		return nil
	}
	return s.stderr
}

// configure completes the configuration of the worker's gateway.
func (s *said) configure(config gatewaybase.Config) gatewaybase.Config {
	if s == nil {
		return config
	}
	config.AtEnd = s.end
	if config.Spec.Bootstrap == "import" {
		return config // a worker of pip's execnet, which knows nothing of this
	}
	config.Aside = s.receive
	if s.call != nil {
		config.Output = gatewaybase.AsideStdout
		// Nobody here sees the stderr of a server, and that of a launcher does not say whose it is.
		if config.Spec.Kind() == xspec.KindSocket || config.Spec.Launched != nil {
			config.Output |= gatewaybase.AsideStderr
		}
	}
	if s.log != nil {
		config.Output |= gatewaybase.AsideLog
	}
	return config
}

// receive implements gatewaybase.Config.Aside.
func (s *said) receive(g *gatewaybase.Gateway, item any, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leftOut > 0 && len(s.queue) > 0 || s.size+size > mostSaid {
		s.leftOut += size // of a worker that does not wait for confirmations
		return
	}
	s.queue = append(s.queue, aside{g, item, size})
	s.size += size
	if s.idle == nil {
		s.idle = make(chan struct{})
		go s.run()
	}
}

// run takes items until none waits.
func (s *said) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		next := s.queue[0]
		s.queue[0] = aside{}
		s.queue = s.queue[1:]
		s.mu.Unlock()
		s.take(next)
		s.mu.Lock()
		s.size -= next.size
		if s.leftOut > 0 && len(s.queue) == 0 {
			n := s.leftOut
			s.leftOut = 0
			s.mu.Unlock()
			s.tellLeftOut(Stdout, n)
			s.mu.Lock()
		}
	}
	close(s.idle)
	s.idle = nil
}

// take passes on what an item holds, and tells the worker that there is room for more.
func (s *said) take(a aside) {
	if parts, ok := a.item.(serializer.Tuple); ok && len(parts) == 2 {
		kind, _ := parts[0].(int64)
		switch data := parts[1].(type) {
		case []byte:
			if to := s.streams[Stream(kind)]; to != nil {
				_, _ = to.Write(data)
			}
		case int64:
			s.tellLeftOut(Stream(kind), int(data))
		default:
			if record, ok := logRecord(s.id, data); ok && s.log != nil && kind == gatewaybase.AsideLog {
				handle(s.log, record)
				s.calls.Add(1)
			}
		}
	}
	if s.taken += a.size; s.taken >= confirmEvery {
		// It fails when the gateway has ended, and then the worker waits for nothing.
		_ = gatewaybase.PostAside(a.gateway, s.taken)
		s.taken = 0
	}
}

// tellLeftOut says that n bytes of a stream are missing, or n log records.
func (s *said) tellLeftOut(stream Stream, n int) {
	if to := s.streams[stream]; to != nil {
		to.leftOut(n)
	} else if s.log != nil {
		record := slog.NewRecord(time.Now(), slog.LevelWarn, "execnet: log records were left out here, as they were not taken in time", 0)
		record.AddAttrs(slog.String("gateway", s.id), slog.Int("records", n))
		handle(s.log, record)
		s.calls.Add(1)
	}
}

// end implements gatewaybase.Config.AtEnd: it waits until everything that has come is passed on, as
// long as that goes on, and passes on the lines that have no end.
func (s *said) end() {
	for {
		s.mu.Lock()
		idle, calls := s.idle, s.calls.Load()
		s.mu.Unlock()
		if idle == nil {
			break
		}
		select {
		case <-idle:
		case <-time.After(saidGrace):
			if calls == s.calls.Load() {
				return // a call does not return
			}
		}
	}
	for _, l := range []*lines{s.streams[Stdout], s.streams[Stderr], s.stderr} {
		if l != nil {
			l.end()
		}
	}
}

// lines cuts what is written to it into lines.
type lines struct {
	line func(text string)

	mu      sync.Mutex // guards what follows; held while line is called
	partial []byte     // the beginning of a line
	afterCR bool       // the last byte was "\r", so a "\n" that follows ends the same line
}

// Write takes some bytes. It never fails.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(b)
	if l.afterCR && len(b) > 0 {
		l.afterCR = false
		b = bytes.TrimPrefix(b, []byte("\n"))
	}
	for len(b) > 0 {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			l.add(b)
			break
		}
		l.add(b[:i])
		end := b[i]
		b = b[i+1:]
		if end == '\r' {
			if len(b) == 0 {
				l.afterCR = true
			} else if b[0] == '\n' {
				b, end = b[1:], '\n'
			}
		}
		// A progress bar begins with "\r", too.
		if end == '\n' || len(l.partial) > 0 {
			l.emit(len(l.partial))
		}
	}
	return n, nil
}

// add adds to the partial line, and passes on pieces of one that gets too long. The caller holds
// mu.
func (l *lines) add(b []byte) {
	l.partial = append(l.partial, b...)
	for len(l.partial) > longestLine {
		n := longestLine
		for n > longestLine-utf8.UTFMax && !utf8.RuneStart(l.partial[n]) {
			n--
		}
		l.emit(n)
	}
}

// emit passes on n bytes of the partial line. The caller holds mu.
func (l *lines) emit(n int) {
	text := string(l.partial[:n])
	l.partial = append(l.partial[:0], l.partial[n:]...)
	l.line(text)
}

// leftOut passes on a line that says how much is missing.
func (l *lines) leftOut(n int) {
	l.end()
	l.line(fmt.Sprintf("execnet: %d bytes were left out here, as they were not taken in time", n))
}

// end passes on a line that has no end. It does not wait for a call that does not return.
func (l *lines) end() {
	if !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.emit(len(l.partial))
	}
}
