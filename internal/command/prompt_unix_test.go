//go:build !windows

package command

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

// dialog is a run of the program whose terminal the test holds, while its stdin, stdout and stderr
// are pipes.
type dialog struct {
	t              *testing.T
	cmd            *exec.Cmd
	terminal, line *os.File // what a user has before them, and the program's side of it
	shown          textbuffer.Buffer
	seen           int // how much of shown has been expected
	stdout, stderr bytes.Buffer
}

// begin starts the program at a terminal of its own.
func begin(t *testing.T, stdin string, args ...string) *dialog {
	t.Helper()
	d := &dialog{t: t, cmd: exec.CommandContext(t.Context(), binary, args...)}
	var err error
	d.terminal, d.line, err = pty.Open()
	require.NoError(t, err)
	d.cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = strings.NewReader(stdin), &d.stdout, &d.stderr
	d.cmd.ExtraFiles = []*os.File{d.line}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	require.NoError(t, d.cmd.Start())
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(&d.shown, d.terminal)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		d.line.Close()
		d.terminal.Close()
		<-copied
	})
	return d
}

// expect waits until the terminal shows a text behind what was expected before.
func (d *dialog) expect(text string) {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		shown := d.shown.String()
		at := strings.Index(shown[d.seen:], text)
		if at >= 0 {
			d.seen += at + len(text)
		}
		return at >= 0
	}, 30*time.Second, 5*time.Millisecond, "%q is not shown: %q", text, watchedText{&d.shown})
}

// watchedText is the text of a textbuffer.Buffer when it is printed.
type watchedText struct{ w *textbuffer.Buffer }

func (w watchedText) String() string { return w.w.String() }

// answer types a line.
func (d *dialog) answer(text string) {
	d.t.Helper()
	_, err := io.WriteString(d.terminal, text+"\n")
	require.NoError(d.t, err)
}

// end waits for the program to end and returns its exit code.
func (d *dialog) end() int {
	d.t.Helper()
	var exited *exec.ExitError
	if err := d.cmd.Wait(); err != nil && !errors.As(err, &exited) {
		require.NoError(d.t, err)
	}
	return d.cmd.ProcessState.ExitCode()
}

// settings are those of the terminal, as stty shows them.
func (d *dialog) settings() string {
	cmd := exec.Command("stty", "-a")
	cmd.Stdin = d.line
	out, err := cmd.Output()
	require.NoError(d.t, err)
	return string(out)
}

const sendHello = "channel.send('hello')"

// TestPassphraseAtTerminal reads the source from stdin, so stdin cannot be where the answer comes
// from.
func TestPassphraseAtTerminal(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	key := filepath.Join(t.TempDir(), "id")
	sshdtest.Keygen(t, key, "-a", "1", "-N", "open sesame")
	sshdtest.Write(t, server.AuthorizedKeysFile, sshdtest.Read(t, key+".pub"))
	spec := "ssh=-i " + key + " box//ssh_config=" + server.ConfigFile
	d := begin(t, sendHello, "exec", "--raw", "--tx", spec, "-")
	d.expect("Passphrase of the key " + key + ": ")
	d.answer("wrong")
	d.expect("Passphrase of the key " + key + ": ")
	d.answer("open sesame")
	assert.Equal(t, 0, d.end(), d.stderr.String())
	assert.Equal(t, "hello", d.stdout.String())
	assert.Empty(t, d.stderr.String())
	assert.NotContains(t, d.shown.String(), "sesame")
	assert.NotContains(t, d.shown.String(), "wrong")

	d = begin(t, sendHello, "exec", "--raw", "--tx", strings.Replace(spec, "ssh=", "ssh=-o BatchMode=yes ", 1), "-")
	assert.Equal(t, 1, d.end())
	assert.Empty(t, d.shown.String(), "nobody is asked")
	assert.Contains(t, d.stderr.String(), "BatchMode is yes")

	d = begin(t, sendHello, "exec", "--raw", "--tx", spec, "-")
	d.expect(": ")
	d.answer("\x04") // the end of the input
	assert.Equal(t, 1, d.end())
	assert.Contains(t, d.stderr.String(), "no answer was given")
}

func TestCtrlCAtPrompt(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") },
	})
	d := begin(t, "", "info", "ssh=box//ssh_config="+server.ConfigFile)
	before := d.settings()
	d.expect("Password of alice@127.0.0.1:" + server.Port + ": ")
	assert.NotEqual(t, before, d.settings(), "echo is off")
	_, err := io.WriteString(d.terminal, "half a pass\x03")
	require.NoError(t, err)
	assert.Equal(t, 130, d.end())
	assert.Equal(t, before, d.settings())
	assert.Empty(t, d.stderr.String())
	assert.NotContains(t, d.shown.String(), "half")

	d = begin(t, "", "info", "--timeout", "1s", "ssh=box//ssh_config="+server.ConfigFile)
	d.expect("Password of ")
	assert.Equal(t, 124, d.end())
	assert.Equal(t, before, d.settings())
}

// TestOtherFailsAtPrompt has one host that asks and one that is not there. Without the second one
// nothing is run, so the question is taken back.
func TestOtherFailsAtPrompt(t *testing.T) {
	t.Parallel()
	server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") },
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	d := begin(t, "", "exec", "-c", "pass", "--tx", "ssh=box//ssh_config="+server.ConfigFile, "--tx", "ssh=-p "+port+" 127.0.0.1//ssh_config=none")
	before := d.settings()
	d.expect("Password of ")
	conn, err := listener.Accept()
	require.NoError(t, err)
	conn.Close()
	assert.Equal(t, 1, d.end())
	assert.Equal(t, before, d.settings())
	assert.Regexp(t, `^\[gw1\] .*cannot connect to 127.0.0.1:`+port+`.*\n$`, d.stderr.String())
}

// TestPasswordsAtTerminal logs in at two hosts at the same time; they are asked for one after the
// other.
func TestPasswordsAtTerminal(t *testing.T) {
	t.Parallel()
	var specs []string
	passwords := map[string]string{}
	for _, word := range []string{"one", "two"} {
		server := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
			PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
				if string(password) != word {
					return nil, errors.New("no")
				}
				return nil, nil
			},
		})
		passwords[server.Port] = word
		specs = append(specs, "--tx", "ssh=box//ssh_config="+server.ConfigFile+"//python="+pythons.Default(t).Path)
	}
	d := begin(t, "", append([]string{"exec", "--raw", "-c", sendHello}, specs...)...)
	for asked := 1; asked <= 2; asked++ {
		d.expect("Password of alice@127.0.0.1:")
		var port string
		require.Eventually(t, func() bool {
			port, _, _ = strings.Cut(d.shown.String()[d.seen:], ": ")
			return passwords[port] != ""
		}, 10*time.Second, time.Millisecond)
		assert.Equal(t, asked, strings.Count(d.shown.String(), "Password of"), "one at a time")
		d.answer(passwords[port])
	}
	assert.Equal(t, 0, d.end(), d.stderr.String())
	assert.Equal(t, "hellohello", d.stdout.String())

	token := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, challenge ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := challenge("", "Two \x1b[31mquestions", []string{"Token: ", "Pet: "}, []bool{false, true})
			if err != nil || len(answers) != 2 || answers[0] != "123" || answers[1] != "cat" {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	})
	d = begin(t, "", "exec", "--raw", "-c", sendHello, "--tx", "ssh=box//ssh_config="+token.ConfigFile+"//python="+pythons.Default(t).Path)
	d.expect("Two [31mquestions\r\n(alice@127.0.0.1:" + token.Port + ") Token: ")
	d.answer("123")
	d.expect(") Pet: ")
	d.answer("cat")
	assert.Equal(t, 0, d.end(), d.stderr.String())
	assert.Equal(t, "hello", d.stdout.String())
	assert.NotContains(t, d.shown.String(), "123")
	assert.Contains(t, d.shown.String(), "Pet: cat")
}

func TestUnknownHostAtTerminal(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	known := filepath.Join(t.TempDir(), "known_hosts")
	host := "[127.0.0.1]:" + server.Port
	fingerprint := strings.Fields(sshdtest.Run(t, "ssh-keygen", "-l", "-f", server.HostKeyFile))[1]
	options := "ssh=-o StrictHostKeyChecking=ask -o HashKnownHosts=yes -o UserKnownHostsFile=" + known + " box//ssh_config=" + server.ConfigFile
	start := func(spec string) *dialog { return begin(t, "", "exec", "--raw", "-c", sendHello, "--tx", spec) }

	for _, refusal := range []string{"no", "SHA256:another"} {
		d := start(options)
		d.expect("knows the host " + host)
		d.expect("ssh-ed25519 " + fingerprint)
		d.expect("(yes, no, or the fingerprint) ")
		d.answer(refusal)
		assert.Equal(t, 1, d.end())
		assert.Contains(t, d.stderr.String(), "the host key of "+host+" is not known")
		assert.Contains(t, d.stderr.String(), "the answer was no")
		assert.NoFileExists(t, known)
	}
	for _, never := range []string{"-o BatchMode=yes", "-o StrictHostKeyChecking=yes"} {
		d := start(strings.Replace(options, "ssh=", "ssh="+never+" ", 1))
		assert.Equal(t, 1, d.end())
		assert.Empty(t, d.shown.String())
		assert.Contains(t, d.stderr.String(), "is not known")
	}
	d := start(options)
	d.expect("(yes, no, or the fingerprint) ")
	d.answer("maybe")
	d.expect("Please type yes, no, or the fingerprint: ")
	d.answer(fingerprint)
	assert.Equal(t, 0, d.end(), d.stderr.String())
	assert.Equal(t, "hello", d.stdout.String())
	assert.Regexp(t, `^\|1\|[^ ]+ ssh-ed25519 [^ ]+\n$`, sshdtest.Read(t, known))
	sshdtest.Run(t, "ssh-keygen", "-F", host, "-f", known)

	d = start(options)
	assert.Equal(t, 0, d.end(), d.stderr.String())
	assert.Empty(t, d.shown.String(), "it is known now")
}

// TestNoTerminal has no terminal to ask on, and its messages say what to do with ssh.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	key := filepath.Join(t.TempDir(), "id")
	sshdtest.Keygen(t, key, "-a", "1", "-N", "open sesame")
	sshdtest.Write(t, server.AuthorizedKeysFile, sshdtest.Read(t, key+".pub"))
	passwords := sshdtest.NewPasswordServer(t, &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") },
	})
	for spec, says := range map[string]string{
		"ssh=-i " + key + " box//ssh_config=" + server.ConfigFile:                                               "there is no terminal to ask on: load the key into an agent with ssh-add",
		"ssh=box//ssh_config=" + passwords.ConfigFile:                                                           "there is no terminal to ask on: use a key",
		"ssh=-o StrictHostKeyChecking=ask -o UserKnownHostsFile=/dev/null box//ssh_config=" + server.ConfigFile: "StrictHostKeyChecking is ask, and there is no terminal to ask on",
	} {
		cmd := exec.CommandContext(t.Context(), binary, "info", spec)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		out, err := cmd.CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), says)
		assert.NotContains(t, string(out), "callback")
	}
}
