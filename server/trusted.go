package server

import (
	"fmt"
	"io"
	"os"
)

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
