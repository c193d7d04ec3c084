package gatewayio

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/xspec"
)

func TestSSHArgs(t *testing.T) {
	for value, want := range map[string]sshArgs{
		"host":                       {host: "host"},
		"me@host":                    {host: "host", settings: []sshSetting{{"User", "me", "ssh="}}},
		"me@corp@host":               {host: "host", settings: []sshSetting{{"User", "me@corp", "ssh="}}},
		"ssh://me@host:2222":         {host: "host", settings: []sshSetting{{"User", "me", "ssh="}, {"Port", "2222", "ssh="}}},
		"-p 5000 host":               {host: "host", settings: []sshSetting{{"Port", "5000", "ssh="}}},
		"-p5000 host":                {host: "host", settings: []sshSetting{{"Port", "5000", "ssh="}}},
		"host -p 5000":               {host: "host", settings: []sshSetting{{"Port", "5000", "ssh="}}},
		"-Cqp 5000 host":             {host: "host", settings: []sshSetting{{"Port", "5000", "ssh="}}},
		"-vv -x -T host":             {host: "host"},
		"-A -a host":                 {host: "host", settings: []sshSetting{{"ForwardAgent", "yes", "ssh="}, {"ForwardAgent", "no", "ssh="}}},
		"-F '/my files/cfg' host":    {host: "host", configFile: "/my files/cfg"},
		"-l me -i ~/k1 -i k2 host":   {host: "host", settings: []sshSetting{{"User", "me", "ssh="}, {"IdentityFile", "~/k1", "ssh="}, {"IdentityFile", "k2", "ssh="}}},
		"-J a,b@c:22 host":           {host: "host", settings: []sshSetting{{"ProxyJump", "a,b@c:22", "ssh="}}},
		"-o Port=1 -oUser=me host":   {host: "host", settings: []sshSetting{{"Port", "1", "ssh="}, {"User", "me", "ssh="}}},
		"-o 'ConnectTimeout 5' host": {host: "host", settings: []sshSetting{{"ConnectTimeout", "5", "ssh="}}},
		"-4 -6 host":                 {host: "host", settings: []sshSetting{{"AddressFamily", "inet", "ssh="}, {"AddressFamily", "inet6", "ssh="}}},
		"-c aes128-ctr -m m host":    {host: "host", settings: []sshSetting{{"Ciphers", "aes128-ctr", "ssh="}, {"MACs", "m", "ssh="}}},
		"host sudo -n":               {host: "host", prefix: []string{"sudo", "-n"}},
		"-- host":                    {host: "host"},
		"::1":                        {host: "::1"},
	} {
		t.Run(value, func(t *testing.T) {
			args, err := parseSSHArgs(value)
			require.NoError(t, err)
			if len(args.prefix) == 0 {
				args.prefix = nil
			}
			assert.Equal(t, want, *args)
		})
	}
}

func TestSSHArgsRefused(t *testing.T) {
	for _, option := range []string{"-L 1:h:2", "-R1:h:2", "-D 8080", "-w 0", "-W h:22", "-X", "-t", "-N", "-f", "-s", "-I lib.so", "-K", "-O exit"} {
		_, err := parseSSHArgs(option + " host")
		var unsupported *UnsupportedSSHError
		if assert.ErrorAs(t, err, &unsupported, option) {
			assert.ErrorContains(t, err, option[:2])
			assert.ErrorContains(t, err, "sshclient=openssh")
		}
	}
	for value, says := range map[string]string{
		"":                "no host",
		"-p 22":           "no host",
		"-p":              "-p needs an argument",
		"-Z host":         "no option -Z",
		"-o Port host":    "Keyword=Value",
		"'host":           "ssh='host",
		"@host":           "no user",
		"'a;b'":           "not a host name",
		"-- -oEvil=1":     "not a host name",
		"ssh://host/path": "ssh://[user@]host[:port]",
	} {
		_, err := parseSSHArgs(value)
		assert.ErrorContains(t, err, says, value)
	}
}

func TestSplitSSHJump(t *testing.T) {
	for jump, want := range map[string][3]string{
		"host":                {"host", "", ""},
		"me@host:2200":        {"host", "me", "2200"},
		"[fe80::1]:22":        {"fe80::1", "", "22"},
		"[::1]":               {"::1", "", ""},
		"::1":                 {"::1", "", ""},
		"ssh://me@host:2200/": {"host", "me", "2200"},
	} {
		host, user, port, err := splitSSHJump(jump)
		require.NoError(t, err, jump)
		assert.Equal(t, want, [3]string{host, user, port}, jump)
	}
	for _, jump := range []string{"", "[::1", "[::1]22", "[::1]:", "a b"} {
		_, _, _, err := splitSSHJump(jump)
		assert.Error(t, err, jump)
	}
}

func TestRemoteCommand(t *testing.T) {
	const line = `-c "import sys;exec(eval(sys.stdin.readline()))"`
	assert.Equal(t, "python2.7 -u "+line, remoteCommand(nil, &xspec.Spec{Python: "python2.7"}))
	assert.Equal(t, "sudo -n python3 -u -B "+line, remoteCommand([]string{"sudo", "-n"}, &xspec.Spec{Python: "python3", DontWriteBytecode: true}))
	assert.Contains(t, remoteCommand(nil, &xspec.Spec{}), line)
}

func TestOpenSSHArgs(t *testing.T) {
	argv, err := OpenSSHArgs(&xspec.Spec{SSH: "-p 5000 'me'@host", SSHConfig: "cfg", Python: "python3"})
	require.NoError(t, err)
	assert.Equal(t, []string{"ssh", "-C", "-F", "cfg", "-p", "5000", "me@host", `python3 -u -c "import sys;exec(eval(sys.stdin.readline()))"`}, argv)
	argv, err = OpenSSHArgs(&xspec.Spec{VagrantSSH: "box", SSHConfig: "cfg", Python: "python3"})
	require.NoError(t, err)
	assert.Equal(t, []string{"vagrant", "ssh", "box", "--", "-C", "-F", "cfg", `python3 -u -c "import sys;exec(eval(sys.stdin.readline()))"`}, argv)
	_, err = OpenSSHArgs(&xspec.Spec{SSH: "'host"})
	assert.Error(t, err)
}
