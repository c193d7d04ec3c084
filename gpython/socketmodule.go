package gpython

// Of socket what programs ask about the machine they run on: its name and its addresses. There are
// no sockets. gpython v0.2.0 has no such module.

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

var (
	gaiError  = newType(py.OSError, "gaierror", "A name that cannot be resolved.")
	hostError = newType(py.OSError, "herror", "An address that has no name.")
)

func init() {
	for _, class := range []*py.Type{gaiError, hostError} {
		class.Dict["__module__"] = py.String("socket")
		class.New = newOSError
	}
}

// socketModule makes the module.
func (in *interp) socketModule() (*py.Module, error) {
	globals := py.StringDict{"error": py.OSError, "timeout": py.TimeoutError, "gaierror": gaiError, "herror": hostError}
	globals["gethostname"] = &function{"gethostname", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("gethostname", args, kwargs, 0); err != nil {
			return nil, err
		}
		name, err := os.Hostname()
		return py.String(name), err
	}}
	globals["getfqdn"] = &function{"getfqdn", in.fullName}
	globals["gethostbyname"] = &function{"gethostbyname", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("gethostbyname", args, kwargs, 1, "host")
		if err != nil {
			return nil, err
		}
		name, ok := pyvalue.Plain(a[0]).(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "gethostbyname() argument 1 must be str, bytes or bytearray, not %s", a[0].Type().Name)
		}
		if name == "" {
			return py.String("0.0.0.0"), nil
		}
		var found []net.IP
		ctx := in.ctx
		in.blocking(func() { found, err = net.DefaultResolver.LookupIP(ctx, "ip4", string(name)) })
		if err != nil || len(found) == 0 {
			return nil, in.unresolved(ctx, err)
		}
		return py.String(found[0].String()), nil
	}}
	return in.newModule("socket", globals)
}

// unresolved is the gaierror for a name that could not be resolved.
func (in *interp) unresolved(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return in.interruption()
	}
	var ofDNS *net.DNSError
	if errors.As(err, &ofDNS) && (ofDNS.IsTemporary || ofDNS.IsTimeout) {
		return newException(gaiError, py.Int(-3), py.String("Temporary failure in name resolution"))
	}
	return newException(gaiError, py.Int(-2), py.String("Name or service not known"))
}

// fullName is socket.getfqdn: the first of a host's names that has a dot.
func (in *interp) fullName(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("getfqdn", args, kwargs, 0, "name")
	if err != nil {
		return nil, err
	}
	host := ""
	if a[0] != nil {
		name, ok := pyvalue.Plain(a[0]).(py.String)
		if !ok {
			return nil, noAttribute(a[0], "strip")
		}
		host = strings.TrimSpace(string(name))
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		if host, err = os.Hostname(); err != nil {
			return nil, err
		}
	}
	full := host
	ctx := in.ctx
	in.blocking(func() {
		addresses, err := net.DefaultResolver.LookupHost(ctx, host)
		if err != nil || len(addresses) == 0 {
			return
		}
		names, err := net.DefaultResolver.LookupAddr(ctx, addresses[0])
		if err != nil || len(names) == 0 {
			return
		}
		full = strings.TrimSuffix(names[0], ".")
		for _, name := range names {
			if name = strings.TrimSuffix(name, "."); strings.Contains(name, ".") {
				full = name
				break
			}
		}
	})
	if ctx.Err() != nil {
		return nil, in.interruption()
	}
	return py.String(full), nil
}
