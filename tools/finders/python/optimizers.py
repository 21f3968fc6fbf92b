"""Weights after the updates of Keras' optimizers: reads cases with their numbers as JSON (file 1), writes JSON (file 2)."""
import json
import sys

import keras
import numpy as np
import tensorflow as tf


def make(case):
    o = dict(case["options"])
    rate = o.pop("learningRate")
    if case["keras"] == "SGD":
        return keras.optimizers.SGD(rate, momentum=float(o.get("momentum", 0)), nesterov=o.get("nesterov", False))
    if case["keras"] == "Adagrad":
        return keras.optimizers.Adagrad(rate, initial_accumulator_value=o["initialAccumulatorValue"])
    if case["keras"] == "Adamax":
        rate = keras.optimizers.schedules.InverseTimeDecay(rate, 1, o["decay"])
        return keras.optimizers.Adamax(rate, beta_1=o["beta1"], beta_2=o["beta2"], epsilon=o["epsilon"])
    return keras.optimizers.RMSprop(rate, rho=o["decay"], momentum=float(o["momentum"]), epsilon=o["epsilon"])


def run(case):
    if case.get("keras") is None:
        return None
    optimizer = make(case)
    variables = [keras.Variable(np.array(start, "float32")) for start in case["starts"]]
    for gradients in case["gradients"]:
        optimizer.apply([tf.constant(np.array(g, "float32")) for g in gradients], variables)
    return [np.asarray(v).tolist() for v in variables]


json.dump([run(case) for case in json.load(open(sys.argv[1]))], open(sys.argv[2], "w"))
