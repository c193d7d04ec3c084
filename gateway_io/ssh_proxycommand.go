package gatewayio

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// proxyCommandConn is the stdin and stdout of a ProxyCommand.
type proxyCommandConn struct {
	io.Reader
	io.Writer
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout io.Closer
	once   sync.Once
}

// proxyCommandPatience is how long what a killed ProxyCommand has started may hold its stderr open.
const proxyCommandPatience = time.Second

// startProxyCommand runs command through the user's shell, as OpenSSH does.
func startProxyCommand(command string, stderr io.Writer) (net.Conn, error) {
	shell, args := cmp.Or(os.Getenv("SHELL"), "/bin/sh"), []string{"-c", "exec " + command}
	if runtime.GOOS == "windows" {
		shell, args = cmp.Or(os.Getenv("COMSPEC"), "cmd.exe"), []string{"/c", command}
	}
	cmd := exec.Command(shell, args...)
	cmd.Stderr = stderr
	cmd.WaitDelay = proxyCommandPatience
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("ssh: ProxyCommand %s: %w", command, err)
	}
	return &proxyCommandConn{Reader: stdout, Writer: stdin, cmd: cmd, stdin: stdin, stdout: stdout}, nil
}

// Close implements net.Conn: the command is killed and reaped.
func (c *proxyCommandConn) Close() error {
	c.once.Do(func() {
		c.stdin.Close()
		_ = c.cmd.Process.Kill()
		c.stdout.Close()
		_ = c.cmd.Wait()
	})
	return nil
}

// LocalAddr implements net.Conn.
func (c *proxyCommandConn) LocalAddr() net.Addr { return proxyCommandAddr{} }

// RemoteAddr implements net.Conn.
func (c *proxyCommandConn) RemoteAddr() net.Addr { return proxyCommandAddr{} }

// SetDeadline implements net.Conn; the ssh client sets none.
func (c *proxyCommandConn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline implements net.Conn.
func (c *proxyCommandConn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline implements net.Conn.
func (c *proxyCommandConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// proxyCommandAddr stands where an address is wanted and there is none.
type proxyCommandAddr struct{}

// Network implements net.Addr.
func (proxyCommandAddr) Network() string { return "proxycommand" }

// String implements net.Addr.
func (proxyCommandAddr) String() string { return "proxycommand" }
