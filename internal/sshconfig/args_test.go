package sshconfig

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestArgs(t *testing.T) {
	for value, want := range map[string]Args{
		"host":                       {Host: "host"},
		"me@host":                    {Host: "host", settings: []setting{{"User", "me", "ssh="}}},
		"me@corp@host":               {Host: "host", settings: []setting{{"User", "me@corp", "ssh="}}},
		"ssh://me@host:2222":         {Host: "host", settings: []setting{{"User", "me", "ssh="}, {"Port", "2222", "ssh="}}},
		"-p 5000 host":               {Host: "host", settings: []setting{{"Port", "5000", "ssh="}}},
		"-p5000 host":                {Host: "host", settings: []setting{{"Port", "5000", "ssh="}}},
		"host -p 5000":               {Host: "host", settings: []setting{{"Port", "5000", "ssh="}}},
		"-Cqp 5000 host":             {Host: "host", settings: []setting{{"Port", "5000", "ssh="}}},
		"-vv -x -T host":             {Host: "host"},
		"-A -a host":                 {Host: "host", settings: []setting{{"ForwardAgent", "yes", "ssh="}, {"ForwardAgent", "no", "ssh="}}},
		"-F '/my files/cfg' host":    {Host: "host", ConfigFile: "/my files/cfg"},
		"-l me -i ~/k1 -i k2 host":   {Host: "host", settings: []setting{{"User", "me", "ssh="}, {"IdentityFile", "~/k1", "ssh="}, {"IdentityFile", "k2", "ssh="}}},
		"-J a,b@c:22 host":           {Host: "host", settings: []setting{{"ProxyJump", "a,b@c:22", "ssh="}}},
		"-o Port=1 -oUser=me host":   {Host: "host", settings: []setting{{"Port", "1", "ssh="}, {"User", "me", "ssh="}}},
		"-o 'ConnectTimeout 5' host": {Host: "host", settings: []setting{{"ConnectTimeout", "5", "ssh="}}},
		"-4 -6 host":                 {Host: "host", settings: []setting{{"AddressFamily", "inet", "ssh="}, {"AddressFamily", "inet6", "ssh="}}},
		"-c aes128-ctr -m m host":    {Host: "host", settings: []setting{{"Ciphers", "aes128-ctr", "ssh="}, {"MACs", "m", "ssh="}}},
		"host sudo -n":               {Host: "host", Prefix: []string{"sudo", "-n"}},
		"-- host":                    {Host: "host"},
		"::1":                        {Host: "::1"},
	} {
		t.Run(value, func(t *testing.T) {
			args, err := ParseArgs(value)
			require.NoError(t, err)
			if len(args.Prefix) == 0 {
				args.Prefix = nil
			}
			assert.Equal(t, want, *args)
		})
	}
}

func TestArgsRefused(t *testing.T) {
	for _, option := range []string{"-L 1:h:2", "-R1:h:2", "-D 8080", "-w 0", "-W h:22", "-X", "-t", "-N", "-f", "-s", "-K", "-O exit"} {
		_, err := ParseArgs(option + " host")
		var unsupported *UnsupportedError
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
		_, err := ParseArgs(value)
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
		host, user, port, err := splitJump(jump)
		require.NoError(t, err, jump)
		assert.Equal(t, want, [3]string{host, user, port}, jump)
	}
	for _, jump := range []string{"", "[::1", "[::1]22", "[::1]:", "a b"} {
		_, _, _, err := splitJump(jump)
		assert.Error(t, err, jump)
	}
}
