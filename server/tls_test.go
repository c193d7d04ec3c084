package server

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writePEM writes a certificate and its key to files.
func writePEM(t *testing.T, dir, name string, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

func TestTLSConfig(t *testing.T) {
	dir, ca := t.TempDir(), newCA(t)
	pair := ca.issue(t, "localhost")
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	certificate, key := writePEM(t, dir, "cert", "CERTIFICATE", pair.Certificate[0]), writePEM(t, dir, "key", "PRIVATE KEY", der)
	authority := writePEM(t, dir, "ca", "CERTIFICATE", ca.certificate.Raw)

	open, err := TLSConfig(certificate, key, "")
	require.NoError(t, err)
	assert.Nil(t, open.ClientCAs)
	closed, err := TLSConfig(certificate, key, authority)
	require.NoError(t, err)
	assert.True(t, closed.ClientCAs.Equal(ca.pool()))

	for _, files := range [][3]string{{certificate, authority, ""}, {dir + "/none", key, ""}, {certificate, key, key}, {certificate, key, dir + "/none"}} {
		_, err := TLSConfig(files[0], files[1], files[2])
		assert.Error(t, err, files)
	}
}
