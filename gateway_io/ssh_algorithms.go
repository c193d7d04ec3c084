package gatewayio

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// sshAlgorithms is one kind of algorithm: what x/crypto has, and which of it is used unless the
// configuration says otherwise. The insecure ones are known, so that "+ssh-rsa" can bring one back
// for an old host.
type sshAlgorithms struct{ known, usual []string }

var (
	sshSupported = ssh.SupportedAlgorithms()
	sshInsecure  = ssh.InsecureAlgorithms()

	sshCiphers  = sshAlgorithms{slices.Concat(sshSupported.Ciphers, sshInsecure.Ciphers), sshSupported.Ciphers}
	sshMACs     = sshAlgorithms{slices.Concat(sshSupported.MACs, sshInsecure.MACs), sshSupported.MACs}
	sshKexes    = sshAlgorithms{slices.Concat(sshSupported.KeyExchanges, []string{"curve25519-sha256@libssh.org"}, sshInsecure.KeyExchanges), sshSupported.KeyExchanges}
	sshHostKeys = sshAlgorithms{slices.Concat(sshSupported.HostKeys, sshInsecure.HostKeys), sshSupported.HostKeys}
	sshPubkeys  = sshAlgorithms{slices.Concat(sshSupported.PublicKeyAuths, sshInsecure.PublicKeyAuths), sshSupported.PublicKeyAuths}
)

// algorithms reads a list of algorithms: "a,b" replaces the usual ones, "+a" adds behind them, "^a"
// puts in front and "-a" takes away; "*" and "?" are wildcards. What x/crypto lacks is left out,
// since it cannot be negotiated; it returns nil when the keyword was not set.
func (r *sshReader) algorithms(keyword string, have sshAlgorithms) []string {
	value := r.c.get(keyword)
	if value == "" {
		return nil
	}
	mode, list := value[0], value
	if strings.IndexByte("+-^", mode) >= 0 {
		list = value[1:]
	}
	patterns := strings.Split(list, ",")
	named := expandAlgorithms(patterns, have.known)
	var result []string
	switch mode {
	case '+':
		result = append(slices.Clone(have.usual), named...)
	case '^':
		result = append(named, have.usual...)
	case '-':
		result = slices.DeleteFunc(slices.Clone(have.usual), func(name string) bool { return matchSSHPatterns(patterns, name) })
	default:
		result = named
	}
	result = uniqueStrings(result)
	if len(result) == 0 && r.err == nil {
		r.err = &UnsupportedSSHError{What: keyword + " " + value + " (none of these is left; it has " + strings.Join(have.usual, ",") + ")", Where: r.c.where(keyword)}
	}
	return result
}

// expandAlgorithms returns those of known that the patterns name, in the order of the patterns.
func expandAlgorithms(patterns, known []string) []string {
	var names []string
	for _, pattern := range patterns {
		for _, name := range known {
			if matchSSHPattern(strings.TrimSpace(pattern), name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func uniqueStrings(values []string) []string {
	var unique []string
	for _, value := range values {
		if !slices.Contains(unique, value) {
			unique = append(unique, value)
		}
	}
	return unique
}
