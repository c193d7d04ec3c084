//go:build unix

package multi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/printout"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// logbook is what a slog handler has written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// records returns the records, each as its attributes.
func (l *logbook) records(t *testing.T) (records []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for decoder := json.NewDecoder(bytes.NewReader(l.text.Bytes())); ; {
		var record map[string]any
		if err := decoder.Decode(&record); err == io.EOF {
			return records
		} else if !assert.NoError(t, err) {
			t.FailNow()
		}
		records = append(records, record)
	}
}

func (l *logbook) handler() slog.Handler {
	return slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// TestSlogHandler has each Python log in the usual ways.
func TestSlogHandler(t *testing.T) {
	t.Parallel()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			var book logbook
			var p printout.Printout
			g := &multi.Group{Stderr: t.Output(), Output: p.Add, SlogHandler: book.handler()}
			t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
			gw := makeGateway(t, g, python.Spec()+"//id=a")
			ch, err := gw.RemoteExec(t.Context(), `
				import sys
				channel.send("logging" in sys.modules)
				import logging
				logging.getLogger().warning("not %s", "configured")
				logging.basicConfig(level=logging.DEBUG)
				log = logging.getLogger("some.where")
				log.debug("low")
				log.info(u"\u00e9", extra={"number": 5, "thing": object(), "word": u"w\u00f6rd"})
				try:
					1/0
				except ZeroDivisionError:
					log.exception("division")
				log.critical("too few: %s %s", 1)
				log.log(25, "between")
				silent = logging.getLogger("silent")
				silent.propagate = False
				silent.error("nobody hears that")
				log.setLevel(logging.ERROR)
				log.warning("nor that")
			`)
			require.NoError(t, err)
			imported, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, false, imported, "a worker does not import logging")
			require.NoError(t, ch.WaitClose(within.Soon(t)))
			require.NoError(t, g.Terminate(within.Soon(t)))
			records := book.records(t)
			var got [][3]any
			for _, r := range records {
				got = append(got, [3]any{r["level"], r["logger"], r["msg"]})
				assert.Equal(t, "a", r["gateway"])
				assert.Equal(t, "<remote exec>", r["file"])
				when, err := time.Parse(time.RFC3339, r["time"].(string))
				assert.NoError(t, err)
				assert.Less(t, time.Since(when), time.Minute)
			}
			require.Equal(t, [][3]any{
				{"WARN", "root", "not configured"}, {"DEBUG", "some.where", "low"}, {"INFO", "some.where", "é"},
				{"ERROR", "some.where", "division"},
				{"ERROR+4", "some.where", "too few: %s %s, and its arguments do not fit: (1,)"},
				{"INFO+2", "some.where", "between"},
			}, got)
			assert.EqualValues(t, 5, records[0]["line"])
			assert.EqualValues(t, 5, records[2]["number"])
			assert.Equal(t, "wörd", records[2]["word"])
			assert.NotContains(t, records[2], "thing")
			assert.Contains(t, records[3]["exception"], "ZeroDivisionError")
			assert.NotContains(t, records[2], "exception")
			assert.Empty(t, p.Of("a", multi.Stderr), "no record comes twice")
		})
	}
}
