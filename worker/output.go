package worker

import (
	"context"
	"os"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/pipe"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

const (
	// outputPatience is how long what is printed waits for a driver that confirms nothing. Then it
	// is left out until the driver confirms something. A driver on a busy machine takes its time.
	outputPatience = 5 * time.Second
	// outputLast is how long sending what is left at the end may take.
	outputLast = time.Second
	// outputDrain is how long a process that the worker has left behind may keep the worker's end
	// waiting for more.
	outputDrain = 100 * time.Millisecond
)

// output sends what this process and its children print, and what is logged, to the driver
// (protocol.md section 6.9). The driver confirms what it has taken, and no more than
// gatewaybase.AsideWindow bytes that it has not confirmed are on their way.
type output struct {
	streams []*outputStream
	logs    bool            // log records are wanted, too
	beside  chan fromBeside // those of a process beside this one
	reading sync.WaitGroup

	mu          sync.Mutex // guards what follows
	changed     sync.Cond
	unconfirmed int
	last        time.Time // when the driver has confirmed something
	refused     bool      // it has confirmed nothing for so long that nothing waits for it
	ended       bool      // the driver confirms nothing any more
	lostRecords int       // log records that were left out
}

// fromBeside is an item that a process beside this one sends to the driver.
type fromBeside struct {
	item    any
	size    int
	confirm func(n int)
}

// mostBeside is how many such items may wait. That process sends no more of them unconfirmed than
// this process may: they have 150 bytes each at the least.
const mostBeside = 2 * gatewaybase.AsideWindow / 150

// outputStream is one of descriptors 1 and 2.
type outputStream struct {
	kind    int
	out     *os.File // what comes out of it
	restore func()   // gives the descriptor back what it was before, or, for 1, stderr
	leftOut int      // bytes that were left out; belongs to the goroutine that reads
}

// captureOutput makes descriptors 1 and 2, or one of them, pipes. It is nil if nothing is wanted.
func captureOutput(wanted int) (*output, error) {
	var o output
	o.changed.L = &o.mu
	for _, kind := range []int{gatewaybase.AsideStdout, gatewaybase.AsideStderr} {
		if wanted&kind == 0 {
			continue
		}
		ours, theirs, err := pipe.New(false)
		if err != nil {
			return nil, err
		}
		restore, err := redirect(kind, theirs)
		if err != nil {
			return nil, err
		}
		if kind == gatewaybase.AsideStdout {
			engine.SetStdout(os.Stdout)
		}
		o.streams = append(o.streams, &outputStream{kind: kind, out: ours, restore: restore})
	}
	if wanted&gatewaybase.AsideLog != 0 {
		o.logs = true
		o.beside = make(chan fromBeside, mostBeside)
	}
	if wanted == 0 {
		return nil, nil
	}
	return &o, nil
}

// configure completes the configuration of the worker's gateway.
func (o *output) configure(config gatewaybase.Config) gatewaybase.Config {
	if o != nil {
		config.Aside, config.AtEnd = o.confirmed, o.end
		if o.logs {
			config.RelayAside = o.passOn
		}
	}
	return config
}

// start begins to send.
func (o *output) start(g *gatewaybase.Gateway) {
	if o == nil {
		return
	}
	for _, s := range o.streams {
		o.reading.Go(func() { o.follow(g, s) })
	}
	if o.logs {
		captureLogs(&logger{send: func(item any) { o.sendRecord(g, item) }})
		o.reading.Go(func() {
			for next := range o.beside {
				o.sendRecord(g, next.item)
				next.confirm(next.size)
			}
		})
	}
}

// besideWants is what a process beside this one is asked for.
func (o *output) besideWants() int {
	if o == nil || !o.logs {
		return 0
	}
	return gatewaybase.AsideLog
}

// passOn implements gatewaybase.Config.RelayAside.
func (o *output) passOn(item any, size int, confirm func(n int)) {
	select {
	case o.beside <- fromBeside{item, size, confirm}:
	default: // it does not wait for confirmations
	}
}

// sendRecord sends a log record, or leaves it out if the driver takes nothing.
func (o *output) sendRecord(g *gatewaybase.Gateway, item any) {
	fits := o.awaitRoom(64 << 10)
	o.mu.Lock()
	lost := o.lostRecords
	o.lostRecords = 0
	if !fits {
		o.lostRecords = lost + 1
	}
	o.mu.Unlock()
	if !fits {
		return
	}
	if lost > 0 {
		o.sendItem(g, serializer.Tuple{gatewaybase.AsideLog, lost})
	}
	o.sendItem(g, item)
}

// follow sends what comes out of a stream until its end.
func (o *output) follow(g *gatewaybase.Gateway, s *outputStream) {
	defer s.out.Close()
	chunk := make([]byte, 64<<10)
	for {
		if s.leftOut > 0 {
			// What is left out is told even if nothing more is printed.
			_ = s.out.SetReadDeadline(time.Now().Add(outputDrain))
		}
		n, err := s.out.Read(chunk)
		timedOut := os.IsTimeout(err) && !o.hasEnded()
		if timedOut {
			_ = s.out.SetReadDeadline(time.Time{})
		}
		o.send(g, s, chunk[:n])
		if err != nil && !timedOut {
			return
		}
	}
}

func (o *output) send(g *gatewaybase.Gateway, s *outputStream, data []byte) {
	if !o.awaitRoom(len(data)) {
		s.leftOut += len(data)
		return
	}
	if s.leftOut > 0 {
		o.sendItem(g, serializer.Tuple{s.kind, s.leftOut})
		s.leftOut = 0
	}
	if len(data) > 0 {
		o.sendItem(g, serializer.Tuple{s.kind, data})
	}
}

func (o *output) sendItem(g *gatewaybase.Gateway, item any) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if o.hasEnded() {
		ctx, cancel = context.WithTimeout(ctx, outputLast) // the driver may read nothing more
	}
	defer cancel()
	n, err := gatewaybase.SendAside(ctx, g, item)
	if err != nil {
		return // the driver has gone
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unconfirmed += n
}

// awaitRoom waits until the driver takes size more bytes, and reports false if it has taken nothing
// for outputPatience.
func (o *output) awaitRoom(size int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := time.Now()
	for !o.ended && (o.refused || o.unconfirmed > 0 && o.unconfirmed+size > gatewaybase.AsideWindow) {
		if o.last.After(since) {
			since = o.last
		}
		left := time.Until(since.Add(outputPatience))
		if o.refused || left <= 0 {
			o.refused = true
			return false
		}
		wake := time.AfterFunc(left, o.changed.Broadcast)
		o.changed.Wait()
		wake.Stop()
	}
	return true
}

// confirmed implements gatewaybase.Config.Aside.
func (o *output) confirmed(_ *gatewaybase.Gateway, item any, _ int) {
	n, _ := item.(int64)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unconfirmed -= int(n)
	o.last, o.refused = time.Now(), false
	o.changed.Broadcast()
}

func (o *output) hasEnded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended
}

// end implements gatewaybase.Config.AtEnd: it sends what is left. What is printed later goes to
// stderr.
func (o *output) end() {
	o.mu.Lock()
	o.ended = true
	o.changed.Broadcast()
	o.mu.Unlock()
	for _, s := range o.streams {
		s.restore()
		// Without processes that still have it, the stream ends by itself.
		_ = s.out.SetReadDeadline(time.Now().Add(outputDrain))
	}
	if o.logs {
		close(o.beside) // the process beside this one has ended
	}
	o.reading.Wait()
}
