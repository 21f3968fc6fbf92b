"""Runs Python sources in copies of itself, so that Keras and PyTorch are imported once for all of them.

Argument: the path of a socket. A request is a line of JSON, {"source", "args", "folder"}, with the standard output and error
that the source writes to; the answer is its exit status. The server ends with its standard input, and takes the socket's folder
along.
"""
import json
import os
import re
import select
import socket
import sys
import traceback
import types

# In the order of their imports: torchvision aborts the process where TensorFlow was imported before it.
HEAVY = ["torchvision", "torch", "timm", "tensorflow", "keras"]


def heavy_imports(source):
    """The slow modules that a source imports at its top level; torchvision before TensorFlow."""
    lines = re.findall(r"^(?:import|from) ([^\n#]+)", source, re.MULTILINE)
    words = {word for line in lines for word in re.findall(r"[a-z_]\w*", line.split(" import ")[0])}
    if words & {"torch", "timm"}:
        words.add("torchvision")
    return [name for name in HEAVY if name in words]


def run(source, args, folder, outputs):
    """Runs a source as `python -c` does, and ends the process."""
    status = 1
    try:
        for number, output in enumerate(outputs, 1):
            os.dup2(output, number)
        os.chdir(folder)
        sys.argv = ["-c", *args]
        sys.path.insert(0, "")
        # pickle finds the classes of a source in the module of that name.
        sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(source, "<string>", "exec"), sys.modules["__main__"].__dict__)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def answer(connection):
    text, outputs, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    while not text.endswith(b"\n"):
        part = connection.recv(1 << 20)
        if not part:
            return
        text += part
    request = json.loads(text)
    for name in heavy_imports(request["source"]):
        try:
            __import__(name)
        except Exception:
            pass  # The source tells of it.
    child = os.fork()
    if child == 0:
        run(request["source"], request["args"], request["folder"], outputs)
    for output in outputs:
        os.close(output)
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
while True:
    ready, _, _ = select.select([sys.stdin, server], [], [])
    if sys.stdin in ready:
        break
    connection, _ = server.accept()
    with connection:
        answer(connection)
# Without the destructors of TensorFlow and PyTorch, which take seconds.
os.remove(sys.argv[1])
os.rmdir(os.path.dirname(sys.argv[1]))
os._exit(0)
