"""An interpreter that has loaded what takes long, and waits to be forked for jobs."""

import gc, os, random, signal, socket, sys, time, types
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot, numpy, pandas

runner = socket.socket(fileno=int(sys.argv[1]))


def answer(number):
    runner.send(number.to_bytes(4, "little", signed=True))


def job(texts, descriptors):
    """What a process becomes that was forked for a job. It never returns."""
    gate = descriptors.pop()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    runner.close()
    os.setpgid(0, 0)
    os.write(gate, b"\1")
    if os.read(gate, 1) != b"\1":
        os._exit(2)
    os.close(gate)
    # what was drawn from before the machine was saved is the same in all of its copies
    random.seed()
    numpy.random.seed()
    os.environb.update(zip(texts[2::2], texts[3::2]))
    time.tzset()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = ["-c"]
    exec(compile(texts[1], "<string>", "exec"), main.__dict__)


def forked(texts, descriptors):
    """Fork a process that is the runner's child, and not that of this one: its parent ends at once."""
    if between := os.fork():
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(between, 0)
        return
    try:
        os.chdir(texts[0])
    except OSError as error:
        answer(-error.errno)
        os._exit(0)
    if process := os.fork():
        answer(process)
        os._exit(0)
    job(texts, descriptors)
    sys.exit()


gc.collect()
gc.freeze()
runner.send(b"\1")
while True:
    message, descriptors, _, _ = socket.recv_fds(runner, 1 << 17, 4)
    if not message:
        break
    forked(message.split(b"\0"), descriptors)
