"""One prediction in a process of its own: first_answer.py SYSTEM FILE SHAPE (programs/first-answer.mjs does the same)."""

import json
import re
import resource
import sys

import numpy as np

system, file, shape = sys.argv[1:4]
shape = [int(size) for size in shape.split("x")]
x = ((np.arange(np.prod(shape)) % 255).astype(np.float32) / np.float32(255)).reshape(shape)

if system == "onnxruntime-python":
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    output = session.run(None, {session.get_inputs()[0].name: x})[0]
else:
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    output = openvino.Core().compile_model(file, "CPU", settings)(x)[0]

try:
    with open("/proc/self/status") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
except FileNotFoundError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = (usage.ru_utime + usage.ru_stime) * 1000
print(json.dumps({"output": output.flatten()[:10].tolist(), "peak": peak, "cpu": cpu}), flush=True)
