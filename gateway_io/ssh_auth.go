package gatewayio

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// sshAuth lets one connection's user in: it hands x/crypto one thing to try after the other and
// keeps the record that an SSHAuthError shows.
type sshAuth struct {
	target  *sshTarget
	options *SSHOptions
	prompt  *sshPrompts
	hostKey *hostKeyCheck

	agent   io.Closer // nil for none
	keys    []sshCandidate
	prompts map[string]int // how often each method has asked

	tried, skipped, accepts []string
	lastErr                 error
}

// sshCandidate is a key to try.
type sshCandidate struct {
	signer ssh.Signer
	source string // "agent" or a file
}

// newSSHAuth collects the keys for a target. Close ends the connection to the agent.
func newSSHAuth(t *sshTarget, o *SSHOptions, prompt *sshPrompts, hostKey *hostKeyCheck) *sshAuth {
	a := &sshAuth{target: t, options: o, prompt: prompt, hostKey: hostKey, prompts: map[string]int{}}
	if slices.Contains(t.authMethods, sshPublicKey) {
		a.collectKeys()
	}
	return a
}

func (a *sshAuth) Close() {
	if a.agent != nil {
		a.agent.Close()
	}
}

// next is an ssh.ClientAuthCallback: it returns what to try next, each key by itself, so that one
// that fails to sign does not keep the others from being tried.
func (a *sshAuth) next(ctx *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	a.accepts = ctx.AllowedMethods
	for _, method := range a.target.authMethods {
		if !slices.Contains(ctx.AllowedMethods, method) {
			continue
		}
		switch method {
		case sshPublicKey:
			if len(a.keys) > 0 {
				candidate := a.keys[0]
				a.keys = a.keys[1:]
				a.tried = append(a.tried, "publickey "+candidate.describe())
				return ssh.PublicKeys(&notingSigner{candidate.signer, a}), nil
			}
		case sshKeyboard:
			if a.mayAsk(method, a.options.KeyboardInteractive != nil, "KeyboardInteractive") {
				return ssh.KeyboardInteractive(a.answer), nil
			}
		case sshPasswordKey:
			if a.mayAsk(method, a.options.Password != nil, "Password") {
				return ssh.PasswordCallback(a.password), nil
			}
		}
	}
	return nil, a.failure(a.lastErr)
}

// failure is the error for a host that lets the user in by none of the ways tried.
func (a *sshAuth) failure(err error) error {
	return &SSHAuthError{
		Host: a.target.address(), User: a.target.user, Tried: a.tried, Skipped: a.skipped, Accepts: a.accepts, Err: err,
	}
}

// mayAsk reports whether a method that asks somebody can be tried once more.
func (a *sshAuth) mayAsk(method string, canAsk bool, callback string) bool {
	reason := ""
	switch {
	case a.hostKey.untrusted:
		reason = "the host key has changed"
	case !canAsk:
		reason = "there is no " + callback + " callback to ask"
	case a.prompts[method] >= a.target.prompts:
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

func (a *sshAuth) password() (string, error) {
	var secret string
	err := a.prompt.ask(func() (err error) {
		secret, err = a.options.Password(a.target.user, a.target.address())
		return err
	})
	return secret, a.note(err)
}

func (a *sshAuth) answer(name, instruction string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil // the host only tells something, or closes the conversation
	}
	if name != "" {
		instruction = strings.TrimSpace(name + "\n" + instruction)
	}
	var answers []string
	err := a.prompt.ask(func() (err error) {
		answers, err = a.options.KeyboardInteractive(a.target.user, a.target.address(), instruction, questions, echos)
		return err
	})
	if err == nil && len(answers) != len(questions) {
		err = fmt.Errorf("the KeyboardInteractive callback gave %d answers to %d questions", len(answers), len(questions))
	}
	return answers, a.note(err)
}

// note keeps an error for the final message; a callback that fails is not asked again.
func (a *sshAuth) note(err error) error {
	if err != nil {
		a.lastErr = err
		a.prompts[sshKeyboard], a.prompts[sshPasswordKey] = a.target.prompts, a.target.prompts
	}
	return err
}

func (c sshCandidate) describe() string {
	return c.source + " (" + c.signer.PublicKey().Type() + " " + ssh.FingerprintSHA256(c.signer.PublicKey()) + ")"
}

// notingSigner keeps the error of a signature that fails: a wrong passphrase, an agent that
// refuses.
type notingSigner struct {
	ssh.Signer
	auth *sshAuth
}

// Algorithms implements ssh.MultiAlgorithmSigner, whichever of the signer interfaces the signer
// below has.
func (s *notingSigner) Algorithms() []string {
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
func (s *notingSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
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

// errNoPassphrase says that there is nobody to ask for a key's passphrase.
var errNoPassphrase = errors.New("it is encrypted, and there is no Passphrase callback to ask; load it into an agent, or set one")
