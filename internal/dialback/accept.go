package dialback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/netpipe"
)

// acceptPause is how long to wait after an error of accepting, as when no descriptor is free.
const acceptPause = 50 * time.Millisecond

// accept takes connections until ctx ends and the listener is closed, and waits for the handshakes
// that are under way, which ctx's end interrupts.
func (l *Launch) accept(ctx context.Context) {
	var greeting sync.WaitGroup
	defer greeting.Wait()
	slots := make(chan struct{}, l.limits.pending)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := l.listener.Accept()
		if err != nil {
			<-slots
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		}
		greeting.Go(func() {
			defer func() { <-slots }()
			if err := l.greet(ctx, conn.(*net.TCPConn)); err != nil {
				l.refuse(conn, err)
				conn.Close()
			}
		})
	}
}

// refuse notes why a connection was not taken. An error of the launch tells the last one. It is
// noted before the other end knows of it: a worker that is not taken may end the launcher.
func (l *Launch) refuse(conn net.Conn, err error) {
	l.mu.Lock()
	l.refused++
	l.why = fmt.Sprintf("from %v: %s", conn.RemoteAddr(), errtext.Of(err))
	l.mu.Unlock()
	if told := new(toldError); errors.As(err, &told) {
		_, _ = fmt.Fprintf(told.conn, "%s%s\n", refused, told.reason) // it ends in any case
	}
}

// toldError is why a worker that knows the secret is not taken. It is told.
type toldError struct {
	conn   net.Conn
	reason error
}

func (e *toldError) Error() string { return e.reason.Error() }

// greet makes a worker of a connection. Who does not know the secret is told nothing.
func (l *Launch) greet(ctx context.Context, tcp *net.TCPConn) error {
	// It fails for a closed connection, as reading does.
	_ = tcp.SetKeepAliveConfig(farend.KeepAlive)
	ctx, cancel := context.WithTimeout(ctx, l.limits.greeting)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = tcp.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	secure := tls.Server(&netpipe.Transport{TCPConn: tcp}, l.identity.config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("no TLS: %w", err)
	}
	line, err := readLine(secure, longestGreeting)
	if err != nil {
		return fmt.Errorf("no greeting: %w", err)
	}
	said, known := strings.CutPrefix(line, greeting+" ")
	secret, said, _ := strings.Cut(said, " ")
	rank, node, _ := strings.Cut(said, " ")
	switch {
	case !known:
		return errors.New("it is no worker of this release")
	case !l.identity.knows(secret):
		return errors.New("it does not know the secret of this launch")
	}
	number, err := l.reserve(rank)
	if err != nil {
		return &toldError{secure, err}
	}
	_, err = fmt.Fprintf(secure, "%s%d\n", accepted, number)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	return l.settle(number, node, tcp, secure, err)
}

// reserve returns the rank of a worker that says it is this one, or gives it the lowest that is
// free if it does not know.
func (l *Launch) reserve(said string) (rank int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if said == unknown {
		for rank, taken := range l.taken {
			if !taken {
				l.taken[rank] = true
				return rank, nil
			}
		}
		return 0, fmt.Errorf("all %d workers of the launch have come; write n= in the spec if there are more", l.n)
	}
	rank, err = strconv.Atoi(said)
	switch {
	case err != nil || rank < 0:
		return 0, fmt.Errorf("%q is no rank", said)
	case rank >= l.n:
		return 0, fmt.Errorf("its rank is %d, and the launch has n=%d workers, whose ranks begin with 0", rank, l.n)
	case l.taken[rank]:
		return 0, fmt.Errorf("its rank is %d, and another worker with this rank has come", rank)
	}
	l.taken[rank] = true
	return rank, nil
}

// settle notes that a worker has come, or that the one for which a rank was reserved has failed.
func (l *Launch) settle(rank int, node string, tcp *net.TCPConn, secure *tls.Conn, err error) error {
	host, _, splitErr := net.SplitHostPort(tcp.RemoteAddr().String())
	if splitErr != nil {
		host = tcp.RemoteAddr().String()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.taken[rank] = false
		return err
	}
	l.workers[rank] = &Worker{Pipe: netpipe.New(tcp, secure, host, nil), launch: l, node: node, released: make(chan struct{})}
	l.arrived++
	close(l.came[rank])
	if l.arrived == l.n {
		l.close(l.all)
	}
	return nil
}
