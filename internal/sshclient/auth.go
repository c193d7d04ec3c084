package sshclient

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/sshconfig"
)

// AuthError says that the host was reached and its key accepted, but that it did not accept the
// user by any of the methods that were tried. The public name is gatewayio.SSHAuthError.
type AuthError struct {
	// Host is the host that refused, with its port unless that is 22; User is the user's name on
	// it.
	Host, User string
	// Tried lists what was offered, in order, as "publickey /home/me/.ssh/id_ed25519 (SHA256:...)".
	Tried []string
	// Skipped lists what was there but could not be offered, with the reason.
	Skipped []string
	// Accepts lists the methods that the host still named in its last answer.
	Accepts []string
	// Err is the last error on the way, nil if the host only refused.
	Err error
}

// Error says what was tried, what was not and why, and what the host accepts.
func (e *AuthError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: ssh: %s does not let %s in", e.Host, e.User)
	if len(e.Tried) == 0 {
		b.WriteString("; nothing could be tried")
	} else {
		b.WriteString("; tried " + strings.Join(e.Tried, ", "))
	}
	if len(e.Skipped) > 0 {
		b.WriteString("; not tried: " + strings.Join(e.Skipped, ", "))
	}
	if len(e.Accepts) > 0 {
		b.WriteString("; the host accepts " + strings.Join(e.Accepts, ", "))
		for _, method := range e.Accepts {
			if method == "gssapi-with-mic" || method == "hostbased" {
				b.WriteString(" (for " + method + " add sshclient=openssh to the spec)")
			}
		}
	}
	if e.Err != nil {
		b.WriteString(": " + errtext.Of(e.Err))
	}
	return b.String()
}

// Unwrap returns the last error on the way.
func (e *AuthError) Unwrap() error { return e.Err }

// authenticator logs one connection's user in: it gives x/crypto one key or method after the other
// to try and keeps the record that an AuthError shows.
type authenticator struct {
	target  *sshconfig.Target
	options *Options
	prompt  *prompter
	hostKey *hostKeyCheck

	agent   io.Closer // nil for none
	keys    []keyCandidate
	prompts map[string]int // how often each method has asked

	tried, skipped, accepts []string
	lastErr                 error
}

// keyCandidate is a key to try.
type keyCandidate struct {
	signer ssh.Signer
	source string // "agent" or a file
}

// newAuthenticator collects the keys for a target. Close ends the connection to the agent.
func newAuthenticator(t *sshconfig.Target, o *Options, prompt *prompter, hostKey *hostKeyCheck) *authenticator {
	a := &authenticator{target: t, options: o, prompt: prompt, hostKey: hostKey, prompts: map[string]int{}}
	if slices.Contains(t.AuthMethods, sshconfig.PublicKey) {
		a.collectKeys()
	}
	return a
}

func (a *authenticator) Close() {
	if a.agent != nil {
		a.agent.Close()
	}
}

// next is an ssh.ClientAuthCallback: it returns what to try next, each key by itself, so that one
// that fails to sign does not keep the others from being tried.
func (a *authenticator) next(ctx *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	a.accepts = ctx.AllowedMethods
	for _, method := range a.target.AuthMethods {
		if !slices.Contains(ctx.AllowedMethods, method) {
			continue
		}
		switch method {
		case sshconfig.PublicKey:
			if len(a.keys) > 0 {
				candidate := a.keys[0]
				a.keys = a.keys[1:]
				a.tried = append(a.tried, "publickey "+candidate.describe())
				return ssh.PublicKeys(&recordingSigner{candidate.signer, a}), nil
			}
		case sshconfig.KeyboardInteractive:
			if a.mayAsk(method, a.options.KeyboardInteractive != nil, "KeyboardInteractive") {
				return ssh.KeyboardInteractive(a.answer), nil
			}
		case sshconfig.Password:
			if a.mayAsk(method, a.options.Password != nil, "Password") {
				return ssh.PasswordCallback(a.password), nil
			}
		}
	}
	return nil, a.failure(a.lastErr)
}

// failure is the error for a host that accepts the user by none of the methods tried.
func (a *authenticator) failure(err error) error {
	return &AuthError{
		Host: a.target.Address(), User: a.target.User, Tried: a.tried, Skipped: a.skipped, Accepts: a.accepts, Err: err,
	}
}

// mayAsk reports whether a method that asks somebody can be tried once more.
func (a *authenticator) mayAsk(method string, canAsk bool, callback string) bool {
	reason := ""
	switch {
	case a.hostKey.untrusted:
		reason = "the host key has changed"
	case !canAsk:
		reason = "there is no " + callback + " callback to ask"
	case a.prompts[method] >= a.target.Prompts:
		return false
	}
	if reason != "" {
		if entry := method + " (" + reason + ")"; !slices.Contains(a.skipped, entry) {
			a.skipped = append(a.skipped, entry)
		}
		return false
	}
	a.prompts[method]++
	a.tried = append(a.tried, method)
	return true
}

func (a *authenticator) password() (string, error) {
	secret, err := ask(a.prompt, func() (string, error) {
		return a.options.Password(a.target.User, a.target.Address())
	})
	return secret, a.record(err)
}

func (a *authenticator) answer(name, instruction string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil // the host only tells something, or closes the conversation
	}
	if name != "" {
		instruction = strings.TrimSpace(name + "\n" + instruction)
	}
	answers, err := ask(a.prompt, func() ([]string, error) {
		return a.options.KeyboardInteractive(a.target.User, a.target.Address(), instruction, questions, echos)
	})
	if err == nil && len(answers) != len(questions) {
		err = fmt.Errorf("the KeyboardInteractive callback gave %d answers to %d questions", len(answers), len(questions))
	}
	return answers, a.record(err)
}

// record keeps an error for the AuthError; a callback that fails is not called again.
func (a *authenticator) record(err error) error {
	if err != nil {
		a.lastErr = err
		a.prompts[sshconfig.KeyboardInteractive], a.prompts[sshconfig.Password] = a.target.Prompts, a.target.Prompts
	}
	return err
}

func (c keyCandidate) describe() string {
	return c.source + " (" + c.signer.PublicKey().Type() + " " + ssh.FingerprintSHA256(c.signer.PublicKey()) + ")"
}

// recordingSigner keeps the error of a signature that fails, because of a wrong passphrase or an
// agent that refuses.
type recordingSigner struct {
	ssh.Signer
	auth *authenticator
}

// Algorithms implements ssh.MultiAlgorithmSigner, whichever of the signer interfaces the signer
// below has.
func (s *recordingSigner) Algorithms() []string {
	if signer, ok := s.Signer.(ssh.MultiAlgorithmSigner); ok {
		return signer.Algorithms()
	}
	format := s.PublicKey().Type()
	if certificate, ok := s.PublicKey().(*ssh.Certificate); ok {
		format = certificate.Key.Type()
	}
	if _, ok := s.Signer.(ssh.AlgorithmSigner); ok {
		return signatureAlgorithms(format)
	}
	return []string{format}
}

// SignWithAlgorithm implements ssh.AlgorithmSigner.
func (s *recordingSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	var signature *ssh.Signature
	var err error
	if signer, ok := s.Signer.(ssh.AlgorithmSigner); ok {
		signature, err = signer.SignWithAlgorithm(rand, data, algorithm)
	} else {
		signature, err = s.Sign(rand, data)
	}
	if err != nil {
		s.auth.lastErr = err
	}
	return signature, err
}

// signatureAlgorithms are the algorithms with which a key of this format signs, best first.
func signatureAlgorithms(format string) []string {
	if format == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA}
	}
	return []string{format}
}

// Why nobody is asked for a key's passphrase.
var (
	errNoPassphrase = errors.New("it is encrypted, and there is no Passphrase callback to ask; load it into an agent with ssh-add, or set one")
	errBatchMode    = errors.New("it is encrypted, and BatchMode is yes; load it into an agent with ssh-add")
)
