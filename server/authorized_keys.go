package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
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
