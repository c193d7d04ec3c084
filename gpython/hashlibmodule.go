package gpython

// hashlib, which gpython v0.2.0 lacks: Go's own hashes, and blake2 without keys and trees.

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// hashes are the algorithms by their names in Python.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	"sha3_224": func() hash.Hash { return sha3.New224() }, "sha3_256": func() hash.Hash { return sha3.New256() },
	"sha3_384": func() hash.Hash { return sha3.New384() }, "sha3_512": func() hash.Hash { return sha3.New512() },
	"blake2b": func() hash.Hash { h, _ := blake2b.New512(nil); return h }, // it fails for keys only
	"blake2s": func() hash.Hash { h, _ := blake2s.New256(nil); return h },
}

var hashType = newType(py.ObjectType, "_hashlib.HASH", "A hash that is being computed.")

// hashObject is what hashlib.sha256() and so on give.
type hashObject struct {
	name string
	hash hash.Hash
}

// hashlibModule makes the module.
func (in *interp) hashlibModule() (*py.Module, error) {
	globals := py.StringDict{}
	names := py.NewList()
	for _, name := range slices.Sorted(maps.Keys(hashes)) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			first := "string"
			if strings.HasPrefix(name, "blake2") {
				first = "data"
			}
			for option := range kwargs {
				if option != first && option != "usedforsecurity" {
					if first == "data" && slices.Contains([]string{"digest_size", "key", "salt", "person", "fanout", "depth", "leaf_size",
						"node_offset", "node_depth", "inner_size", "last_node"}, option) {
						return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no hashlib.%s(%s=...)", name, option)
					}
					return nil, py.ExceptionNewf(py.TypeError, "'%s' is an invalid keyword argument for openssl_%s()", option, name)
				}
			}
			if len(args) > 1 {
				return nil, py.ExceptionNewf(py.TypeError, "openssl_%s() takes at most 1 positional argument (%d given)", name, len(args))
			}
			data := kwargs[first]
			if len(args) == 1 {
				data = args[0]
			}
			return newHash(name, data)
		}}
		names.Append(py.String(name))
	}
	available, err := py.Call(pyvalue.Builtins()["set"], py.Tuple{names}, nil)
	if err != nil {
		return nil, err
	}
	globals["algorithms_available"] = available
	globals["new"] = &function{"new", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("new", args, kwargs, 1, "name", "data", "usedforsecurity")
		if err != nil {
			return nil, err
		}
		name, ok := pyvalue.Plain(a[0]).(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "new() argument 'name' must be str, not %s", a[0].Type().Name)
		}
		known := strings.ToLower(strings.ReplaceAll(string(name), "-", "_"))
		if strings.HasPrefix(known, "sha_") {
			known = "sha" + known[4:]
		}
		if hashes[known] == nil {
			return nil, py.ExceptionNewf(py.ValueError, "unsupported hash type %s", name)
		}
		return newHash(known, a[1])
	}}
	globals["pbkdf2_hmac"] = &function{"pbkdf2_hmac", stretchKey}
	return in.newModule("hashlib", globals)
}

// newHash makes a hash, with what is hashed first.
func newHash(name string, data py.Object) (py.Object, error) {
	h := &hashObject{name, hashes[name]()}
	if data == nil {
		return h, nil
	}
	return h, h.update(data)
}

func (h *hashObject) update(data py.Object) error {
	b, err := hashedBytes(data)
	if err == nil {
		h.hash.Write(b) // never fails
	}
	return err
}

// hashedBytes are the bytes that a program wants to hash.
func hashedBytes(o py.Object) ([]byte, error) {
	switch x := pyvalue.Plain(o).(type) {
	case py.Bytes:
		return x, nil
	case py.String:
		return nil, py.ExceptionNewf(py.TypeError, "Strings must be encoded before hashing")
	}
	return nil, py.ExceptionNewf(py.TypeError, "object supporting the buffer API required")
}

func (h *hashObject) Type() *py.Type { return hashType }

func (h *hashObject) M__repr__() (py.Object, error) {
	return py.String(fmt.Sprintf("<%s %s object @ %p>", h.name, hashType.Name, h)), nil
}

func (h *hashObject) M__getattr__(name string) (py.Object, error) {
	plain := func(give func() (py.Object, error)) (py.Object, error) {
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if _, err := arguments(name, args, kwargs, 0); err != nil {
				return nil, err
			}
			return give()
		}}, nil
	}
	switch name {
	case "name":
		return py.String(h.name), nil
	case "digest_size":
		return py.Int(h.hash.Size()), nil
	case "block_size":
		return py.Int(h.hash.BlockSize()), nil
	case "update":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "obj")
			if err != nil {
				return nil, err
			}
			return py.None, h.update(a[0])
		}}, nil
	case "digest":
		return plain(func() (py.Object, error) { return py.Bytes(h.hash.Sum(nil)), nil })
	case "hexdigest":
		return plain(func() (py.Object, error) { return py.String(hex.EncodeToString(h.hash.Sum(nil))), nil })
	case "copy":
		return plain(h.copy)
	}
	return nil, noAttribute(h, name)
}

// copy is h.copy(): Go's hashes are copied by way of their saved state.
func (h *hashObject) copy() (py.Object, error) {
	state, err := h.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, err
	}
	other := &hashObject{h.name, hashes[h.name]()}
	return other, other.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
}

// stretchKey is hashlib.pbkdf2_hmac (RFC 8018).
func stretchKey(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("pbkdf2_hmac", args, kwargs, 4, "hash_name", "password", "salt", "iterations", "dklen")
	if err != nil {
		return nil, err
	}
	name, _ := a[0].(py.String)
	algorithm := hashes[string(name)]
	if algorithm == nil {
		return nil, py.ExceptionNewf(py.ValueError, "unsupported hash type %s", name)
	}
	password, err := hashedBytes(a[1])
	if err != nil {
		return nil, err
	}
	salt, err := hashedBytes(a[2])
	if err != nil {
		return nil, err
	}
	rounds, err := py.IndexInt(a[3])
	if err != nil {
		return nil, err
	}
	size := algorithm().Size()
	if a[4] != nil && a[4] != py.None {
		if size, err = py.IndexInt(a[4]); err != nil {
			return nil, err
		}
	}
	if rounds < 1 {
		return nil, py.ExceptionNewf(py.ValueError, "iteration value must be greater than 0.")
	}
	if size < 1 {
		return nil, py.ExceptionNewf(py.ValueError, "key length must be greater than 0.")
	}
	if err := pyvalue.Fits(size, 1); err != nil {
		return nil, err
	}
	mac := hmac.New(algorithm, password)
	var key []byte
	for block := uint32(1); len(key) < size; block++ {
		mac.Reset()
		mac.Write(salt)
		mac.Write([]byte{byte(block >> 24), byte(block >> 16), byte(block >> 8), byte(block)})
		u := mac.Sum(nil)
		t := slices.Clone(u)
		for range rounds - 1 {
			mac.Reset()
			mac.Write(u)
			u = mac.Sum(u[:0])
			for i := range t {
				t[i] ^= u[i]
			}
		}
		key = append(key, t...)
	}
	return py.Bytes(key[:size]), nil
}
