package gatewayio

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sshTarget is one host with everything that the arguments and the configuration say about reaching
// it.
type sshTarget struct {
	alias         string // as the user named it
	host          string // the name or address to connect to
	port          int
	user          string
	addressFamily string // "any", "inet" or "inet6"
	bindAddress   string
	attempts      int

	via          *sshTarget // the jump host in front of it, nil for none
	proxyCommand string     // tokens expanded; "" for none

	identityFiles    []string
	identitiesGiven  bool // identityFiles comes from the configuration, not from the defaults
	identitiesOnly   bool
	certificateFiles []string
	identityAgent    string // a socket, "" for no agent
	forwardAgent     string // the socket of the agent that remote programs may use, "" for none
	authMethods      []string
	prompts          int
	pubkeyAlgorithms []string // nil for all
	minRSABits       int

	hostKeyAlias     string
	userKnownHosts   []string
	globalKnownHosts []string
	strict           sshStrictness
	hashKnownHosts   bool

	ciphers, macs, kexes, hostKeyAlgorithms []string // nil for the defaults

	connectTimeout time.Duration // 0 for no limit
	aliveInterval  time.Duration // 0 for no keepalives
	aliveCountMax  int
	tcpKeepAlive   bool
	env            []sshEnv
}

type sshEnv struct{ Name, Value string }

// maxSSHJumps bounds a chain of jump hosts; a configuration can make one that never ends.
const maxSSHJumps = 16

// address is host:port as people write it.
func (t *sshTarget) address() string { return sshAddress(t.host, t.port) }

func sshAddress(host string, port int) string {
	if port == 22 {
		return host
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// key is the same for two targets only if one connection can serve both.
func (t *sshTarget) key() string {
	flat := *t
	flat.via, flat.alias, flat.env = nil, "", nil
	key := fmt.Sprintf("%q", fmt.Sprintf("%+v", flat))
	if t.via != nil {
		key = t.via.key() + " " + key
	}
	return key
}

// resolveSSH finds out everything about the host that args name. files are the configuration files
// to read.
func (o *SSHOptions) resolveSSH(args *sshArgs, files []sshConfigFile) (*sshTarget, error) {
	return o.resolveSSHHop(args, files, 0)
}

func (o *SSHOptions) resolveSSHHop(args *sshArgs, files []sshConfigFile, depth int) (*sshTarget, error) {
	if depth > maxSSHJumps {
		return nil, fmt.Errorf("ssh: the way to %s has more than %d jump hosts; does one lead back to itself?", args.host, maxSSHJumps)
	}
	c := &sshConfig{
		alias: args.host, localUser: localUserName(), home: o.home,
		first: map[string]sshSetting{}, plural: map[string][]string{},
	}
	for _, s := range args.settings {
		if err := c.add(s); err != nil {
			return nil, err
		}
	}
	if err := c.read(files); err != nil {
		return nil, err
	}
	t, err := o.targetFrom(c)
	if err != nil {
		return nil, err
	}
	jump := c.get("ProxyJump")
	if jump == "" || strings.EqualFold(jump, "none") {
		return t, nil
	}
	hops := strings.Split(jump, ",")
	last := hops[len(hops)-1]
	hop := &sshArgs{}
	host, user, port, err := splitSSHJump(strings.TrimSpace(last))
	if err != nil {
		return nil, fmt.Errorf("%s: ProxyJump: %w", c.where("ProxyJump"), err)
	}
	hop.host = host
	if user != "" {
		hop.set("User", user)
	}
	if port != "" {
		hop.set("Port", port)
	}
	if len(hops) > 1 {
		// The rest of the chain leads to this hop, and replaces a ProxyJump the hop has of its own.
		hop.set("ProxyJump", strings.Join(hops[:len(hops)-1], ","))
	}
	t.via, err = o.resolveSSHHop(hop, files, depth+1)
	return t, err
}

// targetFrom turns settings into a target, with the jump hosts left out.
func (o *SSHOptions) targetFrom(c *sshConfig) (*sshTarget, error) {
	r := sshReader{c: c}
	t := &sshTarget{alias: c.alias}
	t.host = c.alias
	if name := c.get("HostName"); name != "" {
		t.host = r.expand("HostName", name, map[byte]string{'h': c.alias})
	}
	t.host = strings.ToLower(t.host) // known_hosts has names in lower case
	t.port = r.number("Port", 22, 1, 65535)
	t.user = cmp.Or(c.get("User"), c.localUser)
	t.addressFamily = r.choice("AddressFamily", "any", "any", "inet", "inet6")
	t.bindAddress = c.get("BindAddress")
	t.attempts = r.number("ConnectionAttempts", 1, 1, 1000)

	tokens := o.tokens(t, c)
	if command := c.line("ProxyCommand"); command != "" && !strings.EqualFold(command, "none") {
		only := map[byte]string{'h': t.host, 'n': t.alias, 'p': strconv.Itoa(t.port), 'r': t.user}
		t.proxyCommand = r.expand("ProxyCommand", command, only)
	}

	t.identitiesOnly = r.yes("IdentitiesOnly", false)
	t.identityFiles = r.paths("IdentityFile", c.plural["identityfile"], tokens)
	if t.identitiesGiven = len(c.plural["identityfile"]) > 0; !t.identitiesGiven {
		for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
			t.identityFiles = append(t.identityFiles, filepath.Join(c.home, ".ssh", name))
		}
	}
	t.certificateFiles = r.paths("CertificateFile", c.plural["certificatefile"], tokens)
	t.identityAgent = r.agent("IdentityAgent", c.get("IdentityAgent"), tokens)
	switch forward := c.get("ForwardAgent"); strings.ToLower(forward) {
	case "", "no", "false":
	case "yes", "true":
		t.forwardAgent = t.identityAgent
	default:
		t.forwardAgent = r.agent("ForwardAgent", forward, tokens)
	}
	t.prompts = r.number("NumberOfPasswordPrompts", 3, 1, 100)
	t.authMethods = r.authMethods()
	t.minRSABits = r.number("RequiredRSASize", 1024, 0, 1<<20)

	t.hostKeyAlias = strings.ToLower(c.get("HostKeyAlias"))
	t.userKnownHosts = r.knownHosts("UserKnownHostsFile", []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}, tokens)
	t.globalKnownHosts = r.knownHosts("GlobalKnownHostsFile", []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}, tokens)
	t.strict = sshStrictness(r.choice("StrictHostKeyChecking", "ask", "ask", "yes", "accept-new", "no", "off", "true", "false"))
	switch t.strict {
	case "true":
		t.strict = sshStrictYes
	case "off", "false":
		t.strict = sshStrictNo
	}
	t.hashKnownHosts = r.yes("HashKnownHosts", false)

	t.ciphers = r.algorithms("Ciphers", sshCiphers)
	t.macs = r.algorithms("MACs", sshMACs)
	t.kexes = r.algorithms("KexAlgorithms", sshKexes)
	t.hostKeyAlgorithms = r.algorithms("HostKeyAlgorithms", sshHostKeys)
	t.pubkeyAlgorithms = r.algorithms("PubkeyAcceptedAlgorithms", sshPubkeys)
	if t.pubkeyAlgorithms == nil {
		t.pubkeyAlgorithms = r.algorithms("PubkeyAcceptedKeyTypes", sshPubkeys)
	}

	t.connectTimeout = r.seconds("ConnectTimeout", o.ConnectTimeout)
	if c.get("ConnectTimeout") == "0" || t.connectTimeout < 0 {
		t.connectTimeout = 0
	}
	t.aliveInterval = max(0, r.seconds("ServerAliveInterval", o.AliveInterval))
	t.aliveCountMax = r.number("ServerAliveCountMax", o.AliveCountMax, 0, 1<<20)
	if t.aliveCountMax == 0 {
		t.aliveInterval = 0 // as in OpenSSH, it switches the check off
	}
	t.tcpKeepAlive = r.yes("TCPKeepAlive", true)
	t.env = r.environment()
	if r.err != nil {
		return nil, r.err
	}
	if err := checkSSHHost(t.host); err != nil {
		return nil, err
	}
	if strings.ContainsAny(t.user, "'`\";&<>|(){}\n") || strings.HasPrefix(t.user, "-") {
		return nil, fmt.Errorf("ssh: %q is not a user name", t.user) // %r may take it into a shell's command line
	}
	return t, nil
}

// tokens are the % tokens that file names may contain.
func (o *SSHOptions) tokens(t *sshTarget, c *sshConfig) map[byte]string {
	local, _ := os.Hostname()
	short, _, _ := strings.Cut(local, ".")
	return map[byte]string{
		'h': t.host, 'n': t.alias, 'p': strconv.Itoa(t.port), 'r': t.user, 'u': c.localUser, 'd': c.home,
		'i': strconv.Itoa(os.Getuid()), 'l': local, 'L': short, 'k': cmp.Or(c.get("HostKeyAlias"), t.alias),
	}
}

// sshConfigFiles are the files that apply: the one named by ssh_config= or -F alone, else the
// user's and the system's.
func (o *SSHOptions) sshConfigFiles(named string) []sshConfigFile {
	folder := filepath.Join(o.home, ".ssh")
	switch {
	case strings.EqualFold(named, "none"):
		return nil
	case named != "":
		c := sshConfig{home: o.home}
		return []sshConfigFile{{path: c.expandHome(named), folder: folder, required: true}}
	}
	return []sshConfigFile{
		{path: filepath.Join(folder, "config"), folder: folder},
		{path: o.systemConfig, folder: filepath.Dir(o.systemConfig)},
	}
}

// matchSSHEnv reports whether one of SendEnv's patterns names the variable.
func matchSSHEnv(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchSSHPattern(p, name) })
}
