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

	"github.com/go-execnet/execnet/internal/errtext"
)

// harmlessOptions are the options of a key that need no code: each forbids what this server allows
// nobody.
var harmlessOptions = []string{"restrict", "no-agent-forwarding", "no-port-forwarding", "no-pty", "no-user-rc", "no-x11-forwarding"}

// errKeyUnknown says that no line has the key.
var errKeyUnknown = errors.New("this key is not in the file of authorized keys")

// authorize returns an error if a key may not log in. It reads the file each time, so that a change
// counts at once. As in sshd the first line with the key decides, and lines that cannot be parsed
// are ignored.
func authorize(file string, key ssh.PublicKey) error {
	if _, ok := key.(*ssh.Certificate); ok {
		return errKeyUnknown // certificates are not supported
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

// checkOptions returns an error if a key has options that are not harmless.
func checkOptions(file string, number int, options []string) error {
	for _, option := range options {
		if !slices.Contains(harmlessOptions, strings.ToLower(option)) {
			return fmt.Errorf("%s:%d: this key has the option %q, which this server cannot honour", file, number, option)
		}
	}
	return nil
}

// CheckAuthorizedKeys reads a file of public keys as an [SSH] server does at each login, so that a
// program can warn of mistakes in it when it starts. It returns how many keys may log in, and for
// each line whose key may not a text that says why.
func CheckAuthorizedKeys(file string) (usable int, problems []string, err error) {
	text, err := readTrusted(file, checkOwner)
	if err != nil {
		return 0, nil, fmt.Errorf("execnet: %w", err)
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

// lines yields the lines that are neither empty nor comments, with their numbers.
// ssh.ParseAuthorizedKey must get one line at a time, since it goes on to the next one if it cannot
// parse the first.
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

// HostKey reads an ssh server's private key, in a format of ssh-keygen without a passphrase. If
// there is no such file, it makes one with a new ed25519 key that only this user can read, and its
// folders; all processes that do so at the same time get the same key. A file that others can read
// is an error.
func HostKey(file string) (ssh.Signer, error) {
	key, err := readHostKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeHostKey(file); err != nil {
		return nil, errtext.Wrap("cannot make a host key", err)
	}
	return readHostKey(file)
}

func readHostKey(name string) (ssh.Signer, error) {
	text, err := readTrusted(name, checkOwner, checkSecret)
	if err != nil {
		return nil, errtext.Wrap("cannot read the host key", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, errtext.Wrap("cannot use the host key "+name, err)
	}
	return key, nil
}

// makeHostKey makes a key unless there is a file with that name already. It writes the key into a
// temporary file first, so that no process reads half a key.
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
	// Unlike a rename this fails if there is a file with that name.
	if err := os.Link(file.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// maxTrustedFile is how large a file of keys may be, in bytes.
const maxTrustedFile = 1 << 20

// readTrusted reads a file that decides who may log in, or who this server is, unless a check
// returns an error.
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
