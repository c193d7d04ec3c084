package sshconfig

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// values reads typed values from settings and keeps the first error.
type values struct {
	c   *config
	err error
}

func (r *values) fail(keyword, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s: %s", r.c.where(keyword), keyword, fmt.Sprintf(format, args...))
	}
}

func (r *values) number(keyword string, missing, least, most int) int {
	value := r.c.get(keyword)
	if value == "" {
		return missing
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		r.fail(keyword, "%q is not a number from %d to %d", value, least, most)
	}
	return n
}

func (r *values) yes(keyword string, missing bool) bool {
	switch value := r.c.get(keyword); strings.ToLower(value) {
	case "":
		return missing
	case "yes", "true":
		return true
	case "no", "false":
		return false
	default:
		r.fail(keyword, "%q is neither yes nor no", value)
		return false
	}
}

func (r *values) choice(keyword, missing string, choices ...string) string {
	value := strings.ToLower(r.c.get(keyword))
	if value == "" {
		return missing
	}
	if !slices.Contains(choices, value) {
		r.fail(keyword, "%q is not one of %s", value, strings.Join(choices, ", "))
	}
	return value
}

// seconds reads a time as OpenSSH writes it: "90", "1m30s", "2h".
func (r *values) seconds(keyword string, missing time.Duration) time.Duration {
	value := strings.ToLower(r.c.get(keyword))
	if value == "" {
		return missing
	}
	if value == "none" {
		return 0
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	total, digits := time.Duration(0), ""
	for i := 0; i <= len(value); i++ {
		if i < len(value) && value[i] >= '0' && value[i] <= '9' {
			digits += value[i : i+1]
			continue
		}
		if i == len(value) && digits == "" {
			break
		}
		unit := time.Second
		if i < len(value) {
			unit = units[value[i]]
		}
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || unit == 0 {
			r.fail(keyword, "%q is not a time such as 30 or 1m30s", value)
			return 0
		}
		total += time.Duration(n) * unit
		digits = ""
	}
	return total
}

// expand replaces %% and the given % tokens.
func (r *values) expand(keyword, value string, tokens map[byte]string) string {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '%' {
			b.WriteByte(value[i])
			continue
		}
		i++
		if i == len(value) {
			r.fail(keyword, "%q ends with a %%; write %%%% for one", value)
			break
		}
		token, known := tokens[value[i]]
		switch {
		case value[i] == '%':
			b.WriteByte('%')
		case known:
			b.WriteString(token)
		case strings.IndexByte("CjTfHIKt", value[i]) >= 0: // OpenSSH's others
			if r.err == nil {
				r.err = &UnsupportedError{What: fmt.Sprintf("the token %%%c in %s", value[i], keyword), Where: r.c.where(keyword)}
			}
		default:
			r.fail(keyword, "%q has the unknown token %%%c", value, value[i])
		}
	}
	return b.String()
}

// path expands ~, ${VARIABLE} and tokens in a file name.
func (r *values) path(keyword, value string, tokens map[byte]string) string {
	var b strings.Builder
	for rest := expandHome(r.c.home, value); ; {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, end, closed := strings.Cut(after, "}")
		variable, isSet := os.LookupEnv(name)
		if !closed || !isSet {
			r.fail(keyword, "%q names the environment variable %s, which is not set", value, name)
			break
		}
		b.WriteString(variable)
		rest = end
	}
	return r.expand(keyword, b.String(), tokens)
}

func (r *values) paths(keyword string, values []string, tokens map[byte]string) []string {
	var paths []string
	for _, value := range values {
		if strings.EqualFold(value, "none") {
			continue
		}
		paths = append(paths, r.path(keyword, value, tokens))
	}
	return paths
}

func (r *values) knownHosts(keyword string, missing []string, tokens map[byte]string) []string {
	files := r.c.words(keyword)
	if len(files) == 0 {
		files = missing
	}
	return r.paths(keyword, files, tokens)
}

// agent is the socket that a value of IdentityAgent or ForwardAgent stands for, "" for none.
func (r *values) agent(keyword, value string, tokens map[byte]string) string {
	switch {
	case value == "" || value == "SSH_AUTH_SOCK":
		if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" || runtime.GOOS != "windows" {
			return socket
		}
		return `\\.\pipe\openssh-ssh-agent`
	case strings.EqualFold(value, "none"):
		return ""
	case value[0] == '$' && !strings.HasPrefix(value, "${"):
		return os.Getenv(value[1:])
	}
	return r.path(keyword, value, tokens)
}

// authMethods are the methods to try, in order.
func (r *values) authMethods() []string {
	allowed := map[string]bool{
		PublicKey:           r.publicKeys(),
		KeyboardInteractive: r.yes("KbdInteractiveAuthentication", true),
		Password:            r.yes("PasswordAuthentication", true),
	}
	if r.yes("BatchMode", false) { // nobody may be asked
		allowed[KeyboardInteractive], allowed[Password] = false, false
	}
	order := []string{PublicKey, KeyboardInteractive, Password}
	preferred := r.c.get("PreferredAuthentications")
	if preferred != "" {
		order = strings.Split(preferred, ",")
	}
	var methods []string
	for _, method := range order {
		if allowed[method] && !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	if len(methods) == 0 && r.err == nil {
		what := "a configuration without publickey, password and keyboard-interactive"
		if preferred != "" {
			what = "PreferredAuthentications " + preferred
		}
		r.err = &UnsupportedError{What: what, Where: r.c.where("PreferredAuthentications")}
	}
	return methods
}

// publicKeys reads PubkeyAuthentication, which has two values more than yes and no since OpenSSH
// 8.9.
func (r *values) publicKeys() bool {
	switch r.choice("PubkeyAuthentication", "yes", "yes", "no", "true", "false", "unbound", "host-bound") {
	case "no", "false":
		return false
	}
	return true
}

// environment lists the variables to send: what SetEnv says, and of this process's what SendEnv
// names.
func (r *values) environment() []Variable {
	var env []Variable
	for _, pair := range r.c.plural["setenv"] {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			r.fail("SetEnv", "%q is not NAME=VALUE", pair)
		}
		env = append(env, Variable{name, value})
	}
	if patterns := r.c.plural["sendenv"]; len(patterns) > 0 {
		for _, pair := range os.Environ() {
			name, value, _ := strings.Cut(pair, "=")
			if slices.ContainsFunc(patterns, func(p string) bool { return matchPattern(p, name) }) {
				env = append(env, Variable{name, value})
			}
		}
	}
	return env
}
