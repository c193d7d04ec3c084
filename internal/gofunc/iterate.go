package gofunc

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// Iterate returns an iterator that calls the function and then yields the items of its result: of
// an iter.Seq, of an iter.Seq2 (the second value, if it is no error, is in a tuple with the first),
// of a channel, or of a slice. With anyResult a result that is no iterator is the one item. An
// error comes last. The errors are those of Call.
func (w *Func) Iterate(ctx context.Context, args []any, kwargs *serializer.Dict, anyResult bool) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		result, err := w.call(ctx, nil, args, kwargs)
		if err == nil && anyResult && !isIterator(result) {
			yield(result, nil)
			return
		}
		if err == nil {
			err = w.each(ctx, result, func(item any) bool { return yield(item, nil) })
		}
		if err = eofRaised(err); err != nil {
			yield(nil, err)
		}
	}
}

// isIterator reports whether a result is none that can be sent, but yields some that can.
func isIterator(result any) bool {
	return result != nil && isIteratorType(reflect.TypeOf(result))
}

func isIteratorType(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Func:
		return t.CanSeq() || t.CanSeq2()
	case reflect.Chan:
		return t.ChanDir()&reflect.RecvDir != 0
	}
	return false
}

// collect returns the items of an iterator as a list.
func (w *Func) collect(ctx context.Context, result any) (any, error) {
	items := []any{}
	err := w.each(ctx, result, func(item any) bool {
		items = append(items, item)
		return true
	})
	return items, err
}

// each calls f with each item of a result until f returns false. If ctx ends first, that is an
// error.
func (w *Func) each(ctx context.Context, result any, f func(any) bool) (err error) {
	stopped := false // then nothing that comes is of interest any more
	defer func() {
		if reason := recover(); reason != nil && !stopped {
			err = engine.NewPanic(w.name, reason)
		}
	}()
	give := func(item reflect.Value) bool {
		if err = context.Cause(ctx); err != nil {
			return false
		}
		stopped = !f(item.Interface())
		return !stopped
	}
	v := reflect.ValueOf(result)
	switch kind := v.Kind(); {
	case kind == reflect.Chan && isIterator(result):
		for {
			i, item, ok := reflect.Select([]reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())}, {Dir: reflect.SelectRecv, Chan: v}})
			switch {
			case i == 0:
				return context.Cause(ctx)
			case !ok || !give(item):
				return err
			}
		}
	case kind == reflect.Func && v.Type().CanSeq2():
		fails := v.Type().In(0).In(1) == errorType
		for first, second := range v.Seq2() {
			if fails {
				if failed, _ := second.Interface().(error); failed != nil {
					return failed
				}
			} else {
				first = reflect.ValueOf(serializer.Tuple{first.Interface(), second.Interface()})
			}
			if !give(first) {
				break
			}
		}
	case kind == reflect.Func && v.Type().CanSeq():
		for item := range v.Seq() {
			if !give(item) {
				break
			}
		}
	case kind == reflect.Slice || kind == reflect.Array:
		for i := range v.Len() {
			if !give(v.Index(i)) {
				break
			}
		}
	default:
		return w.typeError("returns a %s, which is nothing to iterate over", fmt.Sprintf("%T", result))
	}
	return err
}
