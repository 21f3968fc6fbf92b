"""Writes a SavedModel of Keras 2 without TensorFlow's graph, which is not read, and what Keras predicts.

Run with a Python that has tf_keras: python tools/golden/weights-saved-model.py packages/weights/test/golden/saved-model
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tf_keras as keras

out = pathlib.Path(sys.argv[1])
image = keras.Input((6, 5, 3))
first = keras.layers.Conv2D(4, 3, padding="same", name="a")(image)
both = keras.layers.Add()([first, keras.layers.BatchNormalization(name="b")(first)])
inner = keras.Sequential([keras.layers.Dense(4, name="d1"), keras.layers.PReLU(name="pr", shared_axes=[1, 2])], name="inner")
pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.DepthwiseConv2D(2, name="dw")(inner(both)))
model = keras.Model(image, keras.layers.Dense(2, name="out")(pooled), name="net")
rng = np.random.default_rng(1)
model.set_weights([rng.uniform(0.3, 1.2, weight.shape).astype("float32") for weight in model.get_weights()])
with tempfile.TemporaryDirectory() as folder:
    model.save(folder, save_format="tf")
    shutil.rmtree(out, ignore_errors=True)
    (out / "variables").mkdir(parents=True)
    for name in ("keras_metadata.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        shutil.copy(pathlib.Path(folder) / name, out / name)
x = np.round(rng.uniform(-1, 1, (2, 6, 5, 3)), 2).astype("float32")
numbers = {"x": x.flatten().tolist(), "y": model.predict(x, verbose=0).flatten().tolist()}
(out / "numbers.json").write_text(json.dumps(numbers) + "\n")
