"""Outputs and gradients of drawn Keras layers: reads cases as JSON (file 1), writes float32 arrays as JSON with base64 (file 2)."""
import base64
import json
import re
import sys

import keras
import numpy as np
import tensorflow as tf


def hashed(start, size):
    index = np.arange(start, start + size, dtype=np.uint64)
    h = (index ^ (index >> np.uint64(16))) * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)
    h = (h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    return ((h ^ (h >> np.uint64(16))) / 2**31 - 1).astype("float32")


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def converted(value):
    if isinstance(value, dict) and "className" in value:
        return getattr(keras.regularizers, value["className"])(**value["config"])
    return [converted(v) for v in value] if isinstance(value, list) else value


def make(case):
    args = {snake(k): converted(v) for k, v in case["args"].items() if not (case["keras"] == "LeakyReLU" and k == "alpha")}
    args |= case.get("kerasArgs", {})
    if "inner" in case:
        return getattr(keras.layers, case["keras"])(make(case["inner"]), **args)
    return getattr(keras.layers, case["keras"])(**args)


def text(array):
    array = np.ascontiguousarray(np.asarray(array, dtype="float32"))
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def run(case):
    layer = make(case)
    values = []
    for i, shape in enumerate(case["inputs"]):
        numbers = hashed(1000 * (i + 1), int(np.prod(shape))).reshape(shape)
        if "indices" in case:
            numbers = np.floor((numbers + 1) / 2 * case["indices"]).astype("int32")
        values.append(tf.constant(numbers))
    x = values[0] if len(values) == 1 else values
    training = {"training": True} if case.get("training") else {}
    layer(x, **training)
    for i, weight in enumerate(layer.weights):
        numbers = hashed(50_000 * (i + 1), int(np.prod(weight.shape))).reshape(weight.shape)
        weight.assign(np.abs(numbers) + 0.5 if "variance" in weight.path else numbers)
    with tf.GradientTape() as tape:
        tape.watch(values)
        y = layer(x, **training)
        loss = tf.reduce_sum(y * hashed(7, int(np.prod(y.shape))).reshape(y.shape))
        if layer.losses:
            loss += tf.add_n(layer.losses)
    sources = ([] if "indices" in case else values) + [w.value for w in layer.trainable_weights]
    grads = tape.gradient(loss, sources, unconnected_gradients="zero")
    grads = [tf.convert_to_tensor(g) for g in grads]
    return {"output": text(y), "gradients": [text(g) for g in grads], "state": [text(w) for w in layer.non_trainable_weights]}


results = []
for case in json.load(open(sys.argv[1])):
    try:
        results.append(run(case))
    except Exception as error:  # a draw that Keras itself refuses
        results.append({"refused": f"{type(error).__name__}: {error}"[:300]})
json.dump(results, open(sys.argv[2], "w"))
