"""Checks ONNX files and runs them. Arguments: a folder, names. Prints the worst difference to <name>.y.npy of each as JSON."""
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

folder = pathlib.Path(sys.argv[1])
result = {}
for name in sys.argv[2:]:
    path = folder / f"{name}.onnx"
    try:
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        x, y = (np.load(folder / f"{name}.{part}.npy") for part in "xy")
        outputs = [session.run(None, {session.get_inputs()[0].name: batch})[0] for batch in (x, x[:1])]
        # Another batch size than before shows that the batch is free.
        result[name] = float(max(np.abs(outputs[0] - y).max(), np.abs(outputs[1] - y[:1]).max()))
    except Exception as error:
        result[name] = f"{type(error).__name__}: {error}"
print(json.dumps(result))
