package gpython

// channel.gateway, as execnet's workers have it: programs use its id, newchannel, hasreceiver and
// execmodel.

import (
	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// gateway is channel.gateway: what a program may use of the worker's end.
type gateway struct {
	in *interp
	gw *gatewaybase.Gateway
}

var gatewayType = execnetType(py.ObjectType, "WorkerGateway", "The worker's end of a gateway.")

// execModel is channel.gateway.execmodel: its name, and what programs use of it.
type execModel struct {
	in      *interp
	backend string
}

var execModelType = execnetType(py.ObjectType, "ExecModel", "The execution model of a worker.")

func (m execModel) Type() *py.Type { return execModelType }

func (m execModel) M__repr__() (py.Object, error) {
	return py.String("<ExecModel '" + m.backend + "'>"), nil
}

func (m execModel) M__getattr__(name string) (py.Object, error) {
	source := map[string]string{
		"sleep": "time", "get_ident": "_thread", "start": "_thread", "Lock": "threading", "RLock": "threading", "Event": "threading",
	}[name]
	switch {
	case name == "backend":
		return py.String(m.backend), nil
	case source == "":
		return nil, noAttribute(m, name)
	case name == "start":
		return &function{name, m.start}, nil
	}
	module, err := m.in.importOne(source)
	if err != nil {
		return nil, err
	}
	return module.Globals[name], nil
}

// start runs a function in a thread.
func (m execModel) start(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("start", args, kwargs, 1, "func", "args")
	if err != nil {
		return nil, err
	}
	if a[1] == nil {
		a[1] = py.Tuple{}
	}
	_, err = m.in.startNewThread(py.Tuple(a), nil)
	return py.None, err
}

func (g *gateway) Type() *py.Type { return gatewayType }

// gateway gives the one object for the gateway of all the program's channels.
func (in *interp) gateway(ch *gatewaybase.Channel) py.Object {
	if in.gatewayObject == nil {
		in.gatewayObject = &gateway{in, ch.Gateway()}
	}
	return in.gatewayObject
}

func (g *gateway) M__repr__() (py.Object, error) {
	return py.String("<WorkerGateway id='" + g.gw.ID() + "'>"), nil
}

func (g *gateway) M__str__() (py.Object, error) { return g.M__repr__() }

func (g *gateway) M__getattr__(name string) (py.Object, error) {
	switch name {
	case "id":
		return py.String(g.gw.ID()), nil
	case "execmodel":
		return execModel{g.in, g.gw.ExecModel()}, nil
	case "newchannel":
		return &function{name, g.newChannel}, nil
	case "hasreceiver":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return py.NewBool(g.gw.HasReceiver()), err
		}}, nil
	}
	return nil, noAttribute(g, name)
}

func (g *gateway) newChannel(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("newchannel", args, kwargs, 0); err != nil {
		return nil, err
	}
	ch, err := g.gw.NewChannel()
	if err != nil {
		return nil, py.ExceptionNewf(py.OSError, "connection already closed")
	}
	return g.in.Wrap(ch), nil
}
