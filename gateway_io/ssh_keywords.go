package gatewayio

import (
	"slices"
	"strings"
)

// sshKeywords says for every keyword of ssh_config(5) what the native client does with it.
var sshKeywords = makeSSHKeywords()

type sshKeywordUse int

const (
	sshHonoured sshKeywordUse = iota + 1
	// sshIgnored keywords make no difference to a gateway (terminals, X11, port forwarding, logs),
	// or are about sharing connections, which the pool does anyway.
	sshIgnored
	// sshRefused keywords change whom one talks to or how; they are refused unless set to a value
	// that means "off".
	sshRefused
)

func makeSSHKeywords() map[string]sshKeywordUse {
	uses := map[string]sshKeywordUse{}
	for use, names := range map[sshKeywordUse]string{
		sshHonoured: `AddressFamily BatchMode BindAddress CertificateFile ChallengeResponseAuthentication
			Ciphers ConnectionAttempts ConnectTimeout ForwardAgent GlobalKnownHostsFile HashKnownHosts HostKeyAlgorithms HostKeyAlias
			HostName IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown KbdInteractiveAuthentication KexAlgorithms
			MACs NumberOfPasswordPrompts PasswordAuthentication Port PreferredAuthentications ProxyCommand ProxyJump
			PubkeyAcceptedAlgorithms PubkeyAcceptedKeyTypes PubkeyAuthentication RequiredRSASize SendEnv
			ServerAliveCountMax ServerAliveInterval SetEnv StrictHostKeyChecking TCPKeepAlive
			User UserKnownHostsFile`,
		sshIgnored: `AddKeysToAgent CanonicalDomains CanonicalizeFallbackLocal CanonicalizeMaxDots
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
		sshRefused: `BindInterface CanonicalizeHostname CASignatureAlgorithms KnownHostsCommand PKCS11Provider ProxyUseFdpass RefuseConnection
			RemoteCommand RevokedHostKeys SecurityKeyProvider SmartcardDevice VerifyHostKeyDNS`,
	} {
		for _, name := range strings.Fields(names) {
			uses[strings.ToLower(name)] = use
		}
	}
	return uses
}

// checkSSHKeyword refuses a setting the native client cannot follow. key is the keyword in lower
// case.
func checkSSHKeyword(key string, s sshSetting, ignored []string) error {
	switch sshKeywords[key] {
	case sshHonoured, sshIgnored:
		return nil
	case sshRefused:
		switch strings.ToLower(strings.Trim(s.value, ` "`)) {
		case "no", "none", "false", "internal":
			return nil
		}
		return &UnsupportedSSHError{What: s.keyword + " " + s.value, Where: s.where}
	}
	if slices.ContainsFunc(ignored, func(pattern string) bool { return matchSSHPattern(strings.ToLower(pattern), key) }) {
		return nil
	}
	return &UnsupportedSSHError{What: "the keyword " + s.keyword, Where: s.where}
}
