package opensshd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"
)

// newKey makes a key in file and file.pub and returns the public one as it stands there.
func newKey(file string) (public string, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		return "", err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return "", err
	}
	public = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	if err := writeLines(file, strings.TrimSpace(string(pem.EncodeToMemory(block)))); err != nil {
		return "", err
	}
	return public, writeLines(file+".pub", public)
}
