package native

import (
	"context"
	"errors"
	"io/fs"
	"os"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

// serveSetUp applies the chdir, nice and env of a spec to this process (protocol.md section 10.2).
func serveSetUp(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
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
		n, okName := text(name)
		v, okValue := text(value)
		if !okName || !okValue || value == nil {
			return expect("env as dict of str to str", value)
		}
		if err := os.Setenv(n, v); err != nil {
			return err
		}
	}
	return nil
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
