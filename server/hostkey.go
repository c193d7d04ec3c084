package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// HostKey reads an ssh server's private key, in a format of ssh-keygen without a passphrase. When
// there is no such file, it makes an ed25519 key there that only this user can read, and the
// folders; of several that do so at once all get the same key. A file that others can read is
// refused.
func HostKey(file string) (ssh.Signer, error) {
	key, err := readHostKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeHostKey(file); err != nil {
		return nil, fmt.Errorf("cannot make a host key: %w", err)
	}
	return readHostKey(file)
}

func readHostKey(name string) (ssh.Signer, error) {
	text, err := readTrusted(name, checkOwner, checkSecret)
	if err != nil {
		return nil, fmt.Errorf("cannot read the host key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("cannot use the host key %s: %w", name, err)
	}
	return key, nil
}

// makeHostKey leaves a file alone that is there already. The key is written beside it first: nobody
// ever sees half a key.
func makeHostKey(name string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "execnet sshserver")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".host_key") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(pem.EncodeToMemory(block))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	// Unlike a rename this fails when there is a file.
	if err := os.Link(file.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
