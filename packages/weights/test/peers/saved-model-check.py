"""Runs SavedModels in Python. Arguments: a folder, names. Prints the worst difference to <name>.y.npy of each as JSON."""
import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
result = {}
for name in sys.argv[2:]:
    try:
        serve = tf.saved_model.load(str(folder / f"{name}.saved")).signatures["serving_default"]
        (argument,) = serve.structured_input_signature[1]
        x, y = (np.load(folder / f"{name}.{part}.npy") for part in "xy")
        outputs = [next(iter(serve(**{argument: tf.constant(batch)}).values())).numpy() for batch in (x, x[:1])]
        result[name] = float(max(np.abs(outputs[0] - y).max(), np.abs(outputs[1] - y[:1]).max()))
    except Exception as error:
        result[name] = f"{type(error).__name__}: {str(error)[:600]}"
print(json.dumps(result))
