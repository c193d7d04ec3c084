package gofunc

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// arguments appends the caller's arguments to in, as the parameters want them.
func (w *Func) arguments(in []reflect.Value, args []any, kwargs *serializer.Dict) ([]reflect.Value, error) {
	if kwargs != nil && kwargs.Len() > 0 {
		if !w.keywords {
			return nil, w.typeError("takes no keyword arguments")
		}
		if len(args) >= len(w.params) {
			return nil, w.typeError("got keyword arguments and a positional one in their place")
		}
		for name := range kwargs.Keys() {
			if text, _ := name.(string); w.names != nil && !slices.Contains(w.names, text) {
				return nil, w.typeError("got an unexpected keyword argument '%s'", text)
			}
		}
	} else {
		kwargs = nil
	}
	least, most := len(w.params), len(w.params)
	switch {
	case w.keywords:
		least--
	case w.variadic:
		least, most = least-1, len(args)
	}
	if len(args) < least || len(args) > most {
		return nil, w.typeError("takes %s but %d %s given", takes(least, most, w.variadic), len(args), were(len(args)))
	}
	for i, arg := range args {
		v, err := convert(arg, w.params[min(i, len(w.params)-1)])
		if err != nil {
			return nil, w.typeError("argument %d: %v", i+1, err)
		}
		in = append(in, v)
	}
	if w.keywords && len(args) < len(w.params) {
		v := reflect.Zero(w.params[len(w.params)-1])
		if kwargs != nil {
			var err error
			if v, err = convert(kwargs, v.Type()); err != nil {
				return nil, w.typeError("keyword arguments: %v", err)
			}
		}
		in = append(in, v)
	}
	return in, nil
}

func (w *Func) typeError(format string, args ...any) error {
	return &engine.Raised{Class: "TypeError", Message: w.name + "() " + fmt.Sprintf(format, args...)}
}

func takes(least, most int, variadic bool) string {
	switch {
	case variadic:
		return fmt.Sprintf("at least %d positional arguments", least)
	case least < most:
		return fmt.Sprintf("from %d to %d positional arguments", least, most)
	case least == 1:
		return "1 positional argument"
	}
	return fmt.Sprintf("%d positional arguments", least)
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// convert makes a loaded value fit a parameter.
func convert(v any, to reflect.Type) (reflect.Value, error) {
	if v != nil && reflect.TypeOf(v).AssignableTo(to) {
		return reflect.ValueOf(v), nil
	}
	if v == nil && to.Kind() == reflect.Interface {
		return reflect.Zero(to), nil
	}
	var table channelList
	codec := serializer.Codec{Channels: &table, MaxCost: math.MaxInt} // the value is here already
	data, err := codec.Append(nil, v)
	if err != nil {
		return reflect.Value{}, err
	}
	target := reflect.New(to)
	if err := codec.Unmarshal(data, target.Interface()); err != nil {
		return reflect.Value{}, withoutOffset(err)
	}
	return target.Elem(), nil
}

// withoutOffset leaves the position in the bytes out of an error: the caller never saw the bytes.
func withoutOffset(err error) error {
	var load *serializer.LoadError
	if !errors.As(err, &load) {
		return err
	}
	words := []string{load.Path, load.Problem}
	if load.Err != nil {
		words = append(words, load.Err.Error())
	}
	return errors.New(strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ": "))
}

// normalize gives a result the form in which it would be loaded at the other end.
func normalize(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, complex128, string, []byte, *big.Int, *gatewaybase.Channel:
		return v, nil
	case int:
		return int64(v), nil
	}
	var table channelList
	codec := serializer.Codec{Channels: &table, MaxCost: math.MaxInt} // the value is here already
	data, err := codec.Append(nil, v)
	if err != nil {
		return nil, err
	}
	return codec.Load(data)
}

// channelList holds the channels in one value while it is encoded and decoded again.
type channelList []serializer.Channel

// CheckChannel implements serializer.Channels.
func (p *channelList) CheckChannel(ch serializer.Channel) error {
	*p = append(*p, ch)
	return nil
}

// Channel implements serializer.Channels.
func (p *channelList) Channel(id int32) (any, error) {
	for _, ch := range *p {
		if ch.ExecnetChannelID() == id {
			return ch, nil
		}
	}
	return nil, fmt.Errorf("no channel %d here", id)
}
