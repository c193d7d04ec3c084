//go:build unix

package process

import "github.com/go-execnet/execnet/internal/pipe"

// InterruptWrite implements farend.WriteInterrupter.
func (p *Process) InterruptWrite() { pipe.InterruptWrite(p.stdin) }
