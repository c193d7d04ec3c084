package server

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
)

func TestTLSConfig(t *testing.T) {
	ca := tlstest.NewAuthority(t)
	certificate, key := ca.IssueFiles(t, "localhost")
	open, err := TLSConfig(certificate, key, "")
	require.NoError(t, err)
	assert.Nil(t, open.ClientCAs)
	closed, err := TLSConfig(certificate, key, ca.File)
	require.NoError(t, err)
	assert.True(t, closed.ClientCAs.Equal(ca.Pool()))

	none := ca.File + "none"
	for _, files := range [][3]string{{certificate, certificate, ""}, {none, key, ""}, {certificate, key, key}, {certificate, key, none}} {
		_, err := TLSConfig(files[0], files[1], files[2])
		assert.Error(t, err, files)
	}
}
