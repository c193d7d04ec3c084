package sshconfig

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// algorithmSet is one kind of algorithm: what x/crypto has, and which of it is used unless the
// configuration says otherwise. The insecure ones are known, so that "+ssh-rsa" can add one for an
// old host.
type algorithmSet struct{ known, usual []string }

var (
	supported = ssh.SupportedAlgorithms()
	insecure  = ssh.InsecureAlgorithms()

	ciphers      = algorithmSet{slices.Concat(supported.Ciphers, insecure.Ciphers), supported.Ciphers}
	macs         = algorithmSet{slices.Concat(supported.MACs, insecure.MACs), supported.MACs}
	keyExchanges = algorithmSet{slices.Concat(supported.KeyExchanges, []string{"curve25519-sha256@libssh.org"}, insecure.KeyExchanges), supported.KeyExchanges}
	hostKeys     = algorithmSet{slices.Concat(supported.HostKeys, insecure.HostKeys), supported.HostKeys}
	publicKeys   = algorithmSet{slices.Concat(supported.PublicKeyAuths, insecure.PublicKeyAuths), supported.PublicKeyAuths}
	// signatures are the algorithms of an authority that signs certificates: no certificates
	// themselves, and SHA-1 only if it is asked for.
	signatures = algorithmSet{withoutCertificates(publicKeys.known), withoutCertificates(publicKeys.usual)}
)

func withoutCertificates(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.Contains(name, "-cert-v01@") })
}

// algorithms reads a list of algorithms, the usual ones if the keyword was not set.
func (r *values) algorithms(keyword string, have algorithmSet) []string {
	if names := r.namedAlgorithms(keyword, have); names != nil {
		return names
	}
	return have.usual
}

// namedAlgorithms reads a list of algorithms: "a,b" replaces the usual ones, "+a" adds behind them,
// "^a" puts in front and "-a" takes away; "*" and "?" are wildcards. What x/crypto lacks is left
// out, since it cannot be negotiated; it returns nil when the keyword was not set.
func (r *values) namedAlgorithms(keyword string, have algorithmSet) []string {
	value := r.c.get(keyword)
	if value == "" {
		return nil
	}
	mode, list := value[0], value
	if strings.IndexByte("+-^", mode) >= 0 {
		list = value[1:]
	}
	patterns := strings.Split(list, ",")
	named := namedBy(patterns, have.known)
	var all []string
	switch mode {
	case '+':
		all = slices.Concat(have.usual, named)
	case '^':
		all = slices.Concat(named, have.usual)
	case '-':
		all = slices.DeleteFunc(slices.Clone(have.usual), func(name string) bool { return MatchPatterns(patterns, name) })
	default:
		all = named
	}
	var names []string // each once
	for _, name := range all {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 && r.err == nil {
		r.err = &UnsupportedError{What: keyword + " " + value + " (none of these is left; it has " + strings.Join(have.usual, ",") + ")", Where: r.c.where(keyword)}
	}
	return names
}

// namedBy returns those of known that the patterns name, in the order of the patterns.
func namedBy(patterns, known []string) []string {
	var names []string
	for _, pattern := range patterns {
		for _, name := range known {
			if matchPattern(strings.TrimSpace(pattern), name) {
				names = append(names, name)
			}
		}
	}
	return names
}
