package sshconfig

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"

	"github.com/go-execnet/execnet/internal/timeout"
)

// HostsCommand is a KnownHostsCommand: a program that prints lines as they stand in known_hosts
// files. The zero value is none.
type HostsCommand struct {
	words  []string
	tokens map[byte]string
}

// HostsQuestion is what such a command is asked for. Without a key it is asked for the host's keys
// before the host has shown one.
type HostsQuestion struct {
	// Host is %H: without a key the name alone, otherwise as in known_hosts files.
	Host string
	// Type, Base64 and Fingerprint are %t, %K and %f: the key that the host shows, or "".
	Type, Base64, Fingerprint string
}

// hostsCommand reads KnownHostsCommand.
func (r *values) hostsCommand(c *config) HostsCommand {
	const keyword = "KnownHostsCommand"
	words := c.words(keyword)
	if len(words) == 0 || unlessNone(words[0]) == "" {
		return HostsCommand{}
	}
	if !filepath.IsAbs(words[0]) {
		r.fail(keyword, "%q is not an absolute path", words[0])
	}
	h := HostsCommand{words, c.execTokens()}
	for _, word := range words {
		r.expand(keyword, word, h.with(HostsQuestion{}))
	}
	return h
}

// with returns the tokens for a question.
func (h HostsCommand) with(q HostsQuestion) map[byte]string {
	tokens := map[byte]string{'H': q.Host, 'I': "HOSTNAME", 't': q.Type, 'K': q.Base64, 'f': q.Fingerprint}
	if q.Type == "" {
		tokens['I'], tokens['t'], tokens['K'], tokens['f'] = "ORDER", "NONE", "NONE", "NONE"
	}
	for letter, value := range h.tokens {
		tokens[letter] = value
	}
	return tokens
}

// Given reports whether there is a command.
func (h HostsCommand) Given() bool { return len(h.words) > 0 }

// Run runs the command, without a shell, and returns what it prints; it returns "" for no command.
// As with OpenSSH, a command that fails is an error. The end of ctx kills it and what it has
// started.
func (h HostsCommand) Run(ctx context.Context, q HostsQuestion, stderr io.Writer) (string, error) {
	if !h.Given() {
		return "", nil
	}
	r := values{c: &config{}} // the tokens were checked before
	var argv []string
	for _, word := range h.words {
		argv = append(argv, r.expand("KnownHostsCommand", word, h.with(q)))
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = stderr
	cmd.WaitDelay = execWait
	inOwnGroup(cmd)
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return "", timeout.During(ctx, "ssh: KnownHostsCommand "+argv[0])
	case err != nil:
		return "", fmt.Errorf("KnownHostsCommand %s: %w", argv[0], err)
	}
	return string(out), nil
}
