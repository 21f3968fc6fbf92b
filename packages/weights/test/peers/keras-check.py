"""Loads what we wrote and compares with the outputs of before. Arguments: a folder, names. Prints the worst difference of each file as JSON."""
import json
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
result = {}
for name in sys.argv[2:]:
    x, y = (np.load(folder / f"{name}.{part}.npy") for part in "xy")

    def difference(model):
        try:
            found = model(x, training=False)
        except tf.errors.InvalidArgumentError:
            # Without oneDNN TensorFlow has no kernel for some dilations on a processor; its compiler has.
            found = tf.function(lambda x: model(x, training=False), jit_compile=True)(x)
        return float(np.max(np.abs(np.asarray(found) - y)))

    for path in (folder / f"{name}.ours.h5", folder / f"{name}.ours.keras"):
        if not path.exists():
            continue
        try:
            result[path.name] = difference(keras.models.load_model(path, compile=False))
        except Exception as error:
            result[path.name] = f"{type(error).__name__}: {error}"
    try:
        model = keras.models.load_model(folder / f"{name}.ours.keras", compile=False)
        for weight in model.weights:
            weight.assign(np.zeros(weight.shape))
        model.load_weights(folder / f"{name}.ours.weights.h5")
        result[f"{name}.ours.weights.h5"] = difference(model)
    except Exception as error:
        result[f"{name}.ours.weights.h5"] = f"{type(error).__name__}: {error}"
print(json.dumps(result))
