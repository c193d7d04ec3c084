package command

import (
	"github.com/spf13/cobra"
)

// A command that cannot be run is a topic of "execnet help".

func helpJSON() *cobra.Command {
	return &cobra.Command{
		Use:   "json",
		Short: "How Python values look in JSON",
		Long: `"execnet exec" prints items as JSON and reads the values of --send from it, and so
does "execnet call" with results and arguments:

  Python               JSON
  None, True, False    null, true, false
  int                  a number without point and exponent: 5
  float                a number with a point or an exponent: 5.0, 1e+16
                       {"__float__": "nan"}, "inf", "-inf"
  complex              {"__complex__": [1.0, 2.0]}: real part, imaginary part
  str                  a string
  bytes                {"__bytes__": "aGVsbG8="}: in base64
  list                 an array
  tuple                an array; to send one: {"__tuple__": [1, 2]}
  set                  {"__set__": [1, 2]}
  frozenset            {"__frozenset__": [1, 2]}
  dict                 an object if all its keys are str, else
                       {"__dict__": [[key, value], [key, value]]}
  channel              {"__channel__": 3}: its id; it cannot be sent

Ints have as many digits as they need. Python and jq read them all; programs that
make every number a double lose what is beyond 2**53.

Strings are always str, and an object with a member of one of the names above is
never a dict: a dict with such a key is printed as {"__dict__": ...}, and has to
be sent so. So what is printed can be sent back and is the same value again, but
for tuples, which become lists. (Where a list cannot be, as a dict's key or in a
set, an array is read as a tuple.)`,
		Example: `  execnet exec --send '{"__set__": [1, 2]}' -c 'channel.send(channel.receive() | {3})'
  execnet exec -c 'channel.send(b"hello")' | jq -r '.item.__bytes__ | @base64d'`,
	}
}

func helpSpecs() *cobra.Command {
	return &cobra.Command{
		Use:   "specs",
		Short: "What --tx and SPEC can be",
		Long: `A spec says which interpreter to use and how. It is a list of keys, with // in
between:

  popen                            the interpreter that is called python3 or python,
                                   or the one that $EXECNET_PYTHON names
  popen//python=python3.12         another one; any command that ends in one will do:
  popen//python=uv run python
  popen//python=embedded           the CPython inside this program, if it is execnet-full
  popen//chdir=/tmp/x              work in this folder, which is made if it is absent
  popen//env:NAME=value            set an environment variable; --env is the same for all
                                   specs
  popen//nice=10                   with lower priority
  popen//dont_write_bytecode       leave no .pyc files
  popen//preload=numpy,pandas      import these first; workers of this machine are forked
                                   from a process that has done that once
  popen//execmodel=gevent          how the worker runs what it is sent: thread,
                                   main_thread_only, gevent or eventlet
  popen//self                      this program again, as a worker in Go
  popen//self//engine=gpython      what runs source in a worker in Go: auto, gpython
                                   or cpython
  popen//bootstrap=import          use the execnet package installed there
  popen//id=left                   the gateway's name in what is printed; without id
                                   it is gw0, gw1, ... in the order of the specs

An interpreter can also run elsewhere:

  ssh=user@host                    on another host; the client is built in and reads
                                   ~/.ssh/config, the known hosts and the agent; it
                                   asks for passwords on the terminal
  ssh=-p 2222 -i KEY user@host     with options of the ssh command
  ssh=host//python=python3.12      which interpreter there
  ssh=host//ssh_config=FILE        another configuration
  ssh=host//sshclient=openssh      with the ssh command instead
  ssh=host//self                   this program there, as a worker in Go, on a host where
                                   nothing is installed: it is uploaded once
  vagrant_ssh=NAME                 a vagrant machine
  docker=NAME                      in a container that runs, by the command docker
  podman=NAME                      the same by podman
  kubectl=POD                      in a pod, by the command kubectl; further keys are
                                   namespace=NAME, container=NAME and context=NAME
  docker=NAME//self                this program there, as over ssh
  launch=COMMAND//n=4              four of them, which a launcher such as mpirun or srun
                                   starts somewhere, and which connect to here; COMMAND
                                   has to hand EXECNET_LAUNCH on: mpirun -x EXECNET_LAUNCH
  launch=COMMAND//listen=ADDRESS   where those of other machines find this process; further
                                   keys are advertise=ADDRESS, python= and self
  slurm=16                         16 of them on the nodes of a Slurm cluster, by srun;
                                   further keys are nodes=, partition=, time=, gpus=,
                                   account= and srun=OPTIONS
  socket=HOST:PORT                 behind a socket server: "execnet socketserver", or
                                   that of Python's execnet
  socket=HOST:PORT//tls            over TLS; further keys are tls_ca=FILE for the
                                   authority to trust, tls_cert=FILE//tls_key=FILE for
                                   a certificate of one's own, tls_name=NAME
  socket//installvia=ID            behind one that is started where gateway ID runs
  popen//via=ID                    an interpreter started by gateway ID
  popen//via=ID//self              this program, uploaded to there; if ID is a worker in
                                   Go, that worker's own program
  ssh=inner//via=ID                the same for hosts that only ID reaches

Keys go together: popen//python=python3.12//chdir=/tmp/x//id=left. A key that is
not listed here is an error, unless it begins with x-.

As // separates keys, a value cannot contain it. With a % behind the key its value
is percent-encoded, as in a URL, and %2F stands for a slash:

  popen//env%:PROXY=http:%2F%2Fproxy:3128
  popen//python%=docker run -i -e PROXY=http:%2F%2Fproxy:3128 image python3

A shell needs quotes around a spec with a blank, a * or a $ in it.

N*SPEC, such as 3*popen, stands for N of the same, as with pytest-xdist.`,
		Example: `  execnet exec --tx '4*popen//python=python3.12' -c 'import os; channel.send(os.getpid())'
  execnet info 'popen//python=python2.7//chdir=/tmp'
  execnet info ssh=me@example.org//id=far popen//via=far
  execnet info docker=box//chdir=/srv kubectl=web-0//namespace=shop
  execnet info 'launch=mpirun -x EXECNET_LAUNCH -np 4//n=4//id=rank'
  execnet info 'ssh=-p 2222 me@example.org'`,
	}
}
