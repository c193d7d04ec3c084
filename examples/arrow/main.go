// Arrow sends a table of Apache Arrow to Python and takes another one back. Tables travel as Arrow
// IPC streams, which are bytes. The interpreter must have pyarrow; it can be given as an argument.
package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/go-execnet/execnet"
)

//go:embed weather.py
var code embed.FS

const measured = `[{"city": "Oslo", "degrees": -3}, {"city": "Lima", "degrees": 19.5}, {"city": "Oslo", "degrees": 4.5}]`

func main() {
	if err := run(context.Background(), append(os.Args, "python3")[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, python string) error {
	group := execnet.NewGroup()
	defer group.Terminate(ctx)
	if err := group.ImportFS(ctx, code); err != nil {
		return err
	}
	gw, err := group.MakeGateway(ctx, "popen//python="+python)
	if err != nil {
		return err
	}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "city", Type: arrow.BinaryTypes.String}, {Name: "degrees", Type: arrow.PrimitiveTypes.Float64},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(measured))
	if err != nil {
		return err
	}
	var table bytes.Buffer
	stream := ipc.NewWriter(&table, ipc.WithSchema(schema))
	if err := errors.Join(stream.Write(batch), stream.Close()); err != nil {
		return err
	}
	result, err := execnet.RemoteCall[[]byte](ctx, gw, "weather.means", table.Bytes())
	if err != nil {
		return err
	}
	means, err := ipc.NewReader(bytes.NewReader(result))
	if err != nil {
		return err
	}
	for means.Next() {
		text, _ := means.RecordBatch().MarshalJSON()
		fmt.Println(string(text))
	}
	return means.Err()
}
