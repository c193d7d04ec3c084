"""The Python code of the example: it takes a table of Apache Arrow and returns another one."""
import pyarrow


def means(data):
    table = pyarrow.ipc.open_stream(data).read_all()
    result = table.group_by("city").aggregate([("degrees", "mean")]).sort_by("city")
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, result.schema) as stream:
        stream.write_table(result)
    return sink.getvalue()  # whatever has the buffer protocol arrives as bytes
