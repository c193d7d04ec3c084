package dialback

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// identity is what the driver and the workers of one launch know each other by: workers accept only
// this certificate, the driver only who knows the secret.
type identity struct {
	secret      string
	fingerprint string // the certificate's SHA-256, in hex
	config      *tls.Config
}

func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("execnet: cannot make a key for a launch: %w", err)
	}
	// Nobody looks at names and times: it is compared as a whole.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "execnet launch"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("execnet: cannot make a certificate for a launch: %w", err)
	}
	return &identity{
		secret: rand.Text(), fingerprint: fingerprintOf(certificate),
		config: &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
			MinVersion:   tls.VersionTLS12, // that of Python 2.7
			// A connection that goes on with the keys of another one shows no certificate.
			SessionTicketsDisabled: true,
		},
	}, nil
}

// knows reports whether what a client says is the secret.
func (i *identity) knows(said string) bool {
	return subtle.ConstantTimeCompare([]byte(said), []byte(i.secret)) == 1
}
