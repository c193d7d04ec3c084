package sshconfig

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// Target is one host with everything that the arguments and the configuration say about reaching
// it.
type Target struct {
	Alias         string // as the user named it
	Host          string // the name or address to connect to
	Port          int
	User          string
	AddressFamily string // "any", "inet" or "inet6"
	BindAddress   string
	Attempts      int

	Via          *Target // the jump host in front of it, nil for none
	ProxyCommand string  // tokens expanded; "" for none

	IdentityFiles    []string
	IdentitiesGiven  bool // IdentityFiles comes from the configuration, not from the defaults
	IdentitiesOnly   bool
	CertificateFiles []string
	IdentityAgent    string   // a socket, "" for no agent
	ForwardAgent     string   // the socket of the agent that remote programs may use, "" for none
	AuthMethods      []string // of PublicKey, KeyboardInteractive and Password, in the order to try
	Prompts          int      // how often a method may ask
	BatchMode        bool     // nobody is to be asked anything
	PubkeyAlgorithms []string // nil for all
	MinRSABits       int      // for keys of users and of hosts
	PKCS11Provider   string   // a library whose keys only the ssh command can use, "" for none

	HostKeyAlias     string
	UserKnownHosts   []string
	GlobalKnownHosts []string
	Strict           Strictness
	HashKnownHosts   bool
	RevokedHostKeys  []string // files with keys that no host may have
	HostsCommand     HostsCommand
	CASignatures     []string // the algorithms with which an authority may sign a host certificate

	Ciphers, MACs, KeyExchanges, HostKeyAlgorithms []string

	ConnectTimeout time.Duration // 0 for no limit
	AliveInterval  time.Duration // 0 for no keepalives
	AliveCountMax  int
	TCPKeepAlive   bool
	Env            []Variable
}

// Variable is an environment variable for the remote command.
type Variable struct{ Name, Value string }

// The authentication methods of the native client.
const (
	PublicKey           = "publickey"
	KeyboardInteractive = "keyboard-interactive"
	Password            = "password"
)

// Strictness is a value of StrictHostKeyChecking.
type Strictness string

// The values of StrictHostKeyChecking.
const (
	StrictAsk       Strictness = "ask"
	StrictYes       Strictness = "yes"
	StrictAcceptNew Strictness = "accept-new"
	StrictNo        Strictness = "no"
)

// Address is host:port as people write it: the port 22 is left out.
func (t *Target) Address() string {
	if t.Port == 22 {
		return t.Host
	}
	host := t.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, t.Port)
}

// Key is the same for two targets only if one connection can serve both.
func (t *Target) Key() string {
	flat := *t
	flat.Via, flat.Alias, flat.Env = nil, "", nil
	key := fmt.Sprintf("%q", fmt.Sprintf("%+v", flat))
	if t.Via != nil {
		key = t.Via.Key() + " " + key
	}
	return key
}

// Defaults is what holds where neither arguments nor configuration files say anything, and where
// the files are.
type Defaults struct {
	Home           string // the user's home folder
	SystemFile     string // the configuration file for all users
	ConnectTimeout time.Duration
	AliveInterval  time.Duration
	AliveCountMax  int
	Stderr         io.Writer // what the commands of "Match exec" write there; nil for nowhere
}

// SystemFile is the path of the system's configuration file for the ssh command.
func SystemFile() string {
	if data := os.Getenv("ProgramData"); data != "" && runtime.GOOS == "windows" {
		return filepath.Join(data, "ssh", "ssh_config")
	}
	return "/etc/ssh/ssh_config"
}

// Files are the files that apply: the one named by ssh_config= or -F alone, else the user's and the
// system's.
func (d *Defaults) Files(named string) []File {
	folder := filepath.Join(d.Home, ".ssh")
	switch {
	case strings.EqualFold(named, "none"):
		return nil
	case named != "":
		return []File{{Path: expandHome(d.Home, named), Folder: folder, required: true}}
	}
	return []File{
		{Path: filepath.Join(folder, "config"), Folder: folder},
		{Path: d.SystemFile, Folder: filepath.Dir(d.SystemFile)},
	}
}

// Resolve finds out everything about the host that args name, from args and files. command is what
// the host is to run, for "Match command"; ctx bounds the commands of "Match exec", which run here.
// Its error is an *UnsupportedError, timeout.Err or the cause of ctx's end, or says what is wrong
// in which line.
func (d *Defaults) Resolve(ctx context.Context, args *Args, files []File, command string) (*Target, error) {
	t, err := d.resolveHop(ctx, args, files, command, 0)
	if err != nil {
		return nil, farend.SSHError("", err)
	}
	return t, nil
}

// maxJumps bounds a chain of jump hosts; a configuration can make one that never ends.
const maxJumps = 16

func (d *Defaults) resolveHop(ctx context.Context, args *Args, files []File, command string, depth int) (*Target, error) {
	if depth > maxJumps {
		return nil, fmt.Errorf("the way to %s has more than %d jump hosts; does one lead back to itself?", args.Host, maxJumps)
	}
	c := &config{
		ctx: ctx, stderr: d.Stderr, alias: args.Host, localUser: localUser(), home: d.Home, command: command,
		first: map[string]setting{}, plural: map[string][]string{},
	}
	for _, s := range args.settings {
		if err := c.add(s); err != nil {
			return nil, err
		}
	}
	if err := c.read(files); err != nil {
		return nil, err
	}
	t, err := d.targetFrom(c)
	if err != nil {
		return nil, err
	}
	jump := c.proxyJump()
	if jump == "" {
		return t, nil
	}
	hops := strings.Split(jump, ",")
	last := hops[len(hops)-1]
	hop := &Args{}
	host, user, port, err := splitJump(strings.TrimSpace(last))
	if err != nil {
		return nil, fmt.Errorf("%s: ProxyJump: %w", c.where("ProxyJump"), err)
	}
	hop.Host = host
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
	t.Via, err = d.resolveHop(ctx, hop, files, "", depth+1)
	return t, err
}

// targetFrom turns settings into a target, with the jump hosts left out.
func (d *Defaults) targetFrom(c *config) (*Target, error) {
	if err := c.refuse(); err != nil {
		return nil, err
	}
	r := values{c: c}
	t := &Target{Alias: c.alias}
	t.Host = c.alias
	if name := c.get("HostName"); name != "" {
		t.Host = r.expand("HostName", name, map[byte]string{'h': c.alias})
	}
	t.Host = strings.ToLower(t.Host) // known_hosts has names in lower case
	t.Port = r.number("Port", 22, 1, 65535)
	t.User = cmp.Or(c.get("User"), c.localUser)
	t.AddressFamily = r.choice("AddressFamily", "any", "any", "inet", "inet6")
	t.BindAddress = c.get("BindAddress")
	t.Attempts = r.number("ConnectionAttempts", 1, 1, 1000)

	tokens := fileTokens(t, c)
	if command := c.proxyCommand(); command != "" {
		only := map[byte]string{'h': t.Host, 'n': t.Alias, 'p': strconv.Itoa(t.Port), 'r': t.User}
		t.ProxyCommand = r.expand("ProxyCommand", command, only)
	}

	t.IdentitiesOnly = r.yes("IdentitiesOnly", false)
	t.IdentityFiles = r.paths("IdentityFile", c.plural["identityfile"], tokens)
	if t.IdentitiesGiven = len(c.plural["identityfile"]) > 0; !t.IdentitiesGiven {
		for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
			t.IdentityFiles = append(t.IdentityFiles, filepath.Join(c.home, ".ssh", name))
		}
	}
	t.CertificateFiles = r.paths("CertificateFile", c.plural["certificatefile"], tokens)
	t.IdentityAgent = r.agent("IdentityAgent", c.get("IdentityAgent"), tokens)
	switch forward := c.get("ForwardAgent"); strings.ToLower(forward) {
	case "", "no", "false":
	case "yes", "true":
		t.ForwardAgent = t.IdentityAgent
	default:
		t.ForwardAgent = r.agent("ForwardAgent", forward, tokens)
	}
	t.BatchMode = r.yes("BatchMode", false)
	t.Prompts = r.number("NumberOfPasswordPrompts", 3, 1, 100)
	t.AuthMethods = r.authMethods()
	t.MinRSABits = r.number("RequiredRSASize", 1024, 0, 1<<20)
	t.PKCS11Provider = unlessNone(c.get("PKCS11Provider"))

	t.HostKeyAlias = strings.ToLower(c.get("HostKeyAlias"))
	t.UserKnownHosts = r.knownHosts("UserKnownHostsFile", []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}, tokens)
	t.GlobalKnownHosts = r.knownHosts("GlobalKnownHostsFile", []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}, tokens)
	t.Strict = Strictness(r.choice("StrictHostKeyChecking", "ask", "ask", "yes", "accept-new", "no", "off", "true", "false"))
	switch t.Strict {
	case "true":
		t.Strict = StrictYes
	case "off", "false":
		t.Strict = StrictNo
	}
	t.HashKnownHosts = r.yes("HashKnownHosts", false)
	t.HostsCommand = r.hostsCommand(c)
	t.RevokedHostKeys = r.paths("RevokedHostKeys", c.words("RevokedHostKeys"), tokens)
	t.CASignatures = r.algorithms("CASignatureAlgorithms", signatures)

	t.Ciphers = r.algorithms("Ciphers", ciphers)
	t.MACs = r.algorithms("MACs", macs)
	t.KeyExchanges = r.algorithms("KexAlgorithms", keyExchanges)
	t.HostKeyAlgorithms = r.algorithms("HostKeyAlgorithms", hostKeys)
	t.PubkeyAlgorithms = r.namedAlgorithms("PubkeyAcceptedAlgorithms", publicKeys)

	t.ConnectTimeout = max(0, r.seconds("ConnectTimeout", d.ConnectTimeout))
	t.AliveInterval = max(0, r.seconds("ServerAliveInterval", d.AliveInterval))
	t.AliveCountMax = r.number("ServerAliveCountMax", d.AliveCountMax, 0, 1<<20)
	if t.AliveCountMax == 0 {
		t.AliveInterval = 0 // as in OpenSSH, it switches the check off
	}
	t.TCPKeepAlive = r.yes("TCPKeepAlive", true)
	t.Env = r.environment()
	if r.err != nil {
		return nil, r.err
	}
	if err := checkHost(t.Host); err != nil {
		return nil, err
	}
	if strings.ContainsAny(t.User, "'`\";&<>|(){}\n") || strings.HasPrefix(t.User, "-") {
		// %r may take it into a shell's command line
		return nil, fmt.Errorf("%q is not a user name", t.User)
	}
	return t, nil
}

// fileTokens are the % tokens that file names may contain.
func fileTokens(t *Target, c *config) map[byte]string {
	tokens := localTokens(c)
	tokens['h'], tokens['n'], tokens['p'], tokens['r'] = t.Host, t.Alias, strconv.Itoa(t.Port), t.User
	tokens['k'] = cmp.Or(c.get("HostKeyAlias"), t.Alias)
	return tokens
}

// hostNames returns this machine's name, and its first part.
func hostNames() (local, short string) {
	local, _ = os.Hostname()
	short, _, _ = strings.Cut(local, ".")
	return local, short
}

// localUser is the name the remote user has when nobody says otherwise.
func localUser() string {
	u, err := user.Current()
	if err != nil {
		return os.Getenv("USER")
	}
	name := u.Username
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // DOMAIN\user on Windows
		name = name[i+1:]
	}
	return name
}
