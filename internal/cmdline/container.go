package cmdline

import (
	"cmp"
	"os/exec"
	"slices"

	"github.com/go-execnet/execnet/xspec"
)

// ContainerOf returns the command of a docker=, podman= or kubectl= spec, which is the spec's kind,
// and the name of the container or pod. Both are "" for other specs.
func ContainerOf(spec *xspec.Spec) (command, name string) {
	switch kind := spec.Kind(); kind {
	case xspec.KindDocker, xspec.KindPodman, xspec.KindKubectl:
		return kind, cmp.Or(spec.Docker, spec.Podman, spec.Kubectl)
	}
	return "", ""
}

// ContainerPython returns the command line that starts the interpreter of such a spec in the
// container: python=, split as by Split. (A container's paths are those of Unix.) Without it a
// small sh script takes python3 if there is one, else python. The error is a *StartError.
func ContainerPython(spec *xspec.Spec) ([]string, error) {
	if spec.Python == "" {
		return []string{"sh", "-c", anyPython(spec)}, nil
	}
	const source = "python= in the spec"
	words, err := split(spec.Python, false)
	if err != nil {
		return nil, &StartError{Args: []string{spec.Python}, Source: source, Err: err}
	}
	if len(words) == 0 {
		return nil, &StartError{Source: source, Err: exec.ErrNotFound}
	}
	return append(words, PythonArgs(spec)...), nil
}

// ContainerCommand returns the command line, for this machine, that runs argv in the container of a
// docker=, podman= or kubectl= spec, with those variables of env that a program reads when it
// starts. The worker sets all of env when it has started, so that secrets do not stand in lists of
// processes; and it enters chdir itself, which these commands would not make. No shell reads any of
// it, and no name can be an option ([xspec.Spec.Validate]).
func ContainerCommand(spec *xspec.Spec, argv []string) []string {
	command, name := ContainerOf(spec)
	words := []string{command, "exec", "-i"}
	if command == xspec.KindKubectl {
		for _, option := range []struct{ name, value string }{
			{"--context=", spec.Context}, {"--namespace=", spec.Namespace}, {"--container=", spec.Container},
		} {
			if option.value != "" {
				words = append(words, option.name+option.value)
			}
		}
		if spec.Container == "" {
			// Otherwise it tells, on what is the worker's stderr, which container it takes.
			words = append(words, "--quiet")
		}
		words = append(words, name, "--")
		if names := earlyNames(spec); len(names) > 0 {
			words = append(words, "env")
			for _, name := range names {
				words = append(words, name+"="+spec.Env[name])
			}
		}
		return slices.Concat(words, argv)
	}
	for _, name := range earlyNames(spec) {
		words = append(words, "-e", name+"="+spec.Env[name])
	}
	return slices.Concat(append(words, name), argv)
}
