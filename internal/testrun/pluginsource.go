package testrun

import (
	"embed"
	"sync"

	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/internal/pyparts"
)

// The plugin travels as one source. Its parts stand in files, each for one job; the numbers in
// their names say the order.
//
//go:embed plugin/*.py
var pluginParts embed.FS

// pluginSource is the source that the parts make together.
var pluginSource = sync.OnceValue(func() string { return pyparts.Join(pluginParts, "plugin") })

// pluginModule is its name as a module in the user's cache folder.
const pluginModule = "execnet_go_testrun"

var pluginFolder = sync.OnceValues(func() (string, error) { return pycache.Put("testrun", pluginModule, pluginSource()) })

// pluginFile is what tracebacks call it.
const pluginFile = "execnet/testrun/plugin.py"
