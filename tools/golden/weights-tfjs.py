"""Writes packages/weights/test/golden/tfjs-keras3: a model of Keras 3 as the two tfjs folders that tensorflowjs' converter makes of
its .h5 and of its .keras, and `expected.json` with an input and Keras' output.

Needs keras (3) with tensorflow, and tensorflowjs without its dependencies: pip install --no-deps tensorflowjs==4.22.0
"""
import importlib.util
import io
import json
import pathlib
import shutil
import sys
import types
import zipfile

import h5py
import keras
import numpy as np
from keras import Input, Sequential, layers as L

# The converter of Keras' files alone: the package's own entry imports TensorFlow Hub, Decision Forests and JAX.
place = pathlib.Path(importlib.util.find_spec("tensorflowjs").submodule_search_locations[0])
for name, folder in (("tensorflowjs", place), ("tensorflowjs.converters", place / "converters")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(folder)]
from tensorflowjs.converters import keras_h5_conversion as conversion  # noqa: E402

out = pathlib.Path(__file__).resolve().parents[2] / "packages/weights/test/golden/tfjs-keras3"
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
rng = np.random.default_rng(5)
inner = Sequential([Input((4, 4, 3)), L.Conv2D(2, 2, name="conv"), L.Dropout(0.5), L.Conv2D(2, 1, activation="hard_sigmoid")], name="inner")
model = Sequential(
    [Input((5, 5, 3)), L.DepthwiseConv2D(2), L.BatchNormalization(), inner, L.Reshape((9, 2)), L.GRU(3), L.Dense(2, name="conv")]
)
for weight in model.weights:
    low = 0.5 if "variance" in weight.path or "gamma" in weight.path else -1
    weight.assign(rng.uniform(low, 1, weight.shape))
x = rng.normal(0, 1, (2, 5, 5, 3)).astype("float32")
y = np.asarray(model(x))

conversion.save_keras_model(model, str(out / "h5"))
model.save(out / "model.keras")
with zipfile.ZipFile(out / "model.keras") as archive:
    config, told = json.loads(archive.read("config.json")), json.loads(archive.read("metadata.json"))
    with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
        topology, groups = conversion.h5_v3_merged_saved_model_to_tfjs_format(weights, told, config)
        (out / "keras").mkdir()
        conversion.write_artifacts(topology, groups, str(out / "keras"))
(out / "model.keras").unlink()
expected = {"shape": x.shape, "x": x.ravel().tolist(), "y": y.ravel().tolist()}
(out / "expected.json").write_text(json.dumps(expected))
