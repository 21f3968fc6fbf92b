"""Values and gradients of Keras' losses, metrics and constraints: reads cases with their numbers as JSON (file 1), writes JSON (file 2)."""
import json
import re
import sys

import keras
import numpy as np
import tensorflow as tf


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def run(case):
    shape = case["shape"]
    if case["kind"] == "constraint":
        constraint = getattr(keras.constraints, case["keras"])(**{snake(k): v for k, v in case["args"].items()})
        value = constraint(tf.constant(np.array(case["weight"], "float32").reshape(shape)))
        return {"value": np.asarray(value).ravel().tolist()}
    labels = np.array(case["y"], "float32").reshape([shape[0], -1])
    predictions = tf.constant(np.array(case["p"], "float32").reshape(shape))
    if case["kind"] == "metric":
        metric = getattr(keras.metrics, case["keras"])()
        metric.update_state(labels, predictions)
        return {"value": [float(metric.result())]}
    loss = getattr(keras.losses, case["keras"])()
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        value = loss(labels, predictions)
    return {"value": [float(value)], "gradient": np.asarray(tape.gradient(value, predictions)).ravel().tolist()}


json.dump([run(case) for case in json.load(open(sys.argv[1]))], open(sys.argv[2], "w"))
