package sshconfig

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

// testDefaults are those of a user "me".
var testDefaults = Defaults{
	Home: "/home/me", SystemFile: SystemFile(), ConnectTimeout: 30 * time.Second, AliveInterval: 15 * time.Second, AliveCountMax: 3,
}

// resolve resolves an ssh= value against one configuration file.
func resolve(t *testing.T, value, config string) (*Target, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	sshdtest.Write(t, file, config)
	args, err := ParseArgs(value)
	if err != nil {
		return nil, err
	}
	return testDefaults.Resolve(t.Context(), args, testDefaults.Files(file), "python3 -c x")
}

// The oracle is the ssh command itself: ssh -G prints what it makes of a configuration.
func TestConfigAgreesWithOpenSSH(t *testing.T) {
	t.Parallel()
	const config = `
# settings before the first Host are for all
ServerAliveInterval 7
Host web? *.example.com !bad.example.com
	HostName %h.internal
	User = deploy
	IdentityFile ~/.ssh/%r-%h
	IdentityFile "/tmp/my keys/#1"   # a comment
	UserKnownHostsFile /tmp/kh1 /tmp/kh2
Host=web1
	Port 2201
	ConnectTimeout=1m31s
	ProxyJump none
Host a,b
	Port 9
Match originalhost web2 user deploy
	Port 2202
	ProxyCommand nc -X "connect" %h %p # kept: a shell reads it
Match host *.internal user deploy,root
	ServerAliveCountMax 9
Match !host *.internal !originalhost hop*,j?,zz
	IdentitiesOnly yes
	ProxyJump first@hop1:22,hop2
Match final all
	StrictHostKeyChecking accept-new
	ServerAliveInterval 99
Host *
	User nobody
	Port 22
	hostkeyalias "Alias"
	StrictHostKeyChecking no
Match exec "test %h%n%p%r%k = web1.internalweb122deployAlias || test %n = x.example.com"
	ServerAliveCountMax 4
Match originalhost other exec "exit 3"
	ServerAliveCountMax 5
Match !exec "test %n = other" originalhost web*
	ConnectTimeout 17
Match host other,UPPER exec "cat; echo printed; exit 0"
	ConnectTimeout 18
`
	for _, value := range []string{
		"web1", "web2", "web", "x.example.com", "bad.example.com", "other", "-p 77 web1", "-p77 -oPort=78 me@web2", "me@other",
		"-o ProxyJump=zz web2", "-J j1,me@j2:99 web1", "-i /dev/null web1", "-l you me@web1", "-4 web1", "UPPER",
	} {
		t.Run(value, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			sshdtest.Write(t, file, config)
			args, err := ParseArgs(value)
			require.NoError(t, err)
			home, err := os.UserHomeDir()
			require.NoError(t, err)
			defaults := testDefaults
			defaults.Home, defaults.ConnectTimeout = home, -1
			target, err := defaults.Resolve(t.Context(), args, defaults.Files(file), "python")
			require.NoError(t, err)

			words, err := cmdline.Split(value)
			require.NoError(t, err)
			out, err := exec.Command("ssh", append([]string{"-G", "-F", file}, words...)...).Output()
			require.NoError(t, err)
			theirs := map[string][]string{}
			for _, line := range strings.Split(string(out), "\n") {
				key, rest, _ := strings.Cut(line, " ")
				theirs[key] = append(theirs[key], rest)
			}
			one := func(key string) string {
				if len(theirs[key]) == 0 {
					return ""
				}
				return theirs[key][0]
			}
			assert.Equal(t, one("hostname"), target.Host)
			assert.Equal(t, one("port"), strconv.Itoa(target.Port))
			assert.Equal(t, one("user"), target.User)
			assert.Equal(t, one("addressfamily"), target.AddressFamily)
			assert.Equal(t, one("connecttimeout"), cmp.Or(strings.Trim(strconv.Itoa(int(target.ConnectTimeout/time.Second)), "0"), "none"))
			assert.Equal(t, one("serveraliveinterval"), strconv.Itoa(int(target.AliveInterval/time.Second)))
			assert.Equal(t, one("serveralivecountmax"), strconv.Itoa(target.AliveCountMax))
			assert.Equal(t, one("hostkeyalias"), target.HostKeyAlias)
			assert.Equal(t, one("userknownhostsfile"), strings.Join(target.UserKnownHosts, " "))
			assert.Equal(t, one("identitiesonly"), yesNo(target.IdentitiesOnly))
			strict := map[string]Strictness{"true": "yes", "false": "no"}[one("stricthostkeychecking")]
			if strict == "" {
				strict = Strictness(one("stricthostkeychecking"))
			}
			assert.Equal(t, strict, target.Strict)
			if target.IdentitiesGiven {
				expand := func(path string) string {
					path = strings.NewReplacer("%r", target.User, "%h", target.Host).Replace(path)
					if rest, ok := strings.CutPrefix(path, "~"); ok {
						return home + rest
					}
					return path
				}
				var files []string
				for _, path := range theirs["identityfile"] {
					files = append(files, expand(path))
				}
				assert.Equal(t, files, target.IdentityFiles)
			}
			var hops []string
			for hop := target.Via; hop != nil; hop = hop.Via {
				hops = append([]string{hop.Alias}, hops...)
			}
			var theirHops []string
			if jump := one("proxyjump"); jump != "" && jump != "none" {
				for _, hop := range strings.Split(jump, ",") {
					host, _, _, err := splitJump(hop)
					require.NoError(t, err)
					theirHops = append(theirHops, host)
				}
			}
			assert.Equal(t, theirHops, hops)
			command := one("proxycommand")
			if command == "none" {
				command = ""
			}
			assert.Equal(t, strings.NewReplacer("%h", target.Host, "%p", strconv.Itoa(target.Port)).Replace(command), target.ProxyCommand)
		})
	}
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func TestConfigHops(t *testing.T) {
	target, err := resolve(t, "-J mid inner", "Host mid\n ProxyJump me@outer:2200\n User midway\nHost outer\n HostName 10.0.0.1\n User nobody\n")
	require.NoError(t, err)
	require.NotNil(t, target.Via)
	assert.Equal(t, "midway", target.Via.User)
	require.NotNil(t, target.Via.Via)
	assert.Equal(t, "me", target.Via.Via.User)
	assert.Equal(t, "10.0.0.1:2200", target.Via.Via.Address())
	assert.Nil(t, target.Via.Via.Via)

	_, err = resolve(t, "a", "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
	assert.ErrorContains(t, err, "back to itself")

	target, err = resolve(t, "a", "Host a\n ProxyCommand nc %h %p\n ProxyJump b\n")
	require.NoError(t, err)
	assert.Nil(t, target.Via, "the first of ProxyCommand and ProxyJump counts")
	assert.Equal(t, "nc a 22", target.ProxyCommand)
}

func TestConfigInclude(t *testing.T) {
	folder := t.TempDir()
	sshdtest.Write(t, filepath.Join(folder, "one.conf"), "Host box\n Port 11\nMatch final all\n User late\n")
	sshdtest.Write(t, filepath.Join(folder, "two.conf"), "Port 22\n")
	target, err := resolve(t, "box", "Host other\n Include "+folder+"/two.conf\nHost b*\n Include "+folder+"/o*.conf "+folder+"/missing\n HostName h\n")
	require.NoError(t, err)
	assert.Equal(t, "late@h:11", target.User+"@"+target.Address())

	sshdtest.Write(t, filepath.Join(folder, "loop.conf"), "Include "+folder+"/loop.conf\n")
	_, err = resolve(t, "box", "Include "+folder+"/loop.conf\n")
	assert.ErrorContains(t, err, "include itself")
}

func TestConfigRefused(t *testing.T) {
	for config, says := range map[string]string{
		"Match weather rain\n Port 1":                                              "Match weather",
		"PreferredAuthentications gssapi-with-mic":                                 "gssapi-with-mic",
		"CanonicalizeHostname yes\nCanonicalDomains example.com":                   "CanonicalizeHostname",
		"CanonicalizeHostname yes\nCanonicalizeFallbackLocal no":                   "CanonicalizeHostname",
		"CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs *:*":                "CanonicalizeHostname",
		"CanonicalizeHostname always\nCanonicalDomains a.b\nProxyCommand nc %h %p": "CanonicalizeHostname always",
		"CanonicalizeHostname yes\nHostName box.":                                  "CanonicalizeHostname",
		"ProxyCommand nc %h %p\nProxyUseFdpass yes":                                "ProxyUseFdpass",
		"BindInterface eth0":                                                       "BindInterface",
		"Ciphers cast128-cbc":                                                      "Ciphers",
		"KexAlgorithms -*":                                                         "KexAlgorithms",
		"CASignatureAlgorithms none-such":                                          "CASignatureAlgorithms",
		"IdentityFile ~/%C":                                                        "%C",
		"FutureKeyword yes":                                                        "FutureKeyword",
		"PasswordAuthentication no\nPubkeyAuthentication no\nKbdInteractiveAuthentication no": "without publickey",
	} {
		_, err := resolve(t, "box", config+"\n")
		var unsupported *UnsupportedError
		if assert.ErrorAs(t, err, &unsupported, config) {
			assert.ErrorContains(t, err, says)
			assert.ErrorContains(t, err, "sshclient=openssh")
		}
	}
	for config, says := range map[string]string{
		"Port ssh":                              "Port",
		"Port 70000":                            "Port",
		"Port":                                  "no value",
		"ConnectTimeout soon":                   "ConnectTimeout",
		"IdentitiesOnly maybe":                  "neither yes nor no",
		"StrictHostKeyChecking often":           "not one of",
		"HostName %q":                           "unknown token",
		"HostName \"x":                          "not closed",
		"HostName a;b":                          "not a host name",
		"User $(id)":                            "not a user name",
		"IdentityFile ${NO_SUCH_VAR}/":          "NO_SUCH_VAR",
		"RefuseConnection \"use the new host\"": "use the new host",
		"Match localnetwork 10.0.0.1/8":         "10.0.0.0/8",
		"Match localnetwork home":               "not a network",
		"KnownHostsCommand cat":                 "not an absolute path",
		"KnownHostsCommand /bin/echo %q":        "unknown token",
		"Match exec":                            "no value",
		"Match exec \"echo %q\"":                "unknown token",
		"Match exec \"kill -9 $$\"":             "killed",
	} {
		_, err := resolve(t, "box", config+"\n")
		assert.ErrorContains(t, err, says, config)
	}
	for _, config := range []string{
		"Match host other exec false\n Port 1", // decided before exec
		"Host other\n FutureKeyword yes",
		"IgnoreUnknown Fut*\nFutureKeyword yes",
		"GSSAPIAuthentication yes\nControlPath ~/.ssh/%C\nControlMaster auto",
		"PKCS11Provider none\nCanonicalizeHostname no",
		"CanonicalizeHostname yes",
		"CanonicalizeHostname yes\nCanonicalDomains none",
		"CanonicalizeHostname yes\nCanonicalDomains example.com\nHostName 10.0.0.1",
		"CanonicalizeHostname yes\nCanonicalDomains example.com\nHostName a.b.c",
		"Host box\n CanonicalizeHostname yes\n CanonicalDomains example.com\n ProxyJump hop",
		"SecurityKeyProvider /lib/sk.so\nVerifyHostKeyDNS yes\nProxyUseFdpass yes",
		"BindInterface none\nBindInterface eth0", // the first one counts
		"Host other\n BindInterface eth0",
		"KnownHostsCommand none",
		"ChallengeResponseAuthentication no\nRSAMinSize 2048\nSmartcardDevice none",
	} {
		_, err := resolve(t, "box", config+"\n")
		assert.NoError(t, err, config)
	}
	_, err := resolve(t, "-F /no/such/file box", "")
	assert.NoError(t, err, "resolve passes its own file")
	_, err = testDefaults.Resolve(t.Context(), &Args{Host: "box"}, testDefaults.Files("/no/such/file"), "python")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// The files of Fedora and what derives from it: the distribution's ssh_config includes
// ssh_config.d, whose 50-redhat.conf includes the policy for cryptography.
func TestRedHat(t *testing.T) {
	folder := t.TempDir()
	sshdtest.Write(t, filepath.Join(folder, "policy.config"), strings.Join([]string{
		"Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-gcm@openssh.com,aes128-ctr",
		"MACs hmac-sha2-256-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,umac-128@openssh.com,hmac-sha2-512",
		"GSSAPIKeyExchange no",
		"GSSAPIKexAlgorithms gss-curve25519-sha256-,gss-nistp256-sha256-,gss-group14-sha256-,gss-group16-sha512-",
		"KexAlgorithms mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
		"PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256,ecdsa-sha2-nistp256-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-256,rsa-sha2-512",
		"HostKeyAlgorithms ecdsa-sha2-nistp256,ecdsa-sha2-nistp256-cert-v01@openssh.com,ssh-ed25519,ssh-ed25519-cert-v01@openssh.com,rsa-sha2-512",
		"CASignatureAlgorithms ecdsa-sha2-nistp256,sk-ecdsa-sha2-nistp256@openssh.com,ssh-ed25519,rsa-sha2-256,rsa-sha2-512",
		"RequiredRSASize 2048",
	}, "\n")+"\n")
	sshdtest.Write(t, filepath.Join(folder, "20-systemd-ssh-proxy.conf"),
		"Host unix/* vsock/*\n ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p\n ProxyUseFdpass yes\n CheckHostIP no\n")
	sshdtest.Write(t, filepath.Join(folder, "50-redhat.conf"),
		"Match final all\n\tInclude "+folder+"/policy.config\n\n\tGSSAPIAuthentication yes\n\tForwardX11Trusted yes\n")
	target, err := resolve(t, "-o MACs=hmac-sha2-512 box", "Include "+folder+"/*.conf\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr", "aes128-gcm@openssh.com", "aes128-ctr"}, target.Ciphers)
	assert.Equal(t, []string{"hmac-sha2-512"}, target.MACs, "the policy comes last")
	assert.Equal(t, []string{"ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512"}, target.CASignatures)
	assert.Equal(t, "ecdsa-sha2-nistp256-cert-v01@openssh.com", target.HostKeyAlgorithms[1])
	assert.Equal(t, 2048, target.MinRSABits)

	target, err = resolve(t, "box", "")
	require.NoError(t, err)
	assert.Contains(t, target.CASignatures, "ssh-ed25519")
	assert.Contains(t, target.CASignatures, "rsa-sha2-512")
	assert.NotContains(t, target.CASignatures, "ssh-rsa")
}

func TestRevokedAndProviders(t *testing.T) {
	target, err := resolve(t, "-P work -I lib.so box", "RevokedHostKeys /etc/revoked-%n ~/more\nMatch tagged w*\n Port 7\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"/etc/revoked-box", "/home/me/more"}, target.RevokedHostKeys)
	assert.Equal(t, "lib.so", target.PKCS11Provider)
	assert.Equal(t, 7, target.Port)
	target, err = resolve(t, "box", "RevokedHostKeys none\n")
	require.NoError(t, err)
	assert.Empty(t, target.RevokedHostKeys)
}

// A folder that a pattern finds is no file; OpenSSH reads nothing from it.
func TestIncludeFindsFolder(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "a.conf"), 0o700))
	sshdtest.Write(t, filepath.Join(folder, "b.conf"), "Port 77\n")
	target, err := resolve(t, "box", "Include "+folder+"/*.conf\n")
	require.NoError(t, err)
	assert.Equal(t, 77, target.Port)
}

func TestAlgorithms(t *testing.T) {
	target, err := resolve(t, "box", "Ciphers aes256-ctr,aes128-ctr,made-up\nMACs -hmac-sha1*\nKexAlgorithms ^ecdh-*,diffie-hellman-group14-sha1\nHostKeyAlgorithms +ssh-rsa\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"aes256-ctr", "aes128-ctr"}, target.Ciphers)
	assert.NotContains(t, target.MACs, "hmac-sha1")
	assert.Contains(t, target.MACs, "hmac-sha2-256")
	assert.Equal(t, []string{"ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group14-sha1"}, target.KeyExchanges[:4])
	assert.Contains(t, target.KeyExchanges, "curve25519-sha256")
	assert.Equal(t, "ssh-rsa", target.HostKeyAlgorithms[len(target.HostKeyAlgorithms)-1])
	assert.Nil(t, target.PubkeyAlgorithms)
}

func TestMatchPattern(t *testing.T) {
	for pattern, subjects := range map[string]map[string]bool{
		"*":        {"": true, "x": true},
		"a?c":      {"abc": true, "ac": false, "abbc": false},
		"*.b.*":    {"a.b.c": true, "a.b": false, ".b.": true},
		"a*b*c":    {"abc": true, "axbxbxc": true, "acb": false},
		"":         {"": true, "x": false},
		"a*****b?": {"aaaaab": false, "aabc": true},
	} {
		for subject, want := range subjects {
			assert.Equal(t, want, matchPattern(pattern, subject), "%q %q", pattern, subject)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("SSHTEST_ONE", "1")
	target, err := resolve(t, "box", "SendEnv SSHTEST_*\nSetEnv \"A=b c\" D=e\n")
	require.NoError(t, err)
	assert.Equal(t, []Variable{{"A", "b c"}, {"D", "e"}, {"SSHTEST_ONE", "1"}}, target.Env)
}

// Whatever stands in a specification or a configuration, it is read or refused.
func FuzzConfig(f *testing.F) {
	f.Add("-p 22 me@host", "Host *\n Port=22\nMatch final host a,!b\n IdentityFile \"~/x y\" # z\n")
	f.Add("-oA=b -J a,[::1]:2 host x", "ProxyJump %h,a\nCiphers +aes*\nConnectTimeout 1h2\nMatch !all\n")
	f.Fuzz(func(t *testing.T, value, config string) {
		args, err := ParseArgs(value)
		if err != nil {
			return
		}
		if lower := strings.ToLower(config); strings.Contains(lower, "include") || strings.Contains(lower, "exec") {
			return // it would read files of this machine, or run commands
		}
		target, err := testDefaults.Resolve(t.Context(), args, []File{{Path: "config", Text: config + "\n"}}, "python")
		if err == nil && (target.Host == "" || target.Port < 1 || target.Port > 65535 || len(target.AuthMethods) == 0) {
			t.Fatalf("%+v", target)
		}
	})
}
