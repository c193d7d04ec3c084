package sshconfig

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
)

// Args is an "ssh=" value, read as the ssh command reads its arguments.
type Args struct {
	// Host is the destination without user and port.
	Host string
	// ConfigFile is the value of -F, "" when it was not given.
	ConfigFile string
	// Prefix holds the words behind the host. The ssh command puts them in front of what it is told
	// to run, so that "ssh=host sudo -n" works.
	Prefix []string
	// settings holds the options as configuration keywords, in their order; of each keyword the
	// first one counts.
	settings []setting
}

// setting is one configuration keyword and its value.
type setting struct {
	keyword, value, where string
}

// What the letters of the ssh command's options mean here.
const (
	// ignoredFlags and ignoredValues change nothing for a gateway: compression (the native client
	// has none), verbosity, no terminal, no forwarding, connection sharing (it is always done), the
	// destination of logs.
	ignoredFlags  = "CqvTxkM2y"
	ignoredValues = "eES"
	// refusedFlags and refusedValues ask for something that only the ssh command can do, or that
	// would break the byte stream that a gateway needs.
	refusedFlags  = "1fGgKNnstVXY"
	refusedValues = "BDLOQRwW"
)

// flagSettings are the flags that stand for one setting.
var flagSettings = map[byte]setting{
	'A': {keyword: "ForwardAgent", value: "yes"}, 'a': {keyword: "ForwardAgent", value: "no"},
	'4': {keyword: "AddressFamily", value: "inet"}, '6': {keyword: "AddressFamily", value: "inet6"},
}

// valueKeywords are the options that stand for one configuration keyword.
var valueKeywords = map[byte]string{
	'b': "BindAddress", 'c': "Ciphers", 'i': "IdentityFile", 'I': "PKCS11Provider", 'J': "ProxyJump", 'l': "User",
	'm': "MACs", 'p': "Port", 'P': "Tag",
}

// ParseArgs reads the value of "ssh=". Its error is an *UnsupportedError, or says what is wrong.
func ParseArgs(value string) (*Args, error) {
	a := &Args{}
	if err := a.parse(value); err != nil {
		return nil, farend.SSHError("", err)
	}
	return a, nil
}

func (a *Args) parse(value string) error {
	words, err := cmdline.Split(value)
	if err != nil {
		return fmt.Errorf("ssh=%s: %w", value, err)
	}
	for len(words) > 0 {
		word := words[0]
		if word == "--" || len(word) < 2 || word[0] != '-' {
			if word == "--" {
				words = words[1:]
			}
			if a.Host != "" || len(words) == 0 {
				break
			}
			if err := a.setHost(words[0]); err != nil {
				return err
			}
			words = words[1:]
			if word == "--" {
				break
			}
			continue
		}
		used, err := a.option(word[1:], words[1:])
		if err != nil {
			return err
		}
		words = words[1+used:]
	}
	a.Prefix = words
	if a.Host == "" {
		return fmt.Errorf("ssh=%s names no host; write ssh=HOST or ssh=USER@HOST", value)
	}
	return nil
}

// option reads one word of options without its dash, such as "p5000" or "Cv", and returns how many
// of the words behind it belong to it.
func (a *Args) option(letters string, rest []string) (used int, err error) {
	for i := 0; i < len(letters); i++ {
		letter := letters[i]
		name := "-" + string(letter)
		switch {
		case strings.IndexByte(ignoredFlags, letter) >= 0:
			continue
		case flagSettings[letter].keyword != "":
			a.set(flagSettings[letter].keyword, flagSettings[letter].value)
			continue
		case strings.IndexByte(refusedFlags+refusedValues, letter) >= 0:
			return 0, &UnsupportedError{What: "the option " + name, Where: "ssh="}
		}
		keyword, known := valueKeywords[letter]
		if !known && letter != 'o' && letter != 'F' && strings.IndexByte(ignoredValues, letter) < 0 {
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
			a.ConfigFile = argument
		case letter == 'o':
			keyword, value, ok := splitKeyword(argument)
			if !ok {
				return 0, fmt.Errorf("ssh=: -o %s has no value; write -o Keyword=Value", argument)
			}
			a.set(keyword, value)
		}
		return used, nil
	}
	return 0, nil
}

func (a *Args) set(keyword, value string) {
	a.settings = append(a.settings, setting{keyword, value, "ssh="})
}

// setHost reads "host", "user@host" or "ssh://user@host:port".
func (a *Args) setHost(target string) error {
	host, user, port, err := splitDestination(target)
	if err != nil {
		return err
	}
	a.Host = host
	if user != "" {
		a.set("User", user)
	}
	if port != "" {
		a.set("Port", port)
	}
	return nil
}

// splitDestination splits a destination as the ssh command accepts it. A port is read from the URL
// form only; jump hosts, which have "host:port" too, go through splitJump.
func splitDestination(target string) (host, user, port string, err error) {
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
	return host, user, "", checkHost(host)
}

// splitJump splits one element of ProxyJump: [user@]host[:port] or ssh://[user@]host[:port].
func splitJump(jump string) (host, user, port string, err error) {
	if host, user, port, err = splitDestination(jump); err != nil || port != "" {
		return host, user, port, err
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, after, closed := strings.Cut(inner, "]")
		port, _ = strings.CutPrefix(after, ":")
		if !closed || after != "" && (after[0] != ':' || port == "") {
			return "", "", "", fmt.Errorf("%s is not a jump host", jump)
		}
		return inner, user, port, checkHost(inner)
	}
	if strings.Count(host, ":") == 1 {
		host, port, _ = strings.Cut(host, ":")
	}
	return host, user, port, checkHost(host)
}

// checkHost refuses what cannot be a host, and what a shell or the ssh command might take for
// something else.
func checkHost(host string) error {
	if host == "" {
		return errors.New("the host is empty")
	}
	if host[0] == '-' || strings.ContainsAny(host, "'`\"$\\;&<>|(){} \t\r\n") {
		return fmt.Errorf("%q is not a host name", host)
	}
	return nil
}
