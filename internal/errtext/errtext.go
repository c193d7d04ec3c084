// Package errtext keeps the prefix "execnet: " of this module's error texts from standing twice
// when one error wraps another.
package errtext

import "strings"

const prefix = "execnet: "

// Of is the text of err without the prefix.
func Of(err error) string { return strings.TrimPrefix(err.Error(), prefix) }

// Wrap returns an error with the text "execnet: DOING: TEXT OF ERR", that unwraps to err.
func Wrap(doing string, err error) error { return &wrapped{doing, err} }

type wrapped struct {
	doing string
	err   error
}

func (e *wrapped) Error() string { return prefix + e.doing + ": " + Of(e.err) }
func (e *wrapped) Unwrap() error { return e.err }
