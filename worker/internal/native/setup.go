package native

import (
	"context"
	"errors"
	"io/fs"
	"os"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// serveSetUp applies the chdir, nice and env of a spec to this process (protocol.md section 10.2),
// and to the one beside it. That inherits all of them if it is started later.
func (n *Natives) serveSetUp(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program) error {
	item, err := ch.Receive(ctx)
	if err != nil {
		return err
	}
	parts, _ := item.(serializer.Tuple)
	if len(parts) != 3 {
		return expect("(chdir, nice, env)", item)
	}
	folder, ok := text(parts[0])
	if !ok {
		return expect("chdir as str or None", parts[0])
	}
	nice, ok := parts[1].(int64)
	if !ok || nice != int64(int(nice)) {
		return expect("nice as int", parts[1])
	}
	env, ok := parts[2].(*serializer.Dict)
	if !ok {
		return expect("env as dict", parts[2])
	}
	if folder != "" {
		if err := enter(folder); err != nil {
			return err
		}
	}
	if nice != 0 {
		if err := Renice(int(nice)); err != nil {
			return err
		}
	}
	for name, value := range env.All() {
		key, okName := text(name)
		v, okValue := text(value)
		if !okName || !okValue || value == nil {
			return expect("env as dict of str to str", value)
		}
		if err := os.Setenv(key, v); err != nil {
			return err
		}
	}
	return n.beside(ctx, p, item)
}

// beside has the process beside this one do the same, with the driver's own program.
func (n *Natives) beside(ctx context.Context, p gatewaybase.Program, item any) error {
	if n.Beside == nil {
		return nil
	}
	return n.Beside(ctx, p.Source, item)
}

// serveArgv sets what programs find in sys.argv from now on, here and in the process beside this
// one.
func (n *Natives) serveArgv(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program) error {
	item, err := ch.Receive(ctx)
	if err != nil {
		return err
	}
	list, ok := item.([]any)
	argv := make([]string, len(list))
	for i, arg := range list {
		var isText bool
		argv[i], isText = arg.(string)
		ok = ok && isText
	}
	if !ok {
		return expect("argv as list of str", item)
	}
	engine.SetArguments(argv)
	return n.beside(ctx, p, item)
}

// enter changes to a folder, which it makes if there is nothing of that name: the folder alone, not
// those above it.
func enter(folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(folder, 0o777); err != nil {
			return err
		}
	}
	return os.Chdir(folder)
}

// text is what Python calls a string: a str, or the str of a Python 2. None is an empty one.
func text(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", v == nil
}
