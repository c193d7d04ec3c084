package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// unpack unpacks an archive, named without its ending, into a new folder.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	folder := t.TempDir()
	if here.os == "windows" {
		r, err := zip.OpenReader(archive + ".zip")
		require.NoError(t, err)
		defer r.Close()
		require.NoError(t, os.CopyFS(folder, r))
		return folder
	}
	out, err := exec.Command("tar", "-xf", archive+".tar.gz", "-C", folder).CombinedOutput()
	require.NoError(t, err, string(out))
	return folder
}
