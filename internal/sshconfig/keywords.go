package sshconfig

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
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
	// refused keywords change which host is reached or how it is checked; they are refused if the
	// value that counts is not one that means "off".
	refused
)

// makeKeywords builds keywords, with the names in lower case.
func makeKeywords() map[string]keywordUse {
	uses := map[string]keywordUse{}
	for use, names := range map[keywordUse]string{
		honoured: `AddressFamily BatchMode BindAddress CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname
			CanonicalizeMaxDots CanonicalizePermittedCNAMEs CASignatureAlgorithms CertificateFile Ciphers ConnectionAttempts ConnectTimeout ForwardAgent GlobalKnownHostsFile HashKnownHosts HostKeyAlgorithms HostKeyAlias
			HostName IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown KbdInteractiveAuthentication KexAlgorithms KnownHostsCommand
			MACs NumberOfPasswordPrompts PasswordAuthentication PKCS11Provider Port PreferredAuthentications ProxyCommand ProxyJump
			PubkeyAcceptedAlgorithms PubkeyAuthentication RefuseConnection RequiredRSASize RevokedHostKeys SendEnv
			ServerAliveCountMax ServerAliveInterval SetEnv StrictHostKeyChecking Tag TCPKeepAlive
			User UserKnownHostsFile`,
		ignored: `AddKeysToAgent ChannelTimeout CheckHostIP Cipher ClearAllForwardings Compression CompressionLevel
			ControlMaster ControlPath ControlPersist DSAAuthentication DynamicForward EnableEscapeCommandline
			EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash ForkAfterAuthentication ForwardX11
			ForwardX11Timeout ForwardX11Trusted GatewayPorts GSSAPIAuthentication GSSAPIClientIdentity
			GSSAPIDelegateCredentials GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey
			GSSAPIServerIdentity GSSAPITrustDns HostbasedAcceptedAlgorithms HostbasedAuthentication
			IPQoS KbdInteractiveDevices LocalCommand LocalForward LogLevel LogVerbose
			NoHostAuthenticationForLocalhost ObscureKeystrokeTiming PermitLocalCommand PermitRemoteOpen Protocol
			RekeyLimit RemoteForward RequestTTY RhostsRSAAuthentication RSAAuthentication SecurityKeyProvider SessionType
			StdinNull StreamLocalBindMask StreamLocalBindUnlink SyslogFacility Tunnel TunnelDevice UpdateHostKeys
			UseKeychain UsePrivilegedPort UseRoaming VerifyHostKeyDNS VersionAddendum VisualHostKey WarnWeakCrypto XAuthLocation`,
		refused: `BindInterface ProxyUseFdpass RemoteCommand`,
	} {
		for _, name := range strings.Fields(names) {
			uses[strings.ToLower(name)] = use
		}
	}
	return uses
}

// aliases are other names of keywords, both in lower case.
var aliases = map[string]string{
	"challengeresponseauthentication": "kbdinteractiveauthentication",
	"skeyauthentication":              "kbdinteractiveauthentication",
	"tisauthentication":               "kbdinteractiveauthentication",
	"hostbasedacceptedkeytypes":       "hostbasedacceptedalgorithms",
	"hostbasedkeytypes":               "hostbasedacceptedalgorithms",
	"keepalive":                       "tcpkeepalive",
	"pubkeyacceptedkeytypes":          "pubkeyacceptedalgorithms",
	"rsaminsize":                      "requiredrsasize", // of Red Hat's OpenSSH 8.7
	"smartcarddevice":                 "pkcs11provider",
}

// keywordKey is the name under which a keyword's setting is kept: the keyword in lower case, or
// what it is an alias of.
func keywordKey(keyword string) string {
	key := strings.ToLower(keyword)
	return cmp.Or(aliases[key], key)
}

// checkKeyword refuses a keyword that is not known. unknown has the patterns of IgnoreUnknown.
func checkKeyword(key string, s setting, unknown []string) error {
	if keywords[key] != 0 {
		return nil
	}
	if slices.ContainsFunc(unknown, func(pattern string) bool { return matchPattern(strings.ToLower(pattern), key) }) {
		return nil
	}
	return &UnsupportedError{What: "the keyword " + s.keyword, Where: s.where}
}

// refuse returns an error if a setting that counts asks for something that the native client does
// not do.
func (c *config) refuse() error {
	for _, key := range slices.Sorted(maps.Keys(c.first)) {
		s := c.first[key]
		switch value := strings.ToLower(strings.Trim(s.value, ` "`)); {
		case keywords[key] != refused, value == "no", value == "none", value == "false":
		case key == "proxyusefdpass" && c.proxyCommand() == "": // it is about the ProxyCommand
		default:
			return &UnsupportedError{What: s.keyword + " " + s.value, Where: s.where}
		}
	}
	if text := c.line("RefuseConnection"); text != "" {
		words, _ := splitWords(text) // checked when it was added
		return fmt.Errorf("%s: RefuseConnection: %s", c.where("RefuseConnection"), strings.Join(words, " "))
	}
	if c.canonicalizes() && c.canonicalNameDiffers() {
		return &UnsupportedError{What: "CanonicalizeHostname " + c.get("CanonicalizeHostname"), Where: c.where("CanonicalizeHostname")}
	}
	return nil
}

// canonicalizes reports whether names are to be completed to canonical ones (CanonicalizeHostname).
// The files are read a second time then.
func (c *config) canonicalizes() bool {
	switch strings.ToLower(c.get("CanonicalizeHostname")) {
	case "", "no", "none", "false":
		return false
	}
	return true
}

// canonicalNameDiffers reports whether OpenSSH would ask the DNS for another name of the host: not
// for an address, a name with enough dots, or one that a proxy looks up, and not without a list of
// domains to try.
func (c *config) canonicalNameDiffers() bool {
	direct := c.proxyCommand() == "" && c.proxyJump() == ""
	if !direct && !strings.EqualFold(c.get("CanonicalizeHostname"), "always") {
		return false
	}
	if follows := c.get("CanonicalizePermittedCNAMEs"); follows != "" && !strings.EqualFold(follows, "none") {
		return true
	}
	host := c.hostName()
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	if strings.HasSuffix(host, ".") {
		return true
	}
	most, err := strconv.Atoi(cmp.Or(c.get("CanonicalizeMaxDots"), "1"))
	if err == nil && strings.Count(host, ".") > most {
		return false
	}
	domains := c.words("CanonicalDomains")
	fallback := !slices.Contains([]string{"no", "false"}, strings.ToLower(c.get("CanonicalizeFallbackLocal")))
	return !fallback || len(domains) > 0 && !strings.EqualFold(domains[0], "none")
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
