package receive

import (
	"encoding/binary"
	"errors"
	"strings"
	"syscall"

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// channelError is what the channel reported: nothing can be sent to the driver any more.
type channelError struct{ error }

func (e *channelError) Unwrap() error { return e.error }

func isChannelError(err error) bool {
	var channel *channelError
	return errors.As(err, &channel)
}

// entryError ends the sync at an entry.
type entryError struct {
	path string // relative to the destination
	error
}

func (e *entryError) Unwrap() error { return e.error }

// sendError sends an error item.
func (r *receiver) sendError(severity byte, entry uint32, path, text string) error {
	item := binary.BigEndian.AppendUint32([]byte{wire.ItemError, severity}, entry)
	item = append(append(append(item, path...), 0), text...)
	return r.send(item)
}

// report tells the driver that something went wrong with an entry. It returns an error when that
// ends the sync: the driver breaks the protocol or is gone, or the disk is full.
func (r *receiver) report(severity byte, entry uint32, path string, err error) error {
	var wrong *wire.ProtocolError
	if isChannelError(err) || errors.As(err, &wrong) {
		return err
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) && isFull(errno) {
		return &entryError{path, err}
	}
	if severity == wire.SeverityEntry {
		r.stats[wire.StatFailed]++
	}
	return r.sendError(severity, entry, path, reason(err))
}

// reason is the text for an error whose path is sent beside it. It begins with the POSIX name of
// the error if there is one.
func reason(err error) string {
	if wrong := (*wire.ProtocolError)(nil); errors.As(err, &wrong) {
		return "what came is not the protocol: " + wrong.Problem
	}
	errno := syscall.Errno(0)
	if !errors.As(err, &errno) {
		return strings.TrimPrefix(err.Error(), "execnet: rsync: ")
	}
	if name := errnoName(errno); name != "" {
		return name + ": " + errno.Error()
	}
	return errno.Error()
}
