package serializer

// Limits bounds what a value may cost. A zero field means its default.
type Limits struct {
	// MaxDepth is how deeply containers may be nested, when loading and when dumping.
	MaxDepth int
	// MaxBytes is how many bytes Load reads from a stream for one value. It does not concern Loads,
	// whose input is in memory already.
	MaxBytes int64
	// MaxDigits is how many decimal digits an int may have when loading: converting them takes time
	// that grows with the square of their number.
	MaxDigits int
}

// The defaults of Limits.
const (
	// DefaultMaxDepth is deeper than Python's own dumper gets (about 330 levels) before its
	// recursion limit stops it.
	DefaultMaxDepth = 10000
	// DefaultMaxBytes is the largest payload that a message's header can announce, rounded up.
	DefaultMaxBytes = 1 << 31
	// DefaultMaxDigits is the limit that CPython 3.11 and later have for the same conversion.
	DefaultMaxDigits = 4300
)

func (l Limits) maxDepth() int {
	if l.MaxDepth > 0 {
		return l.MaxDepth
	}
	return DefaultMaxDepth
}

func (l Limits) maxBytes() int64 {
	if l.MaxBytes > 0 {
		return l.MaxBytes
	}
	return DefaultMaxBytes
}

func (l Limits) maxDigits() int {
	if l.MaxDigits > 0 {
		return l.MaxDigits
	}
	return DefaultMaxDigits
}

// Option changes how Loads, Load and Unmarshal read a value.
type Option func(*Codec)

// Py2StrAsPy3Str makes a str dumped by Python 2 load as text, decoded as Latin-1, rather than as
// bytes. It is execnet.loads' py2str_as_py3str; off by default, as there.
func Py2StrAsPy3Str(on bool) Option { return func(c *Codec) { c.Py2StrAsPy3Str = on } }

// Py3StrAsPy2Str makes a str dumped by Python 3 load as its UTF-8 bytes rather than as text.
// It is execnet.loads' py3str_as_py2str; off by default, as there.
func Py3StrAsPy2Str(on bool) Option { return func(c *Codec) { c.Py3StrAsPy2Str = on } }

// WithLimits sets the limits that bound what the value may cost.
func WithLimits(l Limits) Option { return func(c *Codec) { c.Limits = l } }

func newCodec(opts []Option) *Codec {
	c := new(Codec)
	for _, opt := range opts {
		opt(c)
	}
	return c
}
