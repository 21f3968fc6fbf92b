"""A system under measurement: requests come as JSON lines on standard input, replies go as JSON lines to standard output."""

import importlib
import json
import os
import resource
import sys
import time
import traceback

# Libraries print to standard output; replies must be the only thing there.
replies = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

SYSTEMS = {"keras": "keras_system", "torch": "torch_system", "onnxruntime": "onnx_system", "openvino": "openvino_system"}


def reply(message: dict) -> None:
    replies.write(json.dumps(message) + "\n")


def peak_memory() -> int:
    """The process's largest resident set in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    started = time.perf_counter()
    options = json.loads(sys.stdin.readline())
    threads = str(options["threads"])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = threads
    try:
        module = importlib.import_module(SYSTEMS[options["system"]])
        system = module.System(options)
        reply({"ok": True, "versions": module.versions(), "importMs": (time.perf_counter() - started) * 1000})
    except Exception as error:
        reply({"ok": False, "error": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = getattr(system, request.pop("do"))(**request)
            reply({"ok": True, **result, "peakMemory": peak_memory()})
        except Exception as error:
            traceback.print_exc()
            reply({"ok": False, "error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"})


if __name__ == "__main__":
    main()
