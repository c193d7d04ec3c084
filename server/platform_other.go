//go:build !unix

package server

import (
	"context"
	"errors"
	"os"
)

// canHandOver tells whether a process can have a socket as its stdin and stdout.
const canHandOver = false

func peek(context.Context, fileConn) ([]byte, error) { return nil, errors.ErrUnsupported }

// signalName is not called: processes do not end by signals here.
func signalName(signal os.Signal) string { return signal.String() }

// On Windows a file in a user's profile is the user's and the administrators' unless somebody has
// changed that.
func checkOwner(*os.File) error  { return nil }
func checkSecret(*os.File) error { return nil }
