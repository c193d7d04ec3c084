package serializer

import "bytes"

// Codec reads and writes the internal form of values, which messages between gateways carry and
// which has no version byte. Programs that use gateways have no need of it. The zero value is ready
// to use, and refuses channels. Several goroutines may use a Codec at once while its fields do not
// change.
type Codec struct {
	// Py2StrAsPy3Str and Py3StrAsPy2Str are what the options of those names set.
	Py2StrAsPy3Str bool
	Py3StrAsPy2Str bool
	// Channels is the gateway's table of channels; if it is nil, channels are refused.
	Channels Channels
	// MaxDepth limits how deeply containers may be nested, and MaxDigits the decimal digits of an
	// int, in loading and in dumping. MaxCost limits the memory that a value takes, in loading. 0
	// stands for the default.
	MaxDepth  int
	MaxDigits int
	MaxCost   int
	// Ended, if it is not nil, is asked now and then while a large value is loaded. An error ends
	// the loading, and becomes the Err of a [LoadError].
	Ended func() error

	maxBytes int64
}

// Channel is implemented by values that are serialized as a channel's id.
type Channel interface{ ExecnetChannelID() int32 }

// Channels is a gateway's table of channels.
type Channels interface {
	// CheckChannel returns an error if ch may not be sent here, because it belongs to another
	// gateway. The error becomes the Err of a [DumpError].
	CheckChannel(ch Channel) error
	// Channel returns the channel with this id, and makes it if there is none.
	Channel(id int32) (any, error)
}

// Append serializes v, appends it to dst and returns the longer slice. On error, a [*DumpError], it
// returns dst as it was.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	out, _, err := c.append(dst, v)
	return out, err
}

// AppendNoting is Append, and reports whether v holds an [NDArray].
func (c *Codec) AppendNoting(dst []byte, v any) (out []byte, arrays bool, err error) {
	return c.append(dst, v)
}

// Load returns the value that data holds, or a [*LoadError]. The result may share data's memory, up
// to its capacity, so the caller must not use that afterwards.
func (c *Codec) Load(data []byte) (any, error) { return c.load(data, 0, true) }

// Unmarshal loads the value that data holds into *v, as the function [Unmarshal] does. The result
// may share data's memory, up to its capacity, so the caller must not use that afterwards.
func (c *Codec) Unmarshal(data []byte, v any) error { return c.unmarshal(data, 0, true, v) }

// ChannelIDs calls f with the id of each channel in data, a value in the internal form, in the
// order in which loading meets them. It builds no values. It returns f's error, or a [*LoadError]
// if Load would return one because the structure of data is unsound or the value would take too
// much memory, and then it has not called f. A bytes or str value, and data without a byte
// that could be the opcode CHANNEL, is not checked.
func (c *Codec) ChannelIDs(data []byte, f func(id int32) error) error {
	if isOneString(data) || bytes.IndexByte(data, opChannel) < 0 {
		return nil
	}
	d := decoders.Get().(*decoder)
	defer d.release()
	if err := d.shape.scan(data, c); err != nil {
		return finishLoad(err, 0)
	}
	for i := 0; i < len(data); i += opSize(data, i) {
		if data[i] == opChannel {
			if err := f(int32At(data, i+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOneString reports whether data is nothing but a bytes or str value, which need not be searched
// then: it may be long.
func isOneString(data []byte) bool {
	const around = 1 + 4 + 1 // opcode, length, STOP
	if len(data) < around || data[len(data)-1] != opStop {
		return false
	}
	switch data[0] {
	case opBytes, opPy2String, opPy3String, opUnicode:
		return int(int32At(data, 1)) == len(data)-around
	}
	return false
}

// ended returns the error that ends the loading of a value, if it shall end.
func (c *Codec) ended(at int) error {
	if c.Ended == nil {
		return nil
	}
	if err := c.Ended(); err != nil {
		return &LoadError{Offset: int64(at), Problem: "stopped", Err: err}
	}
	return nil
}
