"""The interpreter of the tool `python`: it runs one piece of work after the other, and keeps its variables between them."""

import ast, io, linecache, os, signal, sys, traceback, types

work = os.fdopen(os.dup(0), "rb")
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
sys.argv = [""]
# what the work defines is of a module that other modules find
main = types.ModuleType("__main__")
sys.modules["__main__"] = main
names = main.__dict__
number = 0


def show(value):
    if value is not None:
        names["_"] = value
        print(repr(value))


def run(source):
    """Run all of it; where the last statement is an expression, its value is shown."""
    file = f"<python {number}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    tree = ast.parse(source, file)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file, "exec"), names)
    if last:
        show(eval(compile(ast.Expression(last.value), file, "eval"), names))


def attempt(source):
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run(source)
    except SystemExit as ended:
        if ended.code not in (None, 0):
            print(f"SystemExit: {ended.code}", file=sys.stderr)
    except BaseException as error:
        # without the frames of this file
        trace = error.__traceback__
        while trace and not trace.tb_frame.f_code.co_filename.startswith("<python "):
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (io.UnsupportedOperation, OSError, ValueError):
                pass


signal.signal(signal.SIGINT, signal.SIG_IGN)
while line := work.readline():
    size, mark = line.split()
    number += 1
    attempt(work.read(int(size)).decode())
    os.write(1, b"\0" + mark + b"\0")
