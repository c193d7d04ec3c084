package sshclient

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
)

// agentTimeout bounds connecting to an agent, and its answer with the list of keys; signing may
// wait for a person.
const agentTimeout = 10 * time.Second

// collectKeys lists the keys to try in OpenSSH's order: those of the agent that the configuration
// names, the agent's others (unless IdentitiesOnly), then the files. A certificate goes before its
// plain key.
func (a *authenticator) collectKeys() {
	t := a.target
	var files []keyCandidate
	for _, path := range t.IdentityFiles {
		signer, err := a.prompt.load(path, a.options, t)
		switch {
		case err == nil:
			files = append(files, keyCandidate{signer, path})
		case errors.Is(err, fs.ErrNotExist) && !t.IdentitiesGiven:
		default:
			a.skip(path, err)
		}
	}
	public := a.pubFiles()
	var wanted, others []keyCandidate
	for _, signer := range a.agentSigners() {
		key := plainKey(signer.PublicKey())
		named := slices.ContainsFunc(files, func(c keyCandidate) bool { return sameKey(c.signer.PublicKey(), key) }) ||
			slices.ContainsFunc(public, func(k ssh.PublicKey) bool { return sameKey(plainKey(k), key) })
		switch {
		case named:
			wanted = append(wanted, keyCandidate{signer, "agent"})
		case !t.IdentitiesOnly:
			others = append(others, keyCandidate{signer, "agent"})
		}
	}
	all := slices.Concat(wanted, others)
	for _, candidate := range files {
		inAgent := func(c keyCandidate) bool { return sameKey(c.signer.PublicKey(), candidate.signer.PublicKey()) }
		if !slices.ContainsFunc(all, inAgent) {
			all = append(all, candidate)
		}
	}
	if library := t.PKCS11Provider; library != "" {
		a.skip("PKCS11Provider "+library, errors.New("only the ssh command can use it: load its keys into an agent, or add sshclient=openssh to the spec"))
	}
	certificates := a.certificates()
	for _, candidate := range all {
		for _, certificate := range certificates {
			if !sameKey(certificate.Key, candidate.signer.PublicKey()) {
				continue
			}
			signer, err := ssh.NewCertSigner(certificate, candidate.signer)
			if err != nil {
				a.skip(candidate.source, err)
				continue
			}
			a.addKey(keyCandidate{signer, candidate.source})
		}
		a.addKey(candidate)
	}
}

// addKey puts a key on the list, unless the configuration's algorithms rule it out.
func (a *authenticator) addKey(c keyCandidate) {
	key := plainKey(c.signer.PublicKey())
	if bits := rsaBits(key); bits > 0 && bits < a.target.MinRSABits {
		a.skip(c.source, fmt.Errorf("RSA key of %d bits, RequiredRSASize is %d", bits, a.target.MinRSABits))
		return
	}
	if allowed := a.target.PubkeyAlgorithms; allowed != nil {
		usable := slices.DeleteFunc(signatureAlgorithms(key.Type()), func(name string) bool { return !slices.Contains(allowed, name) })
		signer, ok := c.signer.(ssh.AlgorithmSigner)
		if len(usable) == 0 || !ok {
			a.skip(c.source, fmt.Errorf("%s is not among PubkeyAcceptedAlgorithms", key.Type()))
			return
		}
		limited, err := ssh.NewSignerWithAlgorithms(signer, usable)
		if err != nil {
			a.skip(c.source, err)
			return
		}
		c.signer = limited
	}
	a.keys = append(a.keys, c)
}

// skip records why a key cannot be offered.
func (a *authenticator) skip(source string, err error) {
	a.skipped = append(a.skipped, source+" ("+reasonOf(err)+")")
}

// reasonOf shortens the error of a missing file, whose path is named before it.
func reasonOf(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	return err.Error()
}

// agentSigners returns the agent's keys. A missing agent is no error, since there may be key files.
func (a *authenticator) agentSigners() []ssh.Signer {
	path := a.target.IdentityAgent
	if path == "" {
		return nil
	}
	conn, err := dialAgent(path)
	if err != nil {
		a.skip("agent "+path, err)
		return nil
	}
	deadline := time.AfterFunc(agentTimeout, func() { conn.Close() })
	signers, err := agent.NewClient(conn).Signers()
	if !deadline.Stop() && err == nil {
		err = errors.New("it took too long to answer")
	}
	if err != nil {
		conn.Close()
		a.skip("agent "+path, err)
		return nil
	}
	a.agent = conn
	return signers
}

func dialAgent(path string) (io.ReadWriteCloser, error) {
	if strings.HasPrefix(path, `\\.\pipe\`) { // the agent of OpenSSH for Windows
		return os.OpenFile(path, os.O_RDWR, 0)
	}
	return net.DialTimeout("unix", path, agentTimeout)
}

// pubFiles reads the .pub files beside the configured key files; they tell which of the agent's
// keys are meant even where the private key is not on this machine.
func (a *authenticator) pubFiles() []ssh.PublicKey {
	var keys []ssh.PublicKey
	for _, path := range a.target.IdentityFiles {
		for _, name := range []string{path + ".pub", path} {
			if key, err := readPublicKey(name); err == nil {
				keys = append(keys, key)
				break
			}
		}
	}
	return keys
}

// certificates reads FILE-cert.pub of each key file, and the files that CertificateFile names.
func (a *authenticator) certificates() []*ssh.Certificate {
	var certificates []*ssh.Certificate
	read := func(path string, required bool) {
		key, err := readPublicKey(path)
		certificate, ok := key.(*ssh.Certificate)
		switch {
		case err == nil && !ok:
			err = errors.New("it is not a certificate")
		case err == nil && certificate.CertType != ssh.UserCert:
			err = errors.New("it is not a user's certificate")
		}
		if err == nil {
			certificates = append(certificates, certificate)
		} else if required || !errors.Is(err, fs.ErrNotExist) {
			a.skip(path, err)
		}
	}
	for _, path := range a.target.CertificateFiles {
		read(path, true)
	}
	for _, path := range a.target.IdentityFiles {
		read(path+"-cert.pub", false)
	}
	return certificates
}

// readPublicKey reads a .pub file, which may hold a certificate.
func readPublicKey(path string) (ssh.PublicKey, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(content)
	return key, err
}

// sameKey compares two keys without their certificates.
func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(plainKey(a).Marshal(), b.Marshal()) }

// plainKey is the key inside a certificate, or key itself.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if certificate, ok := key.(*ssh.Certificate); ok {
		return certificate.Key
	}
	return key
}

// rsaBits is the size of an RSA key, 0 for other keys.
func rsaBits(key ssh.PublicKey) int {
	if wrapped, ok := key.(ssh.CryptoPublicKey); ok {
		if public, ok := wrapped.CryptoPublicKey().(*rsa.PublicKey); ok {
			return public.N.BitLen()
		}
	}
	return 0
}

// secrets holds the decrypted keys of a pool, and keeps its callbacks from being called side by
// side.
type secrets struct {
	asking sync.Mutex // held while a callback runs; locked before mu

	mu   sync.Mutex            // guards open
	open map[string]ssh.Signer // by the content of the key file
}

func (p *secrets) known(content []byte) ssh.Signer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open[string(content)]
}

func (p *secrets) keep(content []byte, signer ssh.Signer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[string]ssh.Signer{}
	}
	p.open[string(content)] = signer
}

// prompter calls the callbacks for one connection, whose timer does not run meanwhile. ctx ends
// when the attempt to connect is given up.
type prompter struct {
	*secrets
	ctx   context.Context
	timer *stepTimer
}

// ask runs what calls a callback, one at a time within the pool. When the attempt is given up it
// does not wait for the callback: a program could not end while nobody answers.
func ask[T any](p *prompter, question func() (T, error)) (T, error) {
	p.timer.pause()
	defer p.timer.resume()
	type result struct {
		answer T
		err    error
	}
	results := make(chan result, 1)
	go func() {
		p.asking.Lock()
		defer p.asking.Unlock()
		if p.ctx.Err() != nil {
			return
		}
		answer, err := question()
		results <- result{answer, err}
	}()
	select {
	case r := <-results:
		return r.answer, r.err
	case <-p.ctx.Done():
		var none T
		return none, timeout.Cause(p.ctx)
	}
}

// load reads a private key file. An encrypted one whose public key is known is decrypted only when
// it has to sign.
func (p *prompter) load(path string, o *Options, t *sshconfig.Target) (ssh.Signer, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	private := strings.Contains(string(content), "PRIVATE KEY")
	if private {
		if err := checkPrivate(path); err != nil {
			return nil, err
		}
	}
	signer, err := ssh.ParsePrivateKey(content)
	if err == nil {
		return signer, nil
	}
	var missing *ssh.PassphraseMissingError
	if !errors.As(err, &missing) {
		if private {
			if key, pubErr := readPublicKey(path + ".pub"); pubErr == nil && strings.HasPrefix(key.Type(), "sk-") {
				return nil, errors.New("it needs its security key; load it into an agent, or add sshclient=openssh to the spec")
			}
		} else if _, pubErr := readPublicKey(path); pubErr == nil {
			return nil, errors.New("it is a public key; only an agent can use it")
		}
		return nil, err
	}
	switch {
	case t.BatchMode:
		return nil, errBatchMode
	case o.Passphrase == nil:
		return nil, errNoPassphrase
	}
	key := &lockedKey{prompts: p, options: o, path: path, content: content, attempts: t.Prompts, public: missing.PublicKey}
	if key.public == nil {
		key.public, _ = readPublicKey(path + ".pub")
	}
	if key.public == nil {
		// An old PEM key without .pub file: it has to be decrypted to know which it is.
		opened, err := key.unlock()
		if err != nil {
			return nil, err
		}
		return opened, nil
	}
	return key, nil
}

// lockedKey is an encrypted private key that asks for its passphrase when it first signs.
type lockedKey struct {
	prompts  *prompter
	options  *Options
	path     string
	content  []byte
	attempts int
	public   ssh.PublicKey
}

// PublicKey implements ssh.Signer.
func (k *lockedKey) PublicKey() ssh.PublicKey { return k.public }

// Sign implements ssh.Signer.
func (k *lockedKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm implements ssh.AlgorithmSigner.
func (k *lockedKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	signer, err := k.unlock()
	if err != nil {
		return nil, err
	}
	if signer, ok := signer.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return signer.SignWithAlgorithm(rand, data, algorithm)
	}
	return signer.Sign(rand, data)
}

// unlock decrypts the key, or returns it if that has been done.
func (k *lockedKey) unlock() (ssh.Signer, error) {
	return ask(k.prompts, func() (ssh.Signer, error) {
		if signer := k.prompts.known(k.content); signer != nil {
			return signer, nil
		}
		for attempt := 0; attempt < k.attempts; attempt++ {
			passphrase, err := k.options.Passphrase(k.path)
			if err != nil {
				return nil, fmt.Errorf("the passphrase of %s: %w", k.path, err)
			}
			if signer, err := ssh.ParsePrivateKeyWithPassphrase(k.content, passphrase); err == nil {
				k.prompts.keep(k.content, signer)
				return signer, nil
			}
		}
		return nil, fmt.Errorf("the passphrase of %s was wrong (tries: %d)", k.path, k.attempts)
	})
}
