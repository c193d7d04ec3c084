package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

type named string

func (named) Execute(context.Context, *gatewaybase.Channel, gatewaybase.Program, Modules) error {
	return nil
}

func TestEnginesByName(t *testing.T) {
	t.Cleanup(func() { registered = map[string]Engine{} })
	assert.Equal(t, None{}, Default())
	assert.ErrorContains(t, Default().Execute(t.Context(), nil, gatewaybase.Program{}, nil), "execnet/gpython")
	Register("b", named("b"))
	assert.Equal(t, named("b"), Default())
	Register("c", named("c"))
	Register("a", named("a"))
	assert.Equal(t, named("a"), Default(), "whatever the order of registration")
	assert.PanicsWithValue(t, "execnet: engine.Register: a is registered already", func() { Register("a", named("a")) })
	assert.PanicsWithValue(t, "execnet: engine.Register: d is nil", func() { Register("d", nil) })
}

func TestRaisedIn(t *testing.T) {
	raised := &Raised{Class: "KeyError", Message: "'word'"}
	assert.Same(t, raised, RaisedIn(raised))
	assert.Nil(t, RaisedIn(errors.New("plain")))
	assert.Nil(t, RaisedIn(nil))
	assert.Equal(t, &Raised{Class: "KeyError", Message: "looking: 'word'"}, RaisedIn(fmt.Errorf("looking: %w", raised)))
	assert.Equal(t, &Raised{Class: "KeyError", Message: "looking"}, RaisedIn(fmt.Errorf("looking: %w", &Raised{Class: "KeyError"})))
}
