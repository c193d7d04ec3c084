package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/xspec"
)

// Config says what runs the Python source that drivers send. The functions [ServeIfWorker], [Main]
// and [Command] use an empty one.
//
// Where several say something, the spec key "engine" of a driver in Go comes first, then the
// options --engine, --python and --site in the worker's command line (python=PROGRAM --engine
// cpython), then Config, then the environment variables EXECNET_ENGINE, EXECNET_PYTHON and
// EXECNET_SITE. A value that cannot be used ends the worker at its start.
type Config struct {
	// Engine is one of [xspec.Engines]. Empty means what EXECNET_ENGINE says, else auto.
	Engine string
	// Python is the command line of the CPython that the worker starts, which is split as by a
	// shell; "embedded" is the one of package embedded, if the program imports that. Empty means
	// what EXECNET_PYTHON says, else python3 or python from PATH, else that one.
	Python string
	// Site names folders with packages for that CPython, separated as those of PATH are. It
	// searches them last, and reads .pth files in them, as it does in its own site-packages
	// (Python's site.addsitedir). Interpreters that programs start there do not have them. Relative
	// names are seen from the folder in which the worker was started. Empty means what EXECNET_SITE
	// says.
	Site string
}

// Command returns how a server of package server starts a worker for each connection: this program
// once more, or, if args are given, another program that calls [ServeIfWorker], with its arguments.
// The workers get c as options. They write to this process's stderr.
func (c Config) Command(args ...string) server.Command {
	if len(args) == 0 {
		program, err := cmdline.Self()
		if err != nil {
			program = os.Args[0]
		}
		args = []string{program}
	}
	args = append(slices.Clone(args), word)
	for _, o := range c.options() {
		if *o.value != "" {
			args = append(args, o.name, *o.value)
		}
	}
	return server.Command{Args: args, Stderr: os.Stderr}
}

// option is an option of a worker's command line.
type option struct {
	name  string
	value *string
}

func (c *Config) options() []option {
	return []option{{"--engine", &c.Engine}, {"--python", &c.Python}, {"--site", &c.Site}}
}

// take reads options, "--name value" or "--name=value", up to the first argument that is none, and
// returns that and what follows. An option without a value is an error.
func (c *Config) take(args []string) (rest []string, err error) {
	for len(args) > 0 {
		name, value, hasValue := strings.Cut(args[0], "=")
		i := slices.IndexFunc(c.options(), func(o option) bool { return o.name == name })
		if i < 0 {
			return args, nil
		}
		args = args[1:]
		if !hasValue && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		if value == "" {
			return nil, fmt.Errorf("execnet: %s needs a value", name)
		}
		*c.options()[i].value = value
	}
	return nil, nil
}

// engine returns which engine is asked for, and what asks for it.
func (c Config) engine() (name, source string) {
	if c.Engine != "" {
		return c.Engine, "--engine " + c.Engine
	}
	if name = os.Getenv("EXECNET_ENGINE"); name != "" {
		return name, "EXECNET_ENGINE=" + name
	}
	return xspec.EngineAuto, ""
}

// site returns the folders of Site, and what names them.
func (c Config) site() (folders []string, source string) {
	source = "--site"
	if c.Site == "" {
		c.Site, source = os.Getenv("EXECNET_SITE"), "EXECNET_SITE"
	}
	return filepath.SplitList(c.Site), source
}

// settleSite makes the names in Site absolute, before the worker goes to another folder.
func (c *Config) settleSite() error {
	folders := filepath.SplitList(c.Site)
	for i, folder := range folders {
		var err error
		if folders[i], err = filepath.Abs(folder); err != nil {
			return err
		}
	}
	c.Site = strings.Join(folders, string(os.PathListSeparator))
	return nil
}

// check returns an error for what cannot be meant. Whether the interpreter is there shows when it
// is needed.
func (c Config) check() error {
	if name, source := c.engine(); !slices.Contains(xspec.Engines(), name) {
		return fmt.Errorf("execnet: %s: there is no such engine; it is one of %s", source, strings.Join(xspec.Engines(), ", "))
	}
	for source, command := range map[string]string{"--python": c.Python, "EXECNET_PYTHON": os.Getenv("EXECNET_PYTHON")} {
		if words, err := cmdline.SplitPython(command); err != nil || command != "" && len(words) == 0 {
			return fmt.Errorf("execnet: %s %q is no command", source, command)
		}
	}
	folders, source := c.site()
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return fmt.Errorf("execnet: %s: %s is no folder", source, folder)
		}
	}
	return nil
}
