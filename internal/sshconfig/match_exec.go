package sshconfig

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/go-execnet/execnet/internal/timeout"
)

// execWait is how long what a command of "Match exec" has left behind may hold its stderr open.
const execWait = time.Second

// matchExec evaluates "Match exec": whether a command succeeds in the user's shell. As with
// OpenSSH, its stdin is empty, what it prints goes nowhere, and what it writes to stderr is shown.
// The end of c.ctx kills it and what it has started.
func (c *config) matchExec(command, where string) (bool, error) {
	r := values{c: c}
	command = r.expand("Match exec", command, c.execTokens())
	if r.err != nil {
		return false, fmt.Errorf("%s: %w", where, r.err)
	}
	ctx := cmp.Or(c.ctx, context.Background())
	cmd := UserShell(ctx, command)
	cmd.Stderr = c.stderr
	cmd.WaitDelay = execWait
	inOwnGroup(cmd)
	err := cmd.Run()
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, timeout.During(ctx, fmt.Sprintf("Match exec %q (%s)", command, where))
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return true, nil
	case errors.As(err, &status) && status.Exited():
		return false, nil
	}
	return false, fmt.Errorf("%s: Match exec %q: %w", where, command, err)
}

// UserShell returns a command for the user's shell.
func UserShell(ctx context.Context, command string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.CommandContext(ctx, cmp.Or(os.Getenv("COMSPEC"), "cmd.exe"), "/c", command)
	}
	return exec.CommandContext(ctx, cmp.Or(os.Getenv("SHELL"), "/bin/sh"), "-c", command)
}

// execTokens are the % tokens of "Match exec", from what the lines read so far tell.
func (c *config) execTokens() map[byte]string {
	host, user, port := c.hostName(), cmp.Or(c.get("User"), c.localUser), cmp.Or(c.get("Port"), "22")
	tokens := localTokens(c)
	jump := c.proxyJump()
	// %C is a name for the connection, made of the others.
	hash := sha1.Sum([]byte(tokens['l'] + host + port + user + jump))
	tokens['C'] = hex.EncodeToString(hash[:])
	tokens['h'], tokens['n'], tokens['p'], tokens['r'] = host, c.alias, port, user
	tokens['j'] = jump
	tokens['k'] = cmp.Or(c.get("HostKeyAlias"), host)
	return tokens
}

// localTokens are the % tokens that say something of this machine and its user.
func localTokens(c *config) map[byte]string {
	local, short := hostNames()
	return map[byte]string{'d': c.home, 'i': strconv.Itoa(os.Getuid()), 'l': local, 'L': short, 'u': c.localUser}
}
