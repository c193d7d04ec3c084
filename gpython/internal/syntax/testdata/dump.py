"""Writes the syntax trees of Python's own library, in the form that dump_test.go writes trees in.

dump.py [N]: of the library's own tests only every Nth file, none without N. Each file is four texts, each with its length in front: its path, the source,
the tree or nothing, and the error that the compiler has for it, or nothing.
"""
import ast
import os
import struct
import sys
import warnings

warnings.simplefilter("ignore")

# The fields of a node that are written, where that is not all of them in their order.
FIELDS = {
    "Module": ["body"], "Constant": [], "Name": ["id", "ctx"], "FunctionDef": ["name", "args", "body", "decorator_list", "returns"],
    "ClassDef": ["name", "bases", "keywords", "body", "decorator_list"], "For": ["target", "iter", "body", "orelse"],
    "With": ["items", "body"], "Assign": ["targets", "value"], "arg": ["arg", "annotation"],
    "comprehension": ["target", "iter", "ifs"], "arguments": ["posonlyargs", "args", "vararg", "kwonlyargs", "kw_defaults", "kwarg", "defaults"],
    "FormattedValue": ["value", "conversion", "format_spec"], "JoinedStr": ["values"],
}
PLACED = (ast.expr, ast.stmt, ast.arg, ast.keyword, ast.alias, ast.excepthandler)
EXACT_FSTRINGS = sys.version_info >= (3, 12)


def constant(value):
    kind = type(value)
    if kind is str:
        return "s%d:%s" % (len(value), value)
    if kind is bytes:
        return "b%d:%s" % (len(value), value.decode("latin-1"))
    if kind is int:
        return "i%x" % value
    if kind is float:
        return "f" + struct.pack(">d", value).hex()
    if kind is complex:
        return "c" + struct.pack(">d", value.imag).hex()
    return repr(value)


def dump(node, out, placed=True, text=True):
    if node is None:
        out.append("-")
    elif isinstance(node, list):
        out.append("[")
        for item in node:
            dump(item, out, placed, text)
        out.append("]")
    elif isinstance(node, ast.AST):
        name = type(node).__name__
        if isinstance(node, (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)):
            out.append(name)
            return
        out.append("(" + name)
        if placed and text and isinstance(node, PLACED):
            out.append("%d:%d" % (node.lineno, node.col_offset))
        if name == "Constant":
            out.append(constant(node.value))
        elif name == "JoinedStr":
            placed = placed and EXACT_FSTRINGS
            for value in node.values:
                dump(value, out, placed, not isinstance(value, ast.Constant))
        elif name == "arguments":
            for field in FIELDS[name]:
                value = getattr(node, field)
                if field == "kw_defaults":
                    value = [x for x in value if x is not None]
                dump(value, out, placed)
        elif name == "FormattedValue":
            dump(node.value, out, placed)
            out.append(str(node.conversion))
            if node.format_spec is None:
                out.append("-")
            else:
                out.append("(format")
                for value in node.format_spec.values:
                    if isinstance(value, ast.Constant) and not value.value:
                        continue  # some releases have these
                    dump(value, out, placed, not isinstance(value, ast.Constant))
                out.append(")")
        else:
            for field in FIELDS.get(name, node._fields):
                dump(getattr(node, field), out, placed)
        out.append(")")
    else:
        out.append(str(node))


def texts(path):
    with open(path, "rb") as f:
        data = f.read()
    try:
        encoding = "utf-8"
        lines = iter(data.splitlines(True))
        import tokenize
        encoding = tokenize.detect_encoding(lambda: next(lines, b""))[0]
        source = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return None
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    try:
        source.encode("utf-8")
        tree = ast.parse(source, path)
        out = []
        dump(tree, out)
        text = "\n".join(out)
        text.encode("utf-8")
    except UnicodeEncodeError:
        return source.encode("utf-8", "replace").decode("utf-8"), "", "surrogates"
    except (ValueError, RecursionError, MemoryError) as e:
        return source, "", type(e).__name__
    except SyntaxError as e:
        return source, "", "%s:%s:%s" % (type(e).__name__, e.lineno, e.msg)
    try:
        compile(source, path, "exec", 0, True)
    except (SyntaxError, ValueError, RecursionError) as e:
        return source, text, "%s:%s:%s" % (type(e).__name__, getattr(e, "lineno", 0), getattr(e, "msg", e))
    return source, text, ""


def main():
    sys.setrecursionlimit(20000)
    out = sys.stdout.buffer

    def write(path, name):
        found = texts(path)
        for text in (name,) + found if found else ():
            data = text.encode("utf-8")
            out.write(b"%d\n" % len(data))
            out.write(data)

    library = os.path.dirname(os.__file__)
    left_out = ["site-packages", "__pycache__"]
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    if not every:
        left_out += ["test", "tests", "idle_test"]
    seen = 0
    for where, folders, files in os.walk(library):
        folders[:] = sorted(f for f in folders if f not in left_out)
        for name in sorted(files):
            if name.endswith(".py"):
                if every and "test" in where[len(library):]:
                    seen += 1
                    if seen % every:
                        continue
                path = os.path.join(where, name)
                write(path, os.path.relpath(path, library))


main()
