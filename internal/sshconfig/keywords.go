package sshconfig

import (
	"fmt"
	"slices"
	"strings"
)

// keywords says for every keyword of ssh_config(5) what the native client does with it.
var keywords = makeKeywords()

type keywordUse int

const (
	honoured keywordUse = iota + 1
	// ignored keywords make no difference to a gateway (terminals, X11, port forwarding, logs),
	// or are about sharing connections, which the pool does anyway.
	ignored
	// refused keywords change which host is reached or how it is checked; they are refused unless
	// set to a value that means "off".
	refused
)

// makeKeywords builds keywords, with the names in lower case.
func makeKeywords() map[string]keywordUse {
	uses := map[string]keywordUse{}
	for use, names := range map[keywordUse]string{
		honoured: `AddressFamily BatchMode BindAddress CertificateFile ChallengeResponseAuthentication
			Ciphers ConnectionAttempts ConnectTimeout ForwardAgent GlobalKnownHostsFile HashKnownHosts HostKeyAlgorithms HostKeyAlias
			HostName IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown KbdInteractiveAuthentication KexAlgorithms
			MACs NumberOfPasswordPrompts PasswordAuthentication Port PreferredAuthentications ProxyCommand ProxyJump
			PubkeyAcceptedAlgorithms PubkeyAcceptedKeyTypes PubkeyAuthentication RequiredRSASize SendEnv
			ServerAliveCountMax ServerAliveInterval SetEnv StrictHostKeyChecking TCPKeepAlive
			User UserKnownHostsFile`,
		ignored: `AddKeysToAgent CanonicalDomains CanonicalizeFallbackLocal CanonicalizeMaxDots
			CanonicalizePermittedCNAMEs ChannelTimeout CheckHostIP Cipher ClearAllForwardings Compression CompressionLevel
			ControlMaster ControlPath ControlPersist DSAAuthentication DynamicForward EnableEscapeCommandline
			EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash ForkAfterAuthentication ForwardX11
			ForwardX11Timeout ForwardX11Trusted GatewayPorts GSSAPIAuthentication GSSAPIClientIdentity
			GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey
			GSSAPIServerIdentity GSSAPITrustDns HostbasedAcceptedAlgorithms HostbasedAuthentication HostbasedKeyTypes
			IPQoS KbdInteractiveDevices KeepAlive LocalCommand LocalForward LogLevel LogVerbose
			NoHostAuthenticationForLocalhost ObscureKeystrokeTiming PermitLocalCommand PermitRemoteOpen Protocol
			RekeyLimit RemoteForward RequestTTY RhostsRSAAuthentication RSAAuthentication SessionType
			StdinNull StreamLocalBindMask StreamLocalBindUnlink SyslogFacility Tag Tunnel TunnelDevice UpdateHostKeys
			SkeyAuthentication UseKeychain UsePrivilegedPort UseRoaming VersionAddendum VisualHostKey WarnWeakCrypto XAuthLocation`,
		refused: `BindInterface CanonicalizeHostname CASignatureAlgorithms KnownHostsCommand PKCS11Provider ProxyUseFdpass RefuseConnection
			RemoteCommand RevokedHostKeys SecurityKeyProvider SmartcardDevice VerifyHostKeyDNS`,
	} {
		for _, name := range strings.Fields(names) {
			uses[strings.ToLower(name)] = use
		}
	}
	return uses
}

// checkKeyword refuses a setting that the native client cannot follow. key is the keyword in lower
// case; unknown has the patterns of IgnoreUnknown.
func checkKeyword(key string, s setting, unknown []string) error {
	switch keywords[key] {
	case honoured, ignored:
		return nil
	case refused:
		switch strings.ToLower(strings.Trim(s.value, ` "`)) {
		case "no", "none", "false", "internal":
			return nil
		}
		return &UnsupportedError{What: s.keyword + " " + s.value, Where: s.where}
	}
	if slices.ContainsFunc(unknown, func(pattern string) bool { return matchPattern(strings.ToLower(pattern), key) }) {
		return nil
	}
	return &UnsupportedError{What: "the keyword " + s.keyword, Where: s.where}
}

// UnsupportedError says that the native client cannot do what an option or the configuration asks
// for. The public name is gatewayio.UnsupportedSSHError.
type UnsupportedError struct {
	// What names the option or keyword and its value.
	What string
	// Where is the place it comes from: "ssh=", or a file and line. It may be empty.
	Where string
}

// Error names the option and says what to do.
func (e *UnsupportedError) Error() string {
	where := ""
	if e.Where != "" {
		where = " (" + e.Where + ")"
	}
	return fmt.Sprintf("execnet: ssh: the native client does not support %s%s: remove it, or add sshclient=openssh to the spec to run the ssh command instead", e.What, where)
}
