"""Source that does not compile: the error names the line and the file."""


def drive(at):
    for source in ["x = = 1", "if True:\nprint(1)", "def f(:\n    pass\n", "a = 'open", "return 5", "x = (1,\n     2", "  y = 1\n z = 2",
                   "for x in 5\n    pass", "import os\nbreak"]:
        at.end(at.run(source))
