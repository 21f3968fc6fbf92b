"""Outputs of U-Nets in Keras with weights that a formula gives, for packages/models/test/golden-unet.json.

Run: python tools/golden/models-unet.py > packages/models/test/golden-unet.json
"""

import base64
import importlib.util
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from keras import layers as L

spec = importlib.util.spec_from_file_location("parity", os.path.join(os.path.dirname(__file__), "models-parity.py"))
parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parity)


def unet(size, widths, classes, padding="same", up="transposed", norm=False):
    """Figure 1 of Ronneberger et al. 2015."""

    def pair(x, width, path):
        for i in (1, 2):
            if norm:
                x = L.Conv2D(width, 3, padding=padding, use_bias=False, name=f"{path}.conv{i}")(x)
                x = L.BatchNormalization(name=f"{path}.bn{i}")(x)
                x = L.ReLU(name=f"{path}.relu{i}")(x)
            else:
                x = L.Conv2D(width, 3, padding=padding, activation="relu", name=f"{path}.conv{i}")(x)
        return x

    def double(x, width, path):
        if up == "transposed":
            return L.Conv2DTranspose(width, 2, strides=2, name=f"{path}.double")(x)
        x = L.UpSampling2D(2, interpolation=up, name=f"{path}.double.resize")(x)
        return L.Conv2D(width, 2, padding="same", name=f"{path}.double.conv")(x)

    x = image = keras.Input(size)
    maps = []
    for level, width in enumerate(widths[:-1], 1):
        x = pair(x, width, f"down{level}")
        maps.append(x)
        x = L.MaxPooling2D(2, name=f"down{level}.pool")(x)
    x = pair(x, widths[-1], "bottom")
    for level in range(len(maps), 0, -1):
        path, map = f"up{level}", maps[level - 1]
        x = double(x, widths[level - 1], path)
        top, left = map.shape[1] - x.shape[1], map.shape[2] - x.shape[2]
        if top or left:
            map = L.Cropping2D(((top // 2, top - top // 2), (left // 2, left - left // 2)))(map)
        x = pair(L.Concatenate()([map, x]), widths[level - 1], path)
    return keras.Model(image, L.Conv2D(classes, 1, name="pixels")(x))


cases = []
for options in (
    dict(padding="same", up="transposed"),
    dict(padding="same", up="nearest"),
    dict(padding="same", up="transposed", norm=True),
    dict(padding="valid", up="transposed"),
):
    keras.backend.clear_session()
    size, widths, classes = ((44, 52, 3) if options["padding"] == "valid" else (16, 24, 3)), (4, 6, 8), 3
    model = unet(size, widths, classes, **options)
    x = parity.uniform((2, *size), -1.0, 1.0, "input")

    def logits_at(gain):
        for layer in model.layers:
            for weight in layer.weights:
                kind = weight.path.rsplit("/", 1)[1]
                weight.assign(parity.fill(f"{layer.name}/{kind}", tuple(weight.shape), gain))
        return model(x, training=False).numpy()

    gain = parity.settle(logits_at)
    logits = logits_at(gain)
    cases.append(dict(options, size=size, widths=widths, classes=classes, gain=gain, shape=logits.shape, params=model.count_params(), logits=base64.b64encode(logits.astype("<f4").tobytes()).decode()))
    print(options, gain, logits.std(), file=sys.stderr)
print(json.dumps(dict(keras=keras.__version__, paper=unet((572, 572, 1), (64, 128, 256, 512, 1024), 2, "valid").count_params(), cases=cases)))
