package gatewayio

import (
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
)

// sshArgs is an "ssh=" value, read as the ssh command reads its arguments.
type sshArgs struct {
	host string
	// settings are the options as configuration keywords, in the order they stand; of each keyword
	// the first one counts.
	settings []sshSetting
	// configFile is the value of -F, "" when it was not given.
	configFile string
	// prefix are the words behind the host. The ssh command puts them in front of what it is told
	// to run, so that "ssh=host sudo -n" works.
	prefix []string
}

// sshSetting is one configuration keyword and its value.
type sshSetting struct {
	keyword, value, where string
}

// What the letters of the ssh command's options mean here.
const (
	// sshIgnoredFlags change nothing for a gateway: compression (the native client has none),
	// talkativeness, no terminal, no forwarding, connection sharing (it is always done), log
	// destination.
	sshIgnoredFlags  = "CqvTxkM2y"
	sshIgnoredValues = "eES"
	// sshRefusedFlags and sshRefusedValues ask for something that only the ssh command can do, or
	// that would spoil the byte stream a gateway needs.
	sshRefusedFlags  = "1fGgKNnstVXY"
	sshRefusedValues = "BDILOPQRwW"
)

// sshValueKeywords are the options that stand for one configuration keyword.
var sshValueKeywords = map[byte]string{
	'b': "BindAddress", 'c': "Ciphers", 'i': "IdentityFile", 'J': "ProxyJump", 'l': "User", 'm': "MACs", 'p': "Port",
}

// parseSSHArgs reads the value of "ssh=".
func parseSSHArgs(value string) (*sshArgs, error) {
	words, err := splitCommand(value, runtime.GOOS == "windows")
	if err != nil {
		return nil, fmt.Errorf("ssh=%s: %w", value, err)
	}
	a := &sshArgs{}
	for len(words) > 0 {
		word := words[0]
		if word == "--" || len(word) < 2 || word[0] != '-' {
			if word == "--" {
				words = words[1:]
			}
			if a.host != "" || len(words) == 0 {
				break
			}
			if err := a.setHost(words[0]); err != nil {
				return nil, err
			}
			words = words[1:]
			if word == "--" {
				break
			}
			continue
		}
		used, err := a.option(word[1:], words[1:])
		if err != nil {
			return nil, err
		}
		words = words[1+used:]
	}
	a.prefix = words
	if a.host == "" {
		return nil, fmt.Errorf("ssh=%s names no host; write ssh=HOST or ssh=USER@HOST", value)
	}
	return a, nil
}

// option reads one word of options without its dash, such as "p5000" or "Cv", and returns how many
// of the words behind it belong to it.
func (a *sshArgs) option(letters string, rest []string) (used int, err error) {
	for i := 0; i < len(letters); i++ {
		letter := letters[i]
		name := "-" + string(letter)
		switch {
		case strings.IndexByte(sshIgnoredFlags, letter) >= 0:
			continue
		case letter == 'A':
			a.set("ForwardAgent", "yes")
			continue
		case letter == 'a':
			a.set("ForwardAgent", "no")
			continue
		case letter == '4':
			a.set("AddressFamily", "inet")
			continue
		case letter == '6':
			a.set("AddressFamily", "inet6")
			continue
		case strings.IndexByte(sshRefusedFlags+sshRefusedValues, letter) >= 0:
			return 0, &UnsupportedSSHError{What: "the option " + name, Where: "ssh="}
		}
		keyword, known := sshValueKeywords[letter]
		if !known && letter != 'o' && letter != 'F' && strings.IndexByte(sshIgnoredValues, letter) < 0 {
			return 0, fmt.Errorf("ssh=: the ssh command has no option %s", name)
		}
		argument := letters[i+1:]
		if argument == "" {
			if len(rest) == 0 {
				return 0, fmt.Errorf("ssh=: the option %s needs an argument", name)
			}
			argument, used = rest[0], 1
		}
		switch {
		case known:
			a.set(keyword, argument)
		case letter == 'F':
			a.configFile = argument
		case letter == 'o':
			keyword, value, ok := splitSSHKeyword(argument)
			if !ok {
				return 0, fmt.Errorf("ssh=: -o %s has no value; write -o Keyword=Value", argument)
			}
			a.set(keyword, value)
		}
		return used, nil
	}
	return 0, nil
}

func (a *sshArgs) set(keyword, value string) {
	a.settings = append(a.settings, sshSetting{keyword, value, "ssh="})
}

// setHost reads "host", "user@host" or "ssh://user@host:port".
func (a *sshArgs) setHost(target string) error {
	host, user, port, err := splitSSHTarget(target)
	if err != nil {
		return err
	}
	a.host = host
	if user != "" {
		a.set("User", user)
	}
	if port != "" {
		a.set("Port", port)
	}
	return nil
}

// splitSSHTarget splits a destination as the ssh command accepts it. A port is read from the URL
// form only; jump hosts, which have "host:port" too, go through splitSSHJump.
func splitSSHTarget(target string) (host, user, port string, err error) {
	if strings.HasPrefix(target, "ssh://") {
		u, err := url.Parse(target)
		if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
			return "", "", "", fmt.Errorf("ssh=: %s is not of the form ssh://[user@]host[:port]", target)
		}
		return u.Hostname(), u.User.Username(), u.Port(), nil
	}
	host = target
	if at := strings.LastIndexByte(target, '@'); at >= 0 {
		user, host = target[:at], target[at+1:]
		if user == "" {
			return "", "", "", fmt.Errorf("ssh=: %s has no user before the @", target)
		}
	}
	return host, user, "", checkSSHHost(host)
}

// splitSSHJump splits one element of ProxyJump: [user@]host[:port] or ssh://[user@]host[:port].
func splitSSHJump(jump string) (host, user, port string, err error) {
	if host, user, port, err = splitSSHTarget(jump); err != nil || port != "" {
		return host, user, port, err
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, after, closed := strings.Cut(inner, "]")
		port, _ = strings.CutPrefix(after, ":")
		if !closed || after != "" && (after[0] != ':' || port == "") {
			return "", "", "", fmt.Errorf("ssh: %s is not a jump host", jump)
		}
		return inner, user, port, checkSSHHost(inner)
	}
	if strings.Count(host, ":") == 1 {
		host, port, _ = strings.Cut(host, ":")
	}
	return host, user, port, checkSSHHost(host)
}

// checkSSHHost refuses what cannot be a host, and what a shell or the ssh command might take for
// something else.
func checkSSHHost(host string) error {
	if host == "" {
		return errors.New("ssh: the host is empty")
	}
	if host[0] == '-' || strings.ContainsAny(host, "'`\"$\\;&<>|(){} \t\r\n") {
		return fmt.Errorf("ssh: %q is not a host name", host)
	}
	return nil
}
