# Runs the programs that come as lines of JSON, and answers each with what it printed and how it
# ended: [text, "" or the exception's class and text, whether it could be compiled and has ended].
import builtins, gc, io, json, signal, sys, traceback

class Endless(BaseException):
    pass

def expire(*_):
    global expired
    expired = True
    raise Endless

# CPython's own parts may catch an exception; so it comes again.
signal.signal(signal.SIGALRM, expire)
# What a program leaves behind may print when it is collected, which the next one's output must not
# have.
sys.unraisablehook = lambda _: None
gc.disable()
answers = sys.stdout
for count, line in enumerate(sys.stdin):
    source = json.loads(line)
    names = None
    if count % 200 == 0:
        gc.collect()
    sys.stdout = out = io.StringIO()
    error, compiled, expired = "", False, False
    try:
        try:
            code = compile(source, "<remote exec>", "exec", dont_inherit=True)
            compiled = True
            signal.setitimer(signal.ITIMER_REAL, 0.5, 0.05)
            # The names outlive the output, so that what is dropped at the end prints nothing.
            names = {"__name__": "__channelexec__", "__builtins__": builtins}
            exec(code, names)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException as e:
        try:
            error = "".join(traceback.format_exception_only(type(e), e)).strip()
        except BaseException:
            error = type(e).__name__
    sys.stdout = io.StringIO()
    answers.write(json.dumps([out.getvalue(), error, compiled and not expired]) + "\n")
    answers.flush()
