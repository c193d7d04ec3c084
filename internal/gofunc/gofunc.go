// Package gofunc makes functions that remote code can call from ordinary Go functions.
//
// The function's first parameters may be a context.Context and a *gatewaybase.Channel, in this
// order; they are filled in. The others take the caller's positional arguments, converted as
// serializer.Unmarshal would. A last parameter that is a struct, or a map with string keys, also
// takes keyword arguments. The function returns nothing, a value or several (a tuple), and then
// possibly an error. A value may be an iterator, whose items are then what the function returns.
package gofunc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// Func is a Go function in the shape in which remote code calls it.
type Func struct {
	name     string
	f        reflect.Value
	context  bool           // the first parameter is a context
	channel  bool           // the first but that is a channel
	params   []reflect.Type // the others; of a variadic one the type of the elements
	variadic bool
	keywords bool     // the last parameter takes keyword arguments
	names    []string // which, if it is a struct
	fails    bool     // the last result is an error
}

var (
	contextType = reflect.TypeFor[context.Context]()
	channelType = reflect.TypeFor[*gatewaybase.Channel]()
	errorType   = reflect.TypeFor[error]()
	ndArrayType = reflect.TypeFor[serializer.NDArray]()
)

// New wraps f, which messages call name. The error says why f cannot be called remotely.
func New(name string, f any) (*Func, error) {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func {
		return nil, fmt.Errorf("%s is a %T, not a function", name, f)
	}
	if v.IsNil() {
		return nil, fmt.Errorf("%s is nil", name)
	}
	t := v.Type()
	w := &Func{name: name, f: v, variadic: t.IsVariadic()}
	for i := range t.NumIn() {
		p := t.In(i)
		switch {
		case p == contextType && i == 0:
			w.context = true
		case p == channelType && len(w.params) == 0 && !w.channel:
			w.channel = true
		default:
			if w.variadic && i == t.NumIn()-1 {
				p = p.Elem()
			}
			if kind := p.Kind(); kind == reflect.Func || kind == reflect.Chan || kind == reflect.UnsafePointer || p == contextType {
				return nil, fmt.Errorf("%s takes a %v, which remote code cannot pass", name, p)
			}
			w.params = append(w.params, p)
		}
	}
	if n := len(w.params); n > 0 && !w.variadic {
		last := w.params[n-1]
		isStruct := last.Kind() == reflect.Struct && last != ndArrayType
		w.keywords = isStruct || last.Kind() == reflect.Map && last.Key().Kind() == reflect.String
		if isStruct {
			w.names = serializer.FieldNames(last)
		}
	}
	if n := t.NumOut(); n > 0 && t.Out(n-1) == errorType {
		w.fails = true
	}
	return w, nil
}

// Call calls the function. What it returns is for Channel.Send; errors about arguments are of type
// *engine.Raised, and a panic becomes an *engine.Panic. An error that io.EOF is found in says that
// the function has met the end of ch; the io.EOF of anything else becomes an *engine.Raised.
// The items of an iterator are a list.
func (w *Func) Call(ctx context.Context, ch *gatewaybase.Channel, args []any, kwargs *serializer.Dict) (result any, err error) {
	own, ends := ch, 0
	if own != nil {
		ends = gatewaybase.EndsSeen(own)
	}
	result, err = w.call(ctx, ch, args, kwargs)
	if err == nil && isIterator(result) {
		result, err = w.collect(ctx, result)
	}
	if own == nil || gatewaybase.EndsSeen(own) == ends {
		err = eofRaised(err)
	}
	return result, err
}

// eofRaised makes an exception of an io.EOF that is not the end of the function's channel.
func eofRaised(err error) error {
	if errors.Is(err, io.EOF) && engine.RaisedIn(err) == nil {
		return &engine.Raised{Class: "EOFError", Message: err.Error()}
	}
	return err
}

// call is Call with a result that may be an iterator, and with any io.EOF.
func (w *Func) call(ctx context.Context, ch *gatewaybase.Channel, args []any, kwargs *serializer.Dict) (result any, err error) {
	in := make([]reflect.Value, 0, 2+len(w.params))
	if w.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	if w.channel {
		if given, ok := first(args).(*gatewaybase.Channel); ok && w.namesChannel(args) {
			ch, args = given, args[1:]
		}
		if ch == nil {
			return nil, w.typeError("needs a channel as its first argument: no execution calls it")
		}
		in = append(in, reflect.ValueOf(ch))
	}
	in, err = w.arguments(in, args, kwargs)
	if err != nil {
		return nil, err
	}
	defer func() {
		if reason := recover(); reason != nil {
			err = engine.NewPanic(w.name, reason)
		}
	}()
	return w.results(w.f.Call(in))
}

// namesChannel tells whether the first of args, a channel, is meant for the channel parameter and
// not for the next one: callers may pass it or leave it out.
func (w *Func) namesChannel(args []any) bool {
	return len(args) > len(w.params) || w.variadic || !channelType.AssignableTo(w.params[0])
}

func first(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// results makes one value of what the function returned: nil, the value, or a tuple.
func (w *Func) results(out []reflect.Value) (any, error) {
	if w.fails {
		last := len(out) - 1
		if err, _ := out[last].Interface().(error); err != nil {
			return nil, err
		}
		out = out[:last]
	}
	switch len(out) {
	case 0:
		return nil, nil
	case 1:
		return out[0].Interface(), nil
	}
	tuple := make(serializer.Tuple, len(out))
	for i, v := range out {
		tuple[i] = v.Interface()
	}
	return tuple, nil
}

// Engine is the function as interpreters call it: its results are in the form in which the
// serializer loads values.
func (w *Func) Engine() engine.Func {
	return func(ctx context.Context, ch *gatewaybase.Channel, args []any, kwargs *serializer.Dict) (any, error) {
		result, err := w.Call(ctx, ch, args, kwargs)
		if err != nil {
			return nil, err
		}
		return normalize(result)
	}
}
