package server

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// harmlessOptions are the options of a key that are fulfilled as they stand: each takes away
// something that this server gives nobody.
var harmlessOptions = []string{"restrict", "no-agent-forwarding", "no-port-forwarding", "no-pty", "no-user-rc", "no-x11-forwarding"}

// errKeyUnknown says that a key is in no line.
var errKeyUnknown = errors.New("this key is not in the file of authorized keys")

// authorize reports why a key may not log in, nil if it may. The file is read anew each time, so
// that a change counts at once. As in sshd the first line with the key decides, and a line that
// cannot be read is nobody's.
func authorize(file string, key ssh.PublicKey) error {
	if _, ok := key.(*ssh.Certificate); ok {
		return errKeyUnknown // what a certificate says would have to be checked
	}
	text, err := readTrusted(file, checkOwner)
	if err != nil {
		return err
	}
	want := key.Marshal()
	for number, line := range lines(text) {
		known, _, options, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil || !bytes.Equal(known.Marshal(), want) {
			continue
		}
		return checkOptions(file, number, options)
	}
	return errKeyUnknown
}

// checkOptions refuses a key with options that are not harmless.
func checkOptions(file string, number int, options []string) error {
	for _, option := range options {
		if !slices.Contains(harmlessOptions, strings.ToLower(option)) {
			return fmt.Errorf("%s:%d: this key has the option %q, which this server cannot honour", file, number, option)
		}
	}
	return nil
}

// CheckAuthorizedKeys reads a file of keys as the server does at each login. It returns how many
// keys may log in, and what keeps others from it, a text for each line.
func CheckAuthorizedKeys(file string) (usable int, problems []string, err error) {
	text, err := readTrusted(file, checkOwner)
	if err != nil {
		return 0, nil, err
	}
	for number, line := range lines(text) {
		key, _, options, _, err := ssh.ParseAuthorizedKey(line)
		_, certificate := key.(*ssh.Certificate)
		if err != nil || certificate {
			err = fmt.Errorf("%s:%d: this is not a public key", file, number)
		} else {
			err = checkOptions(file, number, options)
		}
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		usable++
	}
	return usable, problems, nil
}

// lines yields the lines that are neither empty nor comments, with their numbers. What
// ssh.ParseAuthorizedKey cannot read it skips for the line behind it, so it must never see more
// than one.
func lines(text []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		scanner := bufio.NewScanner(bytes.NewReader(text))
		scanner.Buffer(nil, maxTrustedFile+1)
		for number := 1; scanner.Scan(); number++ {
			line := bytes.TrimSpace(scanner.Bytes())
			if len(line) > 0 && line[0] != '#' && !yield(number, line) {
				return
			}
		}
	}
}

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

// maxTrustedFile bounds a file of keys, in bytes.
const maxTrustedFile = 1 << 20

// readTrusted reads a file that decides who may log in, or who this server is, if the checks find
// that it can be trusted.
func readTrusted(name string, checks ...func(*os.File) error) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for _, check := range checks {
		if err := check(file); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTrustedFile+1))
	if err == nil && len(text) > maxTrustedFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxTrustedFile)
	}
	return text, err
}
