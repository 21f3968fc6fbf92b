"""keras.applications with random weights, an input and their outputs; or, with "check", what Keras says to the files we wrote.

Arguments: make or check, a folder, then name:size pairs (an application's class) or just names (networks that only we have).
"""
import json
import pathlib
import sys

import keras
import numpy as np

mode, folder = sys.argv[1], pathlib.Path(sys.argv[2])
result = {}


def application(name, size):
    return getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classifier_activation="softmax")


def randomise(model, rng):
    for weight in model.weights:
        if weight.name == "moving_variance":
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif weight.name in ("moving_mean", "beta", "bias"):
            weight.assign(rng.normal(0, 0.1, weight.shape))


def difference(model, name):
    x, y = (np.load(folder / f"{name}.{part}.npy") for part in "xy")
    return float(np.abs(np.asarray(model(x, training=False)) - y).max())


def attempt(key, work):
    try:
        result[key] = work()
    except Exception as error:
        result[key] = f"{type(error).__name__}: {str(error)[:800]}"


for word in sys.argv[3:]:
    name, _, size = word.partition(":")
    if mode == "make":
        rng = np.random.default_rng(0)
        model = application(name, int(size))
        randomise(model, rng)
        x = rng.uniform(-1, 1, (2, int(size), int(size), 3)).astype("float32")
        np.save(folder / f"{name}.x.npy", x)
        np.save(folder / f"{name}.y.npy", np.asarray(model(x, training=False)))
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
    else:
        model = None
        for extension in ("h5", "keras"):
            path = folder / f"{name}.ours.{extension}"
            if not path.exists():
                continue

            def load():
                global model
                model = keras.models.load_model(path, compile=False)
                return difference(model, name)

            attempt(path.name, load)
        if size:

            def load_weights():
                # Zeros first: what the file does not have stays zero, and the outputs differ.
                for weight in model.weights:
                    weight.assign(np.zeros(weight.shape))
                model.load_weights(folder / f"{name}.ours.weights.h5")
                return difference(model, name)

            attempt(f"{name}.ours.weights.h5", load_weights)
        else:
            model.save(folder / f"{name}.theirs.keras")
    keras.backend.clear_session()
print(json.dumps(result))
