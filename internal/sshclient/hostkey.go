package sshclient

import (
	"context"
	"encoding/base64"
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

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/go-execnet/execnet/internal/errtext"
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
	// known authority, or the host's RSA key is shorter than RequiredRSASize.
	HostKeyInvalid HostKeyProblem = "invalid"
	// HostKeyFile: a file of RevokedHostKeys cannot be read, so that nothing can be said about the
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

	asked error // where StrictHostKeyChecking is ask: why the answer was not yes
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
		if e.asked != nil {
			asked = " (StrictHostKeyChecking is ask, and " + errtext.Of(e.asked) + ")"
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
	if !strings.Contains(e.KeyType, "-cert-v01@") {
		return fmt.Sprintf("execnet: ssh: the host key of %s (%s) is not accepted: %v", e.Host, key, e.Err)
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
	ctx     context.Context // bounds KnownHostsCommand
	target  *sshconfig.Target
	address string // host:port to look up
	files   []string
	known   []knownLine // what the files say of the host
	// otherPort is what they say of the same host with port 22. As with OpenSSH, a key that stands
	// there is trusted, too, and another one means nothing.
	otherPort []knownLine
	revoked   []knownLine
	options   *Options
	stderr    io.Writer
	prompt    *prompter
	// untrusted is set when a changed key was let through by StrictHostKeyChecking=no: as in
	// OpenSSH nothing secret is sent to such a host.
	untrusted bool
}

// newHostKeyCheck reads the known_hosts files of the target.
func newHostKeyCheck(ctx context.Context, t *sshconfig.Target, options *Options, stderr io.Writer, prompt *prompter) (*hostKeyCheck, error) {
	h := &hostKeyCheck{ctx: ctx, target: t, options: options, stderr: stderr, prompt: prompt, address: net.JoinHostPort(t.Host, strconv.Itoa(t.Port))}
	if t.HostKeyAlias != "" {
		if h.address = t.HostKeyAlias; !strings.HasPrefix(h.address, "[") {
			// An alias is written without a port, unless it names one.
			h.address = net.JoinHostPort(t.HostKeyAlias, "22")
		}
	}
	h.files = slices.Concat(t.UserKnownHosts, t.GlobalKnownHosts)
	bare, _, _ := net.SplitHostPort(h.address) // OpenSSH leaves the port out here
	lines, err := h.readAll(stderr, sshconfig.HostsQuestion{Host: bare})
	if err != nil {
		return nil, &HostKeyError{Host: h.host(), Problem: HostKeyFile, Files: h.files, Err: err}
	}
	h.look(lines)
	h.revoked, err = readRevoked(t.RevokedHostKeys)
	var unsupported *sshconfig.UnsupportedError
	if errors.As(err, &unsupported) {
		return nil, err
	}
	if err != nil {
		return nil, &HostKeyError{Host: h.host(), Problem: HostKeyFile, Files: t.RevokedHostKeys, Err: err}
	}
	h.addRevoked(lines)
	return h, nil
}

// readAll reads the known_hosts files and what KnownHostsCommand prints.
func (h *hostKeyCheck) readAll(warn io.Writer, question sshconfig.HostsQuestion) ([]knownLine, error) {
	printed, err := h.target.HostsCommand.Run(h.ctx, question, h.stderr)
	if err != nil {
		return nil, err
	}
	return append(readKnownHosts(h.files, warn), splitKnownLines("KnownHostsCommand", printed, warn)...), nil
}

// addRevoked adds the lines of known_hosts files that revoke keys.
func (h *hostKeyCheck) addRevoked(lines []knownLine) {
	for _, line := range lines {
		if line.marker == markerRevoked {
			h.revoked = append(h.revoked, line)
		}
	}
}

// look finds what the lines of known_hosts files say of the host.
func (h *hostKeyCheck) look(lines []knownLine) {
	h.known = linesFor(lines, h.host())
	if bare, port, err := net.SplitHostPort(h.address); err == nil && port != "22" {
		h.otherPort = linesFor(lines, bare)
	}
}

// host is the address in the form of known_hosts.
func (h *hostKeyCheck) host() string { return knownhosts.Normalize(h.address) }

// trusted are the lines whose keys are accepted.
func (h *hostKeyCheck) trusted() []knownLine { return slices.Concat(h.known, h.otherPort) }

// algorithms are the host key algorithms to offer: those of which a key is known first, so that a
// host with several keys shows the one that can be checked. Certificates are asked for only where
// an authority is known; otherwise a host that has both would show the one that says nothing here.
func (h *hostKeyCheck) algorithms() []string {
	authority := false
	types := map[string]bool{}
	for _, line := range h.trusted() {
		if line.marker == markerAuthority {
			authority = true
		} else {
			types[line.key.Type()] = true
		}
	}
	var first, rest []string
	for _, name := range h.target.HostKeyAlgorithms {
		format := name
		if name == ssh.KeyAlgoRSASHA256 || name == ssh.KeyAlgoRSASHA512 {
			format = ssh.KeyAlgoRSA
		}
		switch certificate := strings.Contains(name, "-cert-v01@"); {
		case types[format], certificate && authority:
			first = append(first, name)
		case !certificate:
			rest = append(rest, name)
		}
	}
	return slices.Concat(first, rest)
}

// check is an ssh.HostKeyCallback.
func (h *hostKeyCheck) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	failure := &HostKeyError{
		Host: h.host(), KeyType: key.Type(), Fingerprint: ssh.FingerprintSHA256(key), Files: h.files,
	}
	plain := plainKey(key)
	if err := h.askCommand(key); err != nil {
		failure.Problem, failure.Err = HostKeyFile, err
		return failure
	}
	certificate, certified := key.(*ssh.Certificate)
	line := lineWith(h.revoked, markerRevoked, plain)
	if line == nil && certified {
		line = lineWith(h.revoked, markerRevoked, certificate.SignatureKey)
	}
	if line != nil {
		failure.Problem, failure.Known, failure.Err = HostKeyRevoked, []string{line.where}, errors.New("the key is revoked")
		return failure
	}
	if bits := rsaBits(plain); bits > 0 && bits < h.target.MinRSABits {
		failure.Problem, failure.Err = HostKeyInvalid, fmt.Errorf("it is an RSA key of %d bits, and RequiredRSASize is %d", bits, h.target.MinRSABits)
		return failure
	}
	if certified {
		failure.Problem = HostKeyInvalid
		if failure.Err = h.checkCertificate(certificate, remote); failure.Err == nil {
			return nil
		}
	}
	if lineWith(h.trusted(), "", plain) != nil {
		return nil // as with OpenSSH also if it stands in a certificate that is not valid
	}
	if certified {
		return failure
	}
	failure.Problem, failure.Err = HostKeyUnknown, errors.New("the key is not known")
	for _, line := range h.known {
		if line.marker == "" { // an authority says nothing about a host that shows a plain key
			failure.Problem, failure.Err = HostKeyChanged, errors.New("another key is known")
			failure.Known = append(failure.Known, line.where)
		}
	}
	strict := h.target.Strict
	switch {
	case failure.Problem == HostKeyUnknown && (strict == sshconfig.StrictAcceptNew || strict == sshconfig.StrictNo):
		h.remember(key)
		return nil
	case failure.Problem == HostKeyUnknown && strict == sshconfig.StrictAsk:
		if failure.asked = h.ask(key); failure.asked == nil {
			return nil
		}
		failure.Err = failure.asked
	case failure.Problem == HostKeyChanged && strict == sshconfig.StrictNo:
		h.untrusted = true
		fmt.Fprintf(h.stderr, "warning: %v (StrictHostKeyChecking is no: going on without password and keyboard-interactive authentication)\n", failure)
		return nil
	}
	return failure
}

// askCommand runs KnownHostsCommand again, with the key that the host shows.
func (h *hostKeyCheck) askCommand(key ssh.PublicKey) error {
	if !h.target.HostsCommand.Given() {
		return nil
	}
	question := sshconfig.HostsQuestion{
		Host: h.host(), Type: key.Type(), Base64: base64.StdEncoding.EncodeToString(key.Marshal()), Fingerprint: ssh.FingerprintSHA256(key),
	}
	lines, err := h.readAll(io.Discard, question)
	h.look(lines)
	h.addRevoked(lines)
	return err
}

// Why a key that may be asked for is not trusted.
var (
	errNobodyToAsk  = errors.New("there is nobody to ask")
	errNotConfirmed = errors.New("the answer was no")
)

// ask asks whether to trust the key of an unknown host, and keeps it if so. While it waited for its
// turn to ask, another connection may have been told that the key is trusted.
func (h *hostKeyCheck) ask(key ssh.PublicKey) error {
	if h.options.UnknownHost == nil || h.target.BatchMode {
		return errNobodyToAsk
	}
	trusted, err := ask(h.prompt, func() (bool, error) {
		if known := linesFor(readKnownHosts(h.target.UserKnownHosts, io.Discard), h.host()); lineWith(known, "", key) != nil {
			return true, nil
		}
		trusted, err := h.options.UnknownHost(h.host(), key.Type(), ssh.FingerprintSHA256(key))
		if trusted && err == nil {
			h.remember(key)
		}
		return trusted, err
	})
	if err == nil && !trusted {
		err = errNotConfirmed
	}
	return err
}

// checkCertificate checks that an authority which is known for the host has signed a certificate,
// and that it is a valid one for the host.
func (h *hostKeyCheck) checkCertificate(certificate *ssh.Certificate, remote net.Addr) error {
	if format := certificate.Signature.Format; !slices.Contains(h.target.CASignatures, format) {
		return fmt.Errorf("its signature is %s, which is not among CASignatureAlgorithms", format)
	}
	checker := ssh.CertChecker{IsHostAuthority: func(authority ssh.PublicKey, _ string) bool {
		return lineWith(h.trusted(), markerAuthority, authority) != nil
	}}
	return checker.CheckHostKey(h.address, remote, certificate)
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
		name = knownhosts.HashHostname(name)
	}
	line := name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + "\n"
	if err := appendLine(file, line); err != nil {
		fmt.Fprintf(h.stderr, "warning: execnet: ssh: the new host key of %s (%s %s) is accepted but could not be kept: %v\n", h.host(), key.Type(), ssh.FingerprintSHA256(key), err)
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
