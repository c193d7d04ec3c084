package sshclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/go-execnet/execnet/internal/sshconfig"
)

// HostKeyProblem is what is wrong with a host's key. The public name is gatewayio.HostKeyProblem.
type HostKeyProblem string

// The problems a HostKeyError can name.
const (
	// HostKeyUnknown: no file knows the host.
	HostKeyUnknown HostKeyProblem = "unknown"
	// HostKeyChanged: the host is known by another key.
	HostKeyChanged HostKeyProblem = "changed"
	// HostKeyRevoked: a file marks the key, or the authority that signed it, as revoked.
	HostKeyRevoked HostKeyProblem = "revoked"
	// HostKeyInvalid: the host's certificate is expired, made for another host, or not signed by a
	// known authority.
	HostKeyInvalid HostKeyProblem = "invalid"
	// HostKeyFile: a file with known hosts cannot be read, so that nothing can be said about the
	// key.
	HostKeyFile HostKeyProblem = "unreadable"
)

// HostKeyError says that the key with which a host identified itself is not accepted. Its message
// says what to do. The public name is gatewayio.HostKeyError.
type HostKeyError struct {
	// Host is the host as it stands in known_hosts files: "host" or "[host]:port".
	Host string
	// Problem is what is wrong.
	Problem HostKeyProblem
	// KeyType and Fingerprint ("SHA256:...") describe the key that the host showed. They are empty
	// for HostKeyFile.
	KeyType, Fingerprint string
	// Files are the known_hosts files that were looked into, the user's first.
	Files []string
	// Known lists where the keys stand that contradict this one, as "file:line".
	Known []string
	// Err is the underlying error.
	Err error

	strict sshconfig.Strictness
}

// Error says what is wrong, and which command lines correct it if the host's owner confirms the
// key.
func (e *HostKeyError) Error() string {
	key := strings.TrimSpace(e.KeyType + " " + e.Fingerprint)
	file := "~/.ssh/known_hosts"
	if len(e.Files) > 0 {
		file = e.Files[0]
	}
	switch e.Problem {
	case HostKeyUnknown:
		asked := ""
		if e.strict == sshconfig.StrictAsk {
			asked = " (StrictHostKeyChecking is ask, and there is nobody to ask)"
		}
		return fmt.Sprintf("execnet: ssh: the host key of %s is not known: %s stands in none of %s%s. If the host's owner confirms this fingerprint, add the key with `%s >> %s`, or set StrictHostKeyChecking=accept-new",
			e.Host, key, strings.Join(e.Files, ", "), asked, e.keyscan(), file)
	case HostKeyChanged:
		return fmt.Sprintf("execnet: ssh: the host key of %s has changed: it shows %s, but %s has another key. Either the host was installed again or somebody intercepts the connection. If its owner confirms the new fingerprint, remove the old key with `ssh-keygen -R '%s' -f %s` and add the new one with `%s >> %s`",
			e.Host, key, strings.Join(e.Known, ", "), e.Host, e.knownFile(), e.keyscan(), file)
	case HostKeyRevoked:
		return fmt.Sprintf("execnet: ssh: the host key of %s (%s) is marked as revoked in %s. Do not use this host before its owner has given it a new key", e.Host, key, strings.Join(e.Known, ", "))
	case HostKeyFile:
		return fmt.Sprintf("execnet: ssh: the host key of %s cannot be checked: %v. Correct or remove the file that it names", e.Host, e.Err)
	}
	return fmt.Sprintf("execnet: ssh: the host certificate of %s (%s) is not valid: %v. Ask the host's owner for a new one, or for the authority's key to put behind @cert-authority into %s", e.Host, key, e.Err, file)
}

// Unwrap returns the underlying error.
func (e *HostKeyError) Unwrap() error { return e.Err }

func (e *HostKeyError) keyscan() string {
	host, port, err := net.SplitHostPort(e.Host)
	if err != nil {
		return "ssh-keyscan " + e.Host
	}
	return "ssh-keyscan -p " + port + " " + host
}

func (e *HostKeyError) knownFile() string {
	if len(e.Known) == 0 {
		return "FILE"
	}
	return e.Known[0][:strings.LastIndexByte(e.Known[0], ':')]
}

// hostKeyCheck checks the key of one target for one connection.
type hostKeyCheck struct {
	target  *sshconfig.Target
	db      *knownhosts.HostKeyDB
	address string // host:port to look up
	files   []string
	warn    io.Writer
	// untrusted is set when a changed key was let through by StrictHostKeyChecking=no: as in
	// OpenSSH nothing secret is sent to such a host.
	untrusted bool
}

// newHostKeyCheck reads the known_hosts files of the target.
func newHostKeyCheck(t *sshconfig.Target, warn io.Writer) (*hostKeyCheck, error) {
	h := &hostKeyCheck{target: t, warn: warn, address: net.JoinHostPort(t.Host, strconv.Itoa(t.Port))}
	if t.HostKeyAlias != "" {
		if h.address = t.HostKeyAlias; !strings.HasPrefix(h.address, "[") {
			// An alias is written without a port, unless it names one.
			h.address = net.JoinHostPort(t.HostKeyAlias, "22")
		}
	}
	h.files = slices.Concat(t.UserKnownHosts, t.GlobalKnownHosts)
	var present []string
	for _, file := range h.files {
		if _, err := os.Stat(file); err == nil {
			present = append(present, file)
		}
	}
	var err error
	if h.db, err = knownhosts.NewDB(present...); err != nil {
		return nil, &HostKeyError{Host: h.host(), Problem: HostKeyFile, Files: h.files, Err: err, strict: t.Strict}
	}
	return h, nil
}

// host is the address in the form of known_hosts.
func (h *hostKeyCheck) host() string { return knownhosts.Normalize(h.address) }

// algorithms are the host key algorithms to offer: those of which a key is known first, so that a
// host with several keys shows the one that can be checked. Certificates are asked for only where
// an authority is known; otherwise a host that has both would show the one that says nothing here.
func (h *hostKeyCheck) algorithms() []string {
	allowed := h.target.HostKeyAlgorithms
	known := h.db.HostKeyAlgorithms(h.address)
	var first, rest []string
	for _, name := range known {
		if slices.Contains(allowed, name) {
			first = append(first, name)
		}
	}
	for _, name := range allowed {
		if !slices.Contains(first, name) && !strings.Contains(name, "-cert-v01@") {
			rest = append(rest, name)
		}
	}
	return slices.Concat(first, rest)
}

// check is an ssh.HostKeyCallback.
func (h *hostKeyCheck) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	if _, ok := remote.(*net.TCPAddr); !ok {
		// A proxy command has no address, and the library needs one.
		remote = &net.TCPAddr{IP: net.IPv4zero}
	}
	err := h.db.HostKeyCallback()(h.address, remote, key)
	if err == nil {
		return nil
	}
	failure := &HostKeyError{
		Host: h.host(), Problem: HostKeyInvalid, KeyType: key.Type(), Fingerprint: ssh.FingerprintSHA256(key),
		Files: h.files, Err: err, strict: h.target.Strict,
	}
	if _, ok := key.(*ssh.Certificate); !ok {
		failure.Problem = HostKeyFile
	}
	var mismatch *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		failure.Problem = HostKeyRevoked
		failure.Known = []string{fmt.Sprintf("%s:%d", revoked.Revoked.Filename, revoked.Revoked.Line)}
	case errors.As(err, &mismatch):
		failure.Problem = HostKeyUnknown
		for _, known := range mismatch.Want {
			if h.isAuthority(known.Key) {
				continue // it says nothing about a host that shows a plain key
			}
			failure.Problem = HostKeyChanged
			failure.Known = append(failure.Known, fmt.Sprintf("%s:%d", known.Filename, known.Line))
		}
	}
	strict := h.target.Strict
	switch {
	case failure.Problem == HostKeyUnknown && (strict == sshconfig.StrictAcceptNew || strict == sshconfig.StrictNo):
		h.remember(key)
		return nil
	case failure.Problem == HostKeyChanged && strict == sshconfig.StrictNo:
		h.untrusted = true
		fmt.Fprintf(h.warn, "warning: %v (StrictHostKeyChecking is no: going on without password and keyboard-interactive authentication)\n", failure)
		return nil
	}
	return failure
}

func (h *hostKeyCheck) isAuthority(key ssh.PublicKey) bool {
	return slices.ContainsFunc(h.db.HostKeys(h.address), func(known knownhosts.PublicKey) bool {
		return known.Cert && bytes.Equal(known.Marshal(), key.Marshal())
	})
}

// hostKeyWrites keeps the connections of this process from writing into each other's lines.
var hostKeyWrites sync.Mutex

// remember writes a new host's key into the user's first known_hosts file. If that fails the
// connection goes on, as with OpenSSH, and a warning is printed.
func (h *hostKeyCheck) remember(key ssh.PublicKey) {
	if len(h.target.UserKnownHosts) == 0 {
		return
	}
	file := h.target.UserKnownHosts[0]
	name := h.host()
	if h.target.HashKnownHosts {
		name = xknownhosts.HashHostname(name)
	}
	line := name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + "\n"
	if err := appendLine(file, line); err != nil {
		fmt.Fprintf(h.warn, "warning: execnet: ssh: the new host key of %s (%s %s) is accepted but could not be kept: %v\n", h.host(), key.Type(), ssh.FingerprintSHA256(key), err)
	}
}

// appendLine adds a line to a file in one write, after the end of the last line even if that has no
// newline.
func appendLine(file, line string) error {
	hostKeyWrites.Lock()
	defer hostKeyWrites.Unlock()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err := io.WriteString(f, line); err != nil {
		return err
	}
	return f.Close()
}
