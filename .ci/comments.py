"""Fails, naming file and line, if comments of Go or Python, or documents, go beyond column 100.

A tab counts 4. A comment behind code counts as well. What cannot be wrapped does not: a line that
defines a link, the expected output of an Example, and the code and the tables of a document.
"""
import io
import re
import subprocess
import sys
import tokenize

WIDTH = 100
OUTPUT = re.compile(r"\s*// (Unordered o|O)utput:")
LINK = re.compile(r"\s*// \[[^]]+\]: \S+$")


def go_comments(source):
    """The numbers of the lines on which a comment stands, in Go."""
    at, line, end = 0, 1, len(source)
    while at < end:
        start = at
        if source.startswith("//", at):
            yield line
            at = source.find("\n", at)
        elif source.startswith("/*", at):
            at = source.index("*/", at) + 2
            yield from range(line, line + source.count("\n", start, at) + 1)
        elif source[at] == "`":
            at = source.index("`", at + 1) + 1
        elif source[at] in "\"'":
            at += 1
            while source[at] != source[start]:
                at += 2 if source[at] == "\\" else 1
            at += 1
        else:
            at += 1
        if at < 0:
            return
        line += source.count("\n", start, at)


def python_comments(source):
    """The numbers of the lines on which a comment stands, in Python."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0]


def prose(source):
    """The numbers of the lines of a document in Markdown that somebody has written: no code, no tables,
    and nothing between marks, which a program puts there.
    """
    code = False
    for number, line in enumerate(source.split("\n"), 1):
        if line.lstrip().startswith("```") or line.startswith(("<!-- begin", "<!-- end")):
            code = not code
        elif not code and not line.startswith(("|", "    ")):
            yield number


def too_wide(path):
    with open(path, encoding="utf-8") as f:
        source = f.read()
    lines = source.split("\n")
    comments = {"go": go_comments, "py": python_comments, "md": prose}[path.rpartition(".")[2]]
    in_output = False
    for number in comments(source):
        line = lines[number - 1].expandtabs(4)
        if OUTPUT.match(line):
            in_output = True
        elif not lines[number - 2].strip().startswith("//"):
            in_output = False
        if len(line) > WIDTH and not LINK.match(line) and not in_output:
            yield number


def main():
    files = subprocess.check_output(["git", "ls-files", "*.go", "*.py", "*.md"], universal_newlines=True).split()
    found = ["%s:%d" % (path, number) for path in files for number in too_wide(path)]
    if found:
        sys.exit("lines beyond column %d:\n%s" % (WIDTH, "\n".join(found)))


main()
