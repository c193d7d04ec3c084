package gpython

// The functions of os about processes: who runs the program, signals, commands, waiting statuses.
// gpython v0.2.0 has getpid and a system that writes to the worker's own output. Those that only
// Unix has stand in osprocess_unix.go; elsewhere they are missing, as in CPython.

import (
	"os"
	"runtime"

	"github.com/go-python/gpython/py"
)

// addProcessFunctions gives os these functions.
func (in *interp) addProcessFunctions(globals py.StringDict) {
	for name, number := range map[string]func() int{"cpu_count": runtime.NumCPU, "getppid": os.Getppid} {
		addNumber(globals, name, number)
	}
	globals["system"] = &function{"system", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("system", args, kwargs, 1, "command")
		if err != nil {
			return nil, err
		}
		command, err := fileSystemText(a[0])
		if err != nil {
			return nil, err
		}
		argv := shellCommand(command)
		var state *os.ProcessState
		keepDescriptors()
		process, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Env: in.environment(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
		if err != nil {
			return nil, err
		}
		c := &child{in: in, process: process, done: make(chan struct{})}
		c.ended = func(s *os.ProcessState) { state = s }
		c.watch()
		if _, err := in.wait(c.done, forever); err != nil {
			return nil, err
		}
		return py.Int(waitStatus(state)), nil
	}}
	in.addUnixFunctions(globals)
}

// addNumber adds a function without parameters that gives a number.
func addNumber(globals py.StringDict, name string, number func() int) {
	globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		_, err := arguments(name, args, kwargs, 0)
		return py.Int(number()), err
	}}
}
