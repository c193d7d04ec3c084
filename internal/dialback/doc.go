// Package dialback has workers that a launcher starts, here or elsewhere, and which connect to
// their driver: a launcher's stdin and stdout are no wire (srun sends whole lines, mpirun gives
// stdin to one process only).
//
// A [Launch] is the driver's half. It listens, runs the launcher once, and takes each worker that
// shows the secret of this launch. [Command] is what the launcher has to start, and [Connect] the
// half of a Go worker; connect.py is that of Python ([protocol.md section 7.13]).
//
// [protocol.md section 7.13]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#713-dial-back
package dialback

import "strings"

// variable is the variable of the environment that leads a worker to its driver: the address, the
// SHA-256 of the driver's certificate in hex, and the secret, with commas in between.
const variable = "EXECNET_LAUNCH"

// rankVariables tell a worker which of its launch it is: execnet's own, which a script can set, and
// those of MPI libraries and Slurm. Those of MPI come first, because mpirun may be run by srun,
// whose variable then means something else. connect.py has the same list.
var rankVariables = []string{"EXECNET_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}

// nodeVariable is Slurm's name of the node that a worker runs on.
const nodeVariable = "SLURMD_NODENAME"

const (
	// greeting begins what a worker says: greeting, the secret, the rank or unknown, the node or
	// unknown, with blanks in between, and a line end.
	greeting = "execnet-launch 1"
	unknown  = "-"
	// longestGreeting bounds that line.
	longestGreeting = 512
	// accepted begins the answer to a worker that is taken; its rank and a line end follow.
	// refused begins that to one which knows the secret and is not taken; the reason follows.
	accepted = "ok "
	refused  = "no "
	// longestAnswer bounds the answer.
	longestAnswer = 1000
)

// isLoopback reports whether an address leads to the machine that uses it.
func isLoopback(address string) bool {
	return strings.HasPrefix(address, "127.") || strings.HasPrefix(address, "[::1]:")
}
