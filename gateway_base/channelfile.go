package gatewaybase

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// FileOption changes what MakeFileReader and MakeFileWriter make.
type FileOption func(*fileOptions)

type fileOptions struct{ proxyClose, text bool }

// ProxyClose makes closing the file close the channel, too (proxyclose=True in execnet).
func ProxyClose() FileOption { return func(o *fileOptions) { o.proxyClose = true } }

// Text makes a file's Write send str instead of bytes. Text functions in Python expect that.
func Text() FileOption { return func(o *fileOptions) { o.text = true } }

func fileOptionsOf(options []FileOption) (o fileOptions) {
	for _, option := range options {
		option(&o)
	}
	return o
}

// FileWriter is an io.WriteCloser over a channel: each Write sends one item. It is execnet's
// ChannelFileWrite.
type FileWriter struct {
	ctx     context.Context
	channel *Channel
	options fileOptions
}

// MakeFileWriter returns a file that sends what is written to it over the channel: as bytes, or as
// str with [Text]. ctx bounds each Write. It is execnet's Channel.makefile("w").
func (c *Channel) MakeFileWriter(ctx context.Context, options ...FileOption) *FileWriter {
	return &FileWriter{ctx: ctx, channel: c, options: fileOptionsOf(options)}
}

// Write sends p as one item. Its errors are those of Channel.Send.
func (w *FileWriter) Write(p []byte) (int, error) {
	if w.options.text {
		return w.WriteString(string(p))
	}
	if err := w.channel.Send(w.ctx, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString sends s as one item of type str.
func (w *FileWriter) WriteString(s string) (int, error) {
	if err := w.channel.Send(w.ctx, s); err != nil {
		return 0, err
	}
	return len(s), nil
}

// Close closes the channel if the file was made with ProxyClose, and does nothing otherwise.
func (w *FileWriter) Close() error { return closeFile(w.channel, w.options) }

// FileReader is an io.ReadCloser over a channel whose items are str or bytes. It is execnet's
// ChannelFileRead. It is for one goroutine at a time.
type FileReader struct {
	ctx     context.Context
	channel *Channel
	options fileOptions
	item    []byte // the last item
	rest    []byte // what has not been read of it
	err     error
}

// MakeFileReader returns a file that reads the channel's items one after the other, str as UTF-8.
// ctx bounds each Read. It is execnet's Channel.makefile("r").
func (c *Channel) MakeFileReader(ctx context.Context, options ...FileOption) *FileReader {
	return &FileReader{ctx: ctx, channel: c, options: fileOptionsOf(options)}
}

// Read reads as io.Reader does. It waits for an item only if nothing is left of the last one. At
// the channel's end it returns io.EOF. Other errors are those of Channel.Receive, and one for an
// item that is neither str nor bytes.
func (r *FileReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.rest) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// ReadLine returns the next line with its newline, which the last line may lack. After the last
// line it returns io.EOF. It is readline of execnet's channel files.
func (r *FileReader) ReadLine() (string, error) {
	var line []byte
	for {
		if i := bytes.IndexByte(r.rest, '\n'); i >= 0 {
			line = append(line, r.rest[:i+1]...)
			r.rest = r.rest[i+1:]
			return string(line), nil
		}
		line = append(line, r.rest...)
		r.rest = nil
		if err := r.fill(); err != nil {
			if errors.Is(err, io.EOF) && len(line) > 0 {
				return string(line), nil
			}
			return string(line), err
		}
	}
}

// fill receives one more item. Nothing is left of the last one.
func (r *FileReader) fill() error {
	if r.err != nil {
		return r.err
	}
	GiveBack(r.item)
	r.item, r.rest = nil, nil
	v, err := r.channel.Receive(r.ctx)
	if err == nil {
		switch v := v.(type) {
		case string:
			r.item = []byte(v)
			r.rest = r.item
			return nil
		case []byte:
			r.item, r.rest = v, v
			return nil
		}
		err = fmt.Errorf("execnet: a file over %v can read str and bytes, but %T came", r.channel, v)
	}
	r.err = err
	if errors.Is(err, io.EOF) {
		_ = r.Close() // as execnet does; closing a channel that has ended cannot fail
	}
	return err
}

// Close closes the channel if the file was made with ProxyClose, and does nothing otherwise.
func (r *FileReader) Close() error { return closeFile(r.channel, r.options) }

func closeFile(c *Channel, o fileOptions) error {
	if !o.proxyClose {
		return nil
	}
	return c.Close()
}
