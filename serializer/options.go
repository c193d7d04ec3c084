package serializer

// The defaults of [MaxDepth], [MaxBytes], [MaxDigits] and [MaxCost].
const (
	// DefaultMaxDepth is deeper than Python's own dumper gets (about 330 levels) before its
	// recursion limit stops it.
	DefaultMaxDepth = 10000
	// DefaultMaxBytes is the largest payload that a message's header can announce, rounded up.
	DefaultMaxBytes = 1 << 31
	// DefaultMaxDigits is the limit that CPython 3.11 and later have for the same conversion.
	DefaultMaxDigits = 4300
	// DefaultMaxCost is about twice what the costliest values take that programs send: lists of
	// small dicts.
	DefaultMaxCost = 24
)

// Option changes how [Loads], [Load] and [Unmarshal] read a value.
type Option func(*Codec)

// Py2StrAsPy3Str tells how a str dumped by Python 2 loads: as text, decoded as Latin-1, if on is
// true, and otherwise, which is the default, as bytes. It is the argument py2str_as_py3str of
// execnet.loads.
func Py2StrAsPy3Str(on bool) Option { return func(c *Codec) { c.Py2StrAsPy3Str = on } }

// Py3StrAsPy2Str tells how a str dumped by Python 3 loads: as its UTF-8 bytes if on is true, and
// otherwise, which is the default, as text. It is the argument py3str_as_py2str of execnet.loads.
func Py3StrAsPy2Str(on bool) Option { return func(c *Codec) { c.Py3StrAsPy2Str = on } }

// MaxDepth limits how deeply containers may be nested, by default [DefaultMaxDepth] levels.
func MaxDepth(levels int) Option { return func(c *Codec) { c.MaxDepth = levels } }

// MaxBytes limits how many bytes [Load] reads for one value, by default [DefaultMaxBytes]. Loads
// and Unmarshal do not need it: their input is in memory already.
func MaxBytes(n int64) Option { return func(c *Codec) { c.maxBytes = n } }

// MaxDigits limits how many decimal digits an int may have, by default [DefaultMaxDigits]: the time
// to convert them grows with the square of their number.
func MaxDigits(n int) Option { return func(c *Codec) { c.MaxDigits = n } }

// MaxCost limits the memory that a value takes while it is loaded, and afterwards: so many times
// its size in bytes, and 1 MiB. The default is [DefaultMaxCost]. What costs more is a value made
// of almost nothing but channels, or of empty dicts in a tuple or set, and one that is loaded into
// Go types much larger than what it fills.
func MaxCost(times int) Option { return func(c *Codec) { c.MaxCost = times } }

func newCodec(opts []Option) *Codec {
	c := new(Codec)
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// limit returns the limit that was set, or its default for 0.
func limit[T int | int64](set, standard T) T {
	if set > 0 {
		return set
	}
	return standard
}
