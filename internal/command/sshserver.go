package command

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker"
)

func newSSHServer() *cobra.Command {
	var hostKeyFile, keysFile, program string
	var settings worker.Config
	cmd := &cobra.Command{
		Use:   "sshserver [HOST:PORT]",
		Short: "Let drivers log in to this host with a key and use it",
		Long: `Sshserver is an ssh server that can do one thing: start workers ("execnet help
worker") for drivers that log in with a public key. There are no passwords, no
shell, no files and no forwarding. It listens on port 2222 of the loopback address
unless told otherwise; port 0 takes a free one. The address is printed on one
line, all that stdout gets. Any driver reaches it, Python's through the ssh
command; what stands behind python= does not matter:

  ssh=-p 2222 HOST//python=execnet

Who may log in says a file of public keys, ~/.ssh/authorized_keys by default,
under whatever user name; workers run as the user who has started the server. A
key with options that the server cannot honour (command=, from=, ...) is refused.

The server's own key is made at its first start.

It logs on stderr, its key's fingerprint at first, and ends when it is
interrupted, and the workers with it.`,
		Example: `  execnet sshserver
  execnet sshserver 0.0.0.0:2222 --authorized-keys drivers.pub`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := listenAddress(args, "2222")
			if err != nil {
				return err
			}
			if hostKeyFile == "" {
				folder, err := os.UserConfigDir()
				if err != nil {
					return failure(fmt.Errorf("where is the host key to be? give --host-key: %w", err))
				}
				hostKeyFile = filepath.Join(folder, "go-execnet", "ssh_host_ed25519_key")
			}
			if keysFile == "" {
				folder, err := os.UserHomeDir()
				if err != nil {
					return failure(fmt.Errorf("who may log in? give --authorized-keys: %w", err))
				}
				keysFile = filepath.Join(folder, ".ssh", "authorized_keys")
			}
			command, err := workers(cmd, program, settings)
			if err != nil {
				return err
			}
			hostKey, err := server.HostKey(hostKeyFile)
			if err != nil {
				return failure(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "host key %s %s\n", ssh.FingerprintSHA256(hostKey.PublicKey()), hostKeyFile)
			warnOfKeys(cmd, keysFile)
			s := server.SSH{Command: command, HostKey: hostKey, AuthorizedKeys: keysFile, Log: cmd.ErrOrStderr()}
			return listenAndServe(cmd, address, "", s.Serve)
		},
	}
	addWorker(cmd, &program, &settings)
	flags := cmd.Flags()
	flags.StringVar(&hostKeyFile, "host-key", "", "the server's private key, made if there is no such `FILE` (default: go-execnet/ssh_host_ed25519_key in the user's configuration folder)")
	flags.StringVar(&keysFile, "authorized-keys", "", "a `FILE` of the public keys that may log in (default: ~/.ssh/authorized_keys)")
	return cmd
}

// warnOfKeys prints which keys cannot log in, and if none can. That is not an error, since the file
// can change.
func warnOfKeys(cmd *cobra.Command, file string) {
	usable, problems, err := server.CheckAuthorizedKeys(file)
	switch {
	case err != nil:
		problems = []string{"nobody can log in yet: " + plainError(err)}
	case usable == 0:
		problems = append(problems, "nobody can log in yet: there is no key for it in "+file)
	}
	for _, problem := range problems {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s\n", cmd.CommandPath(), problem)
	}
}
