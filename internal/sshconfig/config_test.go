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
	return testDefaults.Resolve(args, testDefaults.Files(file))
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
			target, err := defaults.Resolve(args, defaults.Files(file))
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
		"Match exec \"true\"\n Port 1":             "Match exec",
		"Match host box exec true\n Port 1":        "Match exec",
		"Match localnetwork 10.0.0.0/8\n Port 1":   "Match localnetwork",
		"PKCS11Provider /usr/lib/opensc.so":        "PKCS11Provider",
		"SecurityKeyProvider /lib/sk.so":           "SecurityKeyProvider",
		"PreferredAuthentications gssapi-with-mic": "gssapi-with-mic",
		"CanonicalizeHostname yes":                 "CanonicalizeHostname",
		"KnownHostsCommand /bin/cat":               "KnownHostsCommand",
		"RevokedHostKeys /etc/ssh/revoked":         "RevokedHostKeys",
		"ProxyUseFdpass yes":                       "ProxyUseFdpass",
		"Ciphers cast128-cbc":                      "Ciphers",
		"KexAlgorithms -*":                         "KexAlgorithms",
		"IdentityFile ~/%C":                        "%C",
		"FutureKeyword yes":                        "FutureKeyword",
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
		"Port ssh":                     "Port",
		"Port 70000":                   "Port",
		"Port":                         "no value",
		"ConnectTimeout soon":          "ConnectTimeout",
		"IdentitiesOnly maybe":         "neither yes nor no",
		"StrictHostKeyChecking often":  "not one of",
		"HostName %q":                  "unknown token",
		"HostName \"x":                 "not closed",
		"HostName a;b":                 "not a host name",
		"User $(id)":                   "not a user name",
		"IdentityFile ${NO_SUCH_VAR}/": "NO_SUCH_VAR",
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
	} {
		_, err := resolve(t, "box", config+"\n")
		assert.NoError(t, err, config)
	}
	_, err := resolve(t, "-F /no/such/file box", "")
	assert.NoError(t, err, "resolve passes its own file")
	_, err = testDefaults.Resolve(&Args{Host: "box"}, testDefaults.Files("/no/such/file"))
	assert.ErrorIs(t, err, os.ErrNotExist)
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
		if strings.Contains(strings.ToLower(config), "include") {
			return // it would read files of this machine
		}
		target, err := testDefaults.Resolve(args, []File{{Path: "config", Text: config + "\n"}})
		if err == nil && (target.Host == "" || target.Port < 1 || target.Port > 65535 || len(target.AuthMethods) == 0) {
			t.Fatalf("%+v", target)
		}
	})
}
