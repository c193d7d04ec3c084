package sshclient

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/sshconfig"
)

// The markers that a line of a known_hosts file can begin with.
const (
	markerAuthority = "@cert-authority"
	markerRevoked   = "@revoked"
)

// knownLine is one line of a known_hosts file that can be used.
type knownLine struct {
	marker string        // "" for the key of a host
	hosts  string        // patterns, or one hashed name
	key    ssh.PublicKey // nil until the line is needed
	text   string        // the key as it stands there
	where  string        // "file:line"
}

// readKnownHosts reads the lines of known_hosts files. Like OpenSSH it leaves out what it cannot
// use: files that cannot be read, lines of SSH 1, unknown key types, damaged lines. (The libraries
// for this, golang.org/x/crypto/ssh/knownhosts and what builds on it, give up at the first line of
// that kind.) A damaged line with @revoked is left out, too, but not without a warning.
func readKnownHosts(files []string, warn io.Writer) []knownLine {
	var lines []knownLine
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil {
			lines = append(lines, splitKnownLines(file, string(content), warn)...)
		}
	}
	return lines
}

// splitKnownLines returns the usable lines of a text that comes from a file of this name.
func splitKnownLines(file, content string, warn io.Writer) []knownLine {
	var lines []knownLine
	number := 0
	for text := range strings.SplitSeq(content, "\n") {
		number++
		line, ok := splitKnownLine(text)
		if !ok {
			continue
		}
		line.where = fmt.Sprintf("%s:%d", file, number)
		if line.marker == markerRevoked {
			var err error
			if line.key, err = parseKey(line.text); err != nil {
				fmt.Fprintf(warn, "warning: execnet: ssh: %s: this %s line has no effect: %v\n", line.where, markerRevoked, err)
				continue
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// splitKnownLine splits a line into marker, hosts and key; ok is false for a comment and for a line
// that has too few parts or an unknown marker.
func splitKnownLine(text string) (line knownLine, ok bool) {
	text = strings.Trim(text, " \t\r")
	if text == "" || text[0] == '#' {
		return line, false
	}
	first, rest := cutWord(text)
	if first[0] == '@' {
		if first != markerAuthority && first != markerRevoked {
			return line, false
		}
		line.marker = first
		first, rest = cutWord(rest)
	}
	line.hosts, line.text = first, rest
	return line, line.hosts != "" && line.text != ""
}

// cutWord returns the first word of a text and what is behind it.
func cutWord(text string) (word, rest string) {
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], " \t")
}

// parseKey reads a key as it stands in known_hosts files: type, base64, and perhaps a comment.
func parseKey(text string) (ssh.PublicKey, error) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return nil, errors.New("it has no key")
	}
	blob, err := base64.StdEncoding.DecodeString(words[1])
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePublicKey(blob)
	if err == nil && key.Type() != words[0] {
		err = fmt.Errorf("it says %s, but the key is of the type %s", words[0], key.Type())
	}
	return key, err
}

// linesFor returns the usable lines for a host, which is given as it stands in such files: "host"
// or "[host]:port".
func linesFor(lines []knownLine, host string) []knownLine {
	var found []knownLine
	for _, line := range lines {
		if line.marker == markerRevoked || !matchHosts(line.hosts, host) {
			continue
		}
		var err error
		if line.key, err = parseKey(line.text); err == nil {
			found = append(found, line)
		}
	}
	return found
}

// matchHosts matches a host with patterns, or with a hashed name.
func matchHosts(hosts, host string) bool {
	if hashed, ok := strings.CutPrefix(hosts, "|1|"); ok {
		salt64, sum64, _ := strings.Cut(hashed, "|")
		salt, saltErr := base64.StdEncoding.DecodeString(salt64)
		sum, sumErr := base64.StdEncoding.DecodeString(sum64)
		mac := hmac.New(sha1.New, salt)
		mac.Write([]byte(host))
		return saltErr == nil && sumErr == nil && hmac.Equal(sum, mac.Sum(nil))
	}
	return sshconfig.MatchPatterns(strings.Split(strings.ToLower(hosts), ","), strings.ToLower(host))
}

// lineWith returns the line with this marker and key, nil if there is none.
func lineWith(lines []knownLine, marker string, key ssh.PublicKey) *knownLine {
	for i, line := range lines {
		if line.marker == marker && bytes.Equal(line.key.Marshal(), key.Marshal()) {
			return &lines[i]
		}
	}
	return nil
}

// krlMagic is how a file that ssh-keygen -k has made begins.
const krlMagic = "SSHKRL\n\x00"

// readRevoked reads the files of RevokedHostKeys: a public key on each line. As with OpenSSH, a
// file that cannot be read lets no host in.
func readRevoked(files []string) ([]knownLine, error) {
	var lines []knownLine
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(content, []byte(krlMagic)) {
			return nil, &sshconfig.UnsupportedError{What: "RevokedHostKeys " + file + ", which is a KRL, not a list of public keys"}
		}
		number := 0
		for text := range strings.SplitSeq(string(content), "\n") {
			number++
			text = strings.TrimSpace(text)
			if text == "" || text[0] == '#' {
				continue
			}
			line := knownLine{marker: markerRevoked, where: fmt.Sprintf("%s:%d", file, number)}
			if line.key, err = parseKey(text); err != nil {
				return nil, fmt.Errorf("%s: %w", line.where, err)
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}
