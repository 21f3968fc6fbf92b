"""Reads <name>.again.keras with Keras and <name>.again.onnx with ONNX Runtime. Arguments: a folder, names. Prints the faults as JSON."""
import json
import pathlib
import sys

import keras
import numpy as np
import onnxruntime

out = pathlib.Path(sys.argv[1])
# Outputs that depend on the other samples of the batch.
together = {"batch_statistics"}
faults = []


def arrays(name, kind):
    count = len(list(out.glob(f"{name}.{kind}[0-9].npy")))
    return [np.load(out / f"{name}.{kind}{i}.npy") for i in range(count)]


def by_keras(path):
    model = keras.models.load_model(path, compile=False)
    return lambda xs: keras.tree.flatten(model(xs[0] if len(xs) == 1 else xs))


def by_onnx(path):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.get_inputs()
    types = ["int32" if "int32" in i.type else "float32" for i in given]
    return lambda xs: session.run(None, {i.name: x.astype(t) for i, x, t in zip(given, xs, types)})


for name in sys.argv[2:]:
    for ending, reader in (("keras", by_keras), ("onnx", by_onnx)):
        try:
            run = reader(out / f"{name}.again.{ending}")
            for batch in (2,) if name in together else (2, 1):
                found = run([x[:batch] for x in arrays(name, "x")])
                for a, b in zip(found, [y[:batch] for y in arrays(name, "y")], strict=True):
                    a = np.asarray(a).astype("float32")
                    if a.shape != b.shape or not np.allclose(a, b, atol=1e-4):
                        faults.append(f"{name}.{ending}: batch {batch}, {a.shape} for {b.shape}")
        except Exception as error:
            faults.append(f"{name}.{ending}: {type(error).__name__} {str(error)[:200]}")
print(json.dumps(faults))
