"""Five updates of one variable by Keras' optimizers, for packages/graph/test/optimizers.test.ts.

Run in the peers' environment: python tools/golden/graph-optimizers.py
"""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras
import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "packages/graph/test/golden/optimizers.json"
SIZE = 6


def hashed(index):
    h = (index ^ (index >> 16)) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & 0xFFFFFFFF
    return (h ^ (h >> 16)) / 2**31 - 1


def values(start, scale=1.0):
    return np.array([hashed(start + i) * scale for i in range(SIZE)], "float32")


CASES = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "sgd momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "sgd nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "rmsprop momentum": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5),
    "rmsprop centered": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "clip value": lambda: keras.optimizers.SGD(0.1, clipvalue=0.5),
    "clip norm": lambda: keras.optimizers.SGD(0.1, clipnorm=1.0),
    "clip global norm": lambda: keras.optimizers.SGD(0.1, global_clipnorm=1.5),
}

golden = {}
for name, make in CASES.items():
    optimizer = make()
    variables = [keras.Variable(values(0)), keras.Variable(values(100))]
    for step in range(5):
        if step == 3:
            optimizer.learning_rate = float(optimizer.learning_rate) / 2
        gradients = [values(1000 * (step + 1), 2.0), values(1000 * (step + 1) + 100, 0.5)]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    golden[name] = [v.numpy().tolist() for v in variables]

OUT.write_text(json.dumps({"madeBy": "tools/golden/graph-optimizers.py", "keras": keras.__version__, "cases": golden}, indent=1))
