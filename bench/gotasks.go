package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-execnet/execnet"
)

// serveTasks does in Go what worker.py does in Python.
func serveTasks(ctx context.Context, ch *execnet.Channel) error {
	for v, err := range ch.Items(ctx) {
		if err != nil {
			return err
		}
		task, _ := v.(execnet.Tuple)
		if len(task) != 3 {
			return fmt.Errorf("%v is not a task", v)
		}
		n, _ := task[1].(int64)
		size, _ := task[2].(int64)
		var item any = make([]byte, size)
		takes := task[0] == "take" || task[0] == "give back"
		for range n {
			if task[0] != "give" {
				if item, err = ch.Receive(ctx); err != nil {
					return err
				}
			}
			if got, ok := item.([]byte); ok && task[0] == "give back" {
				execnet.GiveBack(got)
			}
			if !takes {
				if err := ch.Send(ctx, item); err != nil {
					return err
				}
			}
		}
		if takes {
			if err := ch.Send(ctx, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// countWords counts the words, which are runs of letters, in an ASCII text.
func countWords(text string) map[string]int {
	counts := map[string]*int{}
	word := make([]byte, 0, 64)
	count := func() {
		if len(word) == 0 {
			return
		}
		n := counts[string(word)]
		if n == nil {
			n = new(int)
			counts[string(word)] = n
		}
		*n++
		word = word[:0]
	}
	for i := range len(text) {
		c := text[i] | 0x20 // lower case
		if c < 'a' || c > 'z' {
			count()
			continue
		}
		word = append(word, c)
	}
	count()
	result := make(map[string]int, len(counts))
	for word, n := range counts {
		result[word] = *n
	}
	return result
}

// rawCommand is the argument with which this program moves bytes and nothing else.
const rawCommand = "move-bytes"

// serveRaw does in Go what raw.py does in Python.
func serveRaw(context.Context, []string) error {
	in := bufio.NewReaderSize(os.Stdin, 16) // the blocks, which are no smaller, go past the buffer
	for {
		var command struct {
			What    byte
			Size, N uint32
		}
		switch err := binary.Read(in, binary.BigEndian, &command); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		block := make([]byte, command.Size)
		for range command.N {
			if command.What == 'k' {
				block = make([]byte, command.Size)
			}
			if command.What != 'g' {
				if _, err := io.ReadFull(in, block); err != nil {
					return err
				}
			}
			if command.What == 'e' || command.What == 'g' {
				if _, err := os.Stdout.Write(block); err != nil {
					return err
				}
			}
		}
		if command.What == 't' || command.What == 'k' {
			if _, err := os.Stdout.Write([]byte{'1'}); err != nil {
				return err
			}
		}
	}
}
