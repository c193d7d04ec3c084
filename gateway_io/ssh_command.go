package gatewayio

import (
	"strings"

	"github.com/go-execnet/execnet/xspec"
)

// remoteCommand is the command line that the host's shell gets, behind prefix. python= stands in it
// as it is, for that shell to read, as in execnet. Without python= execnet runs "python", which
// most hosts no longer have; here a small sh script takes python3 if there is one, else python. The
// script has no single quote, "!" or backslash, so that csh and fish hand it to sh as it is. A host
// whose shell is Windows' has no sh: there python= has to be given.
func remoteCommand(prefix []string, spec *xspec.Spec) string {
	flags := " -u"
	if spec.DontWriteBytecode {
		flags += " -B"
	}
	command := spec.Python + flags + ` -c "` + BootstrapLine + `"`
	if spec.Python == "" {
		command = `sh -c 'if command -v python3 >/dev/null 2>&1; then p=python3; else p=python; fi; exec $p` + flags +
			` -c "` + BootstrapLine + `"'`
	}
	return strings.Join(append(prefix[:len(prefix):len(prefix)], command), " ")
}
