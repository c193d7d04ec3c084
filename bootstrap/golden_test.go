package bootstrap

import (
	"strings"

	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/xspec"
)

// A made-up gateway_base: only what Accept looks for is as in execnet's.
const (
	modernBase = `"""Stands in for the source of execnet's gateway_base.

It does nothing.
"""

from __future__ import annotations

import sys
from typing import Any


def get_execmodel(backend: str | Any) -> Any:
    return backend


class WorkerGateway(Any):
    quotes = "'\"\\"


def init_popen_io(execmodel: Any) -> Any:
    execmodel = 1


def serve(io: Any, id) -> None:
    # ü€🐍
    io.write("1")
`
	oldBase = `# -*- coding: utf-8 -*-
"""
stands in for execnet
"""
from __future__ import with_statement

import sys
if sys:
    pass

def get_execmodel(backend):
    pass
class WorkerGateway(object):
    pass
def init_popen_io(execmodel):
    pass
def serve(io, id):
    pass
`
	socketClass = `class SocketIO:
    def write(self, data):
        pass
`
)

// joined is what execnet's sendexec makes of its pieces, before repr.
func joined(pieces ...string) string { return strings.Join(pieces, "\n") }

func execText(base, model, id string) string {
	return joined(base, "execmodel = get_execmodel("+model+")", "io = init_popen_io(execmodel)",
		"io.write('1'.encode('ascii'))", "serve(io, id="+id+")")
}

func socketText(base, id string) string {
	return joined(base, "import socket", socketClass, "try: execmodel", "except NameError:",
		"   execmodel = get_execmodel('thread')", "io = SocketIO(clientsock, execmodel)",
		"io.write('1'.encode('ascii'))", "serve(io, id="+id+")")
}

func importText(dir, model, id string) string {
	return joined("import sys", "if "+dir+" not in sys.path:", "    sys.path.insert(0, "+dir+")",
		"from execnet.gateway_base import serve, init_popen_io, get_execmodel", "sys.stdout.write('1')",
		"sys.stdout.flush()", "execmodel = get_execmodel("+model+")", "serve(init_popen_io(execmodel), id="+id+")")
}

// repr is a literal as Python's repr makes it: 3 keeps what is printable, and 2 escapes all that is
// not ASCII.
func repr(text string, python int) string {
	quote := "'"
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = `"`
	}
	escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\f", `\x0c`, quote, `\`+quote).Replace(text)
	if python == 3 {
		return quote + escaped + quote
	}
	var b strings.Builder
	for _, r := range escaped {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			ascii := pystring.ASCII(string(r))
			b.WriteString(ascii[len(`u"`) : len(ascii)-1])
		}
	}
	return "u" + quote + b.String() + quote
}

// ownSpecs has one spec for each of this module's first lines.
func ownSpecs() map[string]*xspec.Spec {
	return map[string]*xspec.Spec{
		"cached":        {Popen: true},
		"sent":          {Popen: true, DontWriteBytecode: true},
		"ssh":           {SSH: "host"},
		"via":           {Popen: true, Via: "far"},
		"self":          {Popen: true, Self: true},
		"import":        {Popen: true, Bootstrap: "import"},
		"socket":        {Socket: "host:8888"},
		"socket import": {Socket: "host:8888", Bootstrap: "import"},
	}
}
