package command

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker"
)

func newSocketServer() *cobra.Command {
	var once bool
	var certificate, key, clientCA, program string
	var settings worker.Config
	cmd := &cobra.Command{
		Use:   "socketserver [HOST:PORT]",
		Short: "Let drivers connect to this host and use it",
		Long: `Socketserver waits for drivers that connect with socket=HOST:PORT, Python's or
Go's, and gives each connection a worker ("execnet help worker") in a process of
its own. It listens on port 8888 of the loopback address unless told otherwise;
port 0 takes a free one. The address is printed on one line.

Nobody is asked for a password: WHOEVER CAN CONNECT CAN EXECUTE ANYTHING AS THIS
USER. On the loopback address that is every user of this host. With --tls-cert and
--tls-key the connection is encrypted, and with --client-ca only who shows a
certificate of that authority is let in. Only Go drivers can do that:

  socket=HOST:PORT//tls_ca=FILE//tls_cert=FILE//tls_key=FILE

For others there is "execnet sshserver".

It logs on stderr and ends when it is interrupted, and the workers with it.`,
		Example: `  execnet socketserver
  execnet socketserver --once 127.0.0.1:0
  execnet socketserver 0.0.0.0:8888 --tls-cert me.pem --tls-key me.key --client-ca drivers.pem`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := listenAddress(args, "8888")
			switch {
			case err != nil:
				return err
			case (certificate == "") != (key == ""):
				return errors.New("--tls-cert and --tls-key go together")
			case clientCA != "" && certificate == "":
				return errors.New("--client-ca needs --tls-cert and --tls-key")
			}
			command, err := workers(cmd, program, settings)
			if err != nil {
				return err
			}
			s := server.Socket{Command: command, Once: once, Log: cmd.ErrOrStderr()}
			warning := "whoever can connect can execute anything as this user, without a password; " +
				"give --client-ca, or use execnet sshserver"
			if certificate != "" {
				if s.TLS, err = server.TLSConfig(certificate, key, clientCA); err != nil {
					return failure(err)
				}
			}
			if clientCA != "" {
				warning = ""
			}
			return listenAndServe(cmd, address, warning, s.Serve)
		},
	}
	addWorker(cmd, &program, &settings)
	flags := cmd.Flags()
	flags.BoolVar(&once, "once", false, "end after the first worker")
	flags.StringVar(&certificate, "tls-cert", "", "the server's certificate, a PEM `FILE`")
	flags.StringVar(&key, "tls-key", "", "the certificate's key, a PEM `FILE`")
	flags.StringVar(&clientCA, "client-ca", "", "let in who has a certificate of an authority in this PEM `FILE`")
	return cmd
}
