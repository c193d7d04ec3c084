package gpython

import (
	"testing"

	"github.com/stretchr/testify/assert"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestRefusedClasses: what a class would do in CPython and would not do here is an error.
func TestRefusedClasses(t *testing.T) {
	derived, exceptions := "this Go worker's Python has no classes derived from ", "this Go worker's Python has no exception classes with "
	w := newWorker(t, nil)
	for source, want := range map[string]string{
		"class A(tuple): pass":                                 derived + "tuple",
		"class A(set): pass":                                   derived + "set",
		"class M: pass\nclass A(M, float): pass":               derived + "float",
		"type('A', (bytes,), {})":                              derived + "bytes",
		"class M(type): pass":                                  derived + "type",
		"import collections\nclass A(collections.deque): pass": derived + "deque",
		"import collections\nclass A(collections.namedtuple('P', 'x y')): pass":              derived + "P",
		"import collections\nclass A(collections.OrderedDict): pass":                         derived + "OrderedDict",
		"class A:\n    pass\nA.__del__ = print":                                              "this Go worker's Python has no classes with __del__",
		"type('A', (), {'__del__': print})":                                                  "this Go worker's Python has no classes with __del__",
		"class E(Exception):\n    def __new__(cls): pass":                                    exceptions + "__new__",
		"class M:\n    def __setattr__(self, name, value): pass\nclass E(M, KeyError): pass": exceptions + "__setattr__",
		"type('E', (OSError,), {'__slots__': 'x'})":                                          exceptions + "__slots__",
	} {
		var raised *gatewaybase.RemoteError
		if assert.ErrorAs(t, w.exec(t, source).WaitClose(within.Soon(t)), &raised, source) {
			assert.Contains(t, raised.Formatted, "\nNotImplementedError: "+want+"\n", source)
		}
	}
	var raised *gatewaybase.RemoteError
	if assert.ErrorAs(t, w.exec(t, "channel.send(1)\nclass A:\n    def __del__(self): pass").WaitClose(within.Soon(t)), &raised) {
		assert.Contains(t, raised.Formatted, "line 3\n    def __del__(self): pass\n    ^\nSyntaxError: __del__ methods are not in this Go worker's Python\n")
	}
}
