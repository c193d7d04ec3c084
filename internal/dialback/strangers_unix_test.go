//go:build unix

package dialback

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

// launched is a launch whose launcher starts nothing.
func launched(t *testing.T, n int, change func(*limits)) *Launch {
	t.Helper()
	return launchedBy(t, "sh -c 'exec sleep 3600'", n, change)
}

func launchedBy(t *testing.T, launcher string, n int, change func(*limits)) *Launch {
	t.Helper()
	spec, err := xspec.Parse(fmt.Sprintf("launch=%s//n=%d//self", launcher, n))
	require.NoError(t, err)
	limits := standardLimits
	if change != nil {
		change(&limits)
	}
	l, err := start(spec.Workers()[0], nil, t.Output(), limits)
	require.NoError(t, err)
	t.Cleanup(l.End)
	return l
}

// connected is a connection to the driver, without or with TLS.
func connected(t *testing.T, l *Launch) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(2*time.Minute)))
	return conn
}

func secured(t *testing.T, l *Launch) net.Conn {
	t.Helper()
	return tls.Client(connected(t, l), &tls.Config{InsecureSkipVerify: true})
}

// says writes a greeting and returns the answer.
func says(t *testing.T, conn net.Conn, greeting string) string {
	t.Helper()
	_, _ = io.WriteString(conn, greeting)          // it may be refused halfway
	answer, _ := io.ReadAll(bufio.NewReader(conn)) // to the end, or the error of a reset
	return string(answer)
}

// requireTakes has all workers come.
func requireTakes(t *testing.T, l *Launch) (workers []*Worker) {
	t.Helper()
	for rank := range l.n {
		conn := secured(t, l)
		_, err := fmt.Fprintf(conn, "execnet-launch 1 %s %d\n", l.identity.secret, rank)
		require.NoError(t, err)
		answer, err := readLine(conn, longestAnswer)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint("ok ", rank), answer)
	}
	for rank := range l.n {
		w, err := l.Claim(within.Soon(t), rank)
		require.NoError(t, err)
		workers = append(workers, w)
	}
	return workers
}

// TestStrangers has clients that are no workers: they learn nothing, and workers come all the same.
func TestStrangers(t *testing.T) {
	l := launched(t, 2, nil)
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "execnet-launch 1 x 0\n", strings.Repeat("\x16", 1<<16)} {
		assert.NotContains(t, says(t, connected(t, l), garbage), "ok")
	}
	for _, greeting := range []string{
		"execnet-launch 1 " + l.identity.secret[1:] + " 0\n", "execnet-launch 1  0\n", "execnet-launch 2 " + l.identity.secret + " 0\n",
		"hello\n", strings.Repeat("x", 1<<16), "execnet-launch 1 " + l.identity.secret + strings.Repeat(" ", 1000) + "0\n",
	} {
		assert.Empty(t, says(t, secured(t, l), greeting), greeting)
	}
	for rank, reason := range map[string]string{
		"2": "its rank is 2, and the launch has n=2 workers", "-1": "is no rank", "1x": "is no rank", "": "is no rank",
	} {
		assert.Contains(t, says(t, secured(t, l), "execnet-launch 1 "+l.identity.secret+" "+rank+"\n"), "no ")
		l.mu.Lock()
		assert.Contains(t, l.why, reason)
		l.mu.Unlock()
	}
	requireTakes(t, l)
	select {
	case <-l.all:
	default:
		t.Error("all have come")
	}
	_, err := l.Claim(within.Soon(t), 0)
	assert.ErrorIs(t, err, ErrAgain)
	// Nobody listens any more.
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", l.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 2*time.Minute, 10*time.Millisecond)
}

// TestSilentStrangers has more silent clients than there may be at their handshake: workers come
// when some of them have left.
func TestSilentStrangers(t *testing.T) {
	l := launched(t, 2, func(limits *limits) { limits.pending = 3 })
	var silent []net.Conn
	for range 3 {
		silent = append(silent, connected(t, l))
		conn := secured(t, l)
		silent = append(silent, conn)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		for _, conn := range silent {
			conn.Close()
		}
	})
	requireTakes(t, l)

	l = launched(t, 2, func(limits *limits) { limits.greeting = 50 * time.Millisecond })
	conn := connected(t, l)
	_, err := conn.Read(make([]byte, 1))
	assert.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it is closed there")
}

// TestLauncherStays has a launcher that does not end with its last worker.
func TestLauncherStays(t *testing.T) {
	l := launched(t, 2, func(limits *limits) { limits.leave = time.Millisecond })
	for _, w := range requireTakes(t, l) {
		require.NoError(t, w.CloseWrite())
		require.NoError(t, w.CloseRead())
		require.NoError(t, w.Wait(within.Soon(t)))
	}
	<-l.Done()
	assert.Equal(t, os.Signal(syscall.SIGTERM), l.process.Exit().Signal)
}

// TestEndDuringHandshakes ends a launch while clients are at their handshake.
func TestEndDuringHandshakes(t *testing.T) {
	l := launched(t, 2, nil)
	conn := connected(t, l)
	_, err := conn.Write([]byte{0x16})
	require.NoError(t, err)
	failed := make(chan error)
	go func() {
		_, err := l.Claim(context.Background(), 1)
		failed <- err
	}()
	l.End()
	assert.Error(t, <-failed)
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
}

// TestOtherCertificate has something else listen in the driver's place: it does not learn the
// secret.
func TestOtherCertificate(t *testing.T) {
	other, err := newIdentity()
	require.NoError(t, err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", other.config)
	require.NoError(t, err)
	defer listener.Close()
	heard := make(chan string)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all, _ := io.ReadAll(conn)
			conn.Close()
			heard <- string(all)
		}
	}()
	way := fmt.Sprintf("%s,%064d,the-secret", listener.Addr(), 0)
	for _, p := range pythons.All(t) {
		cmd := exec.Command(p.Path, "-u", "-c", program())
		cmd.Env = append(cmd.Environ(), variable+"="+way)
		out, err := cmd.CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), "is not the driver: it has another certificate", p.Version())
		assert.Empty(t, <-heard)
	}
	t.Setenv(variable, way)
	_, err = Connect(t.Context())
	assert.ErrorContains(t, err, "is not the driver: it has another certificate")
	assert.Empty(t, <-heard)
	_, err = Connect(t.Context())
	assert.ErrorIs(t, err, errNoVariable, "the first one has removed it")
}

// TestStray has a launcher that ends well and leaves its workers to themselves.
func TestStray(t *testing.T) {
	l := launchedBy(t, "sh -c 'exit 0'", 2, func(limits *limits) { limits.stray = time.Minute })
	<-l.launcher.ended
	requireTakes(t, l)

	l = launchedBy(t, "sh -c 'exit 0'", 1, func(limits *limits) { limits.stray = time.Millisecond })
	_, err := l.Claim(within.Soon(t), 0)
	assert.ErrorIs(t, err, ErrEnded)
	assert.ErrorContains(t, err, "the launcher has ended (exit status 0)")
	<-l.Done()
	_, err = l.Claim(within.Soon(t), 0)
	assert.ErrorIs(t, err, ErrAgain)
}

func TestNotice(t *testing.T) {
	l := launched(t, 3, func(limits *limits) { limits.silence = time.Hour })
	assert.Contains(t, l.notice(time.Minute), `execnet: 0 of 3 workers of "sh" have connected after 60 s`)
	assert.Contains(t, l.notice(time.Minute), "listen=ADDRESS")

	spec, err := xspec.Parse("launch=sh -c 'exec sleep 3600'//self")
	require.NoError(t, err)
	lines, notices := io.Pipe()
	limits := standardLimits
	limits.silence = time.Millisecond
	l, err = start(spec, nil, notices, limits)
	require.NoError(t, err)
	_, err = bufio.NewReader(lines).ReadString('\n')
	require.NoError(t, err)
	lines.Close()
	l.End()
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ listen, advertise, want string }{
		{"", "", `^127\.0\.0\.1:\d+$`},
		{"127.0.0.1", "", `^127\.0\.0\.1:\d+$`},
		{"127.0.0.1:0", "login1", `^login1:\d+$`},
		{"localhost", "login1:7000", `^login1:7000$`},
		{"", "2001:db8::1", `^\[2001:db8::1\]:\d+$`},
		{"", "[2001:db8::1]:7", `^\[2001:db8::1\]:7$`},
		{"0.0.0.0", "here", `^here:\d+$`},
	} {
		listener, address, err := listenAt(c.listen, c.advertise)
		require.NoError(t, err)
		assert.Regexp(t, c.want, address)
		listener.Close()
	}
	_, _, err := listenAt("", "a,b")
	assert.ErrorContains(t, err, "advertise=")
	_, _, err = listenAt("192.0.2.1", "")
	assert.ErrorContains(t, err, "listen=192.0.2.1")
}

func TestProgramIsOneWord(t *testing.T) {
	assert.NotContains(t, program(), "\n")
	assert.Equal(t, -1, strings.IndexAny(program(), `'\$!`))
	assert.True(t, IsProgram(program()))
	assert.True(t, Asked([]string{"-u", "-c", program()}))
	assert.False(t, Asked([]string{"-u", "-c", "print(1)"}))
	assert.Less(t, len(program()), 8<<10)
}
