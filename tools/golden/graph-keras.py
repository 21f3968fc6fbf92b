"""Losses of 20 training steps by Keras, for packages/graph/test/keras.test.ts.

Run in the peers' environment: python tools/golden/graph-keras.py
Weights and batches come from an integer hash, so that only the losses are kept.
"""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras
import numpy as np
from keras import layers

OUT = pathlib.Path(__file__).parents[2] / "packages/graph/test/golden/keras-losses.json"
STEPS, BATCH = 20, 8


def hashed(start, size):
    index = np.arange(start, start + size, dtype=np.uint64)
    h = (index ^ (index >> np.uint64(16))) * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)
    h = (h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    return (h ^ (h >> np.uint64(16))) / 2**31 - 1


def set_hashed_weights(model):
    start = 0
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        values = []
        for weight in layer.weights:
            size = int(np.prod(weight.shape))
            if len(weight.shape) < 2:
                values.append(np.zeros(weight.shape, "float32"))
            else:
                scale = np.sqrt(3 / (size / weight.shape[-1]))
                values.append((hashed(start, size) * scale).astype("float32").reshape(weight.shape))
            start += size
        layer.set_weights(values)


def conv(name, filters, size, padding="same", strides=1, activation="relu"):
    return layers.Conv2D(filters, size, strides, padding, activation=activation, name=name)


def lenet5():
    x = image = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D(2)(conv("c1", 6, 5)(x))
    x = layers.MaxPooling2D(2)(conv("c2", 16, 5, "valid")(x))
    x = layers.Dense(120, "relu", name="d1")(layers.Flatten()(x))
    x = layers.Dense(84, "relu", name="d2")(x)
    return keras.Model(image, layers.Dense(10, name="d3")(x)), 10, keras.optimizers.SGD(0.01)


def inception():
    image = keras.Input((32, 32, 3))
    branches = [
        conv("b1", 16, 1, strides=2)(image),
        conv("b2b", 16, 3, strides=2)(conv("b2a", 16, 1)(image)),
        conv("b3b", 16, 5, strides=2)(conv("b3a", 16, 1)(image)),
        conv("b4", 16, 1)(layers.MaxPooling2D(3, 2, "same")(image)),
    ]
    x = layers.Dense(512, "relu", name="d1")(layers.Flatten()(layers.Concatenate()(branches)))
    return keras.Model(image, layers.Dense(10, name="d2")(x)), 10, keras.optimizers.Adam(1e-3)


def residual_stack():
    x = image = keras.Input((32, 32, 3))
    for block, (filters, pool) in enumerate([(32, True), (64, True), (128, False)]):
        y = conv(f"r{block}b", filters, 3)(conv(f"r{block}a", filters, 3)(x))
        if pool:
            y = layers.MaxPooling2D(2, padding="same")(y)
        short = conv(f"r{block}s", filters, 1, strides=2 if pool else 1, activation=None)(x)
        x = layers.Add()([y, short])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(2, name="d1")(x)), 2, keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)


golden = {}
for name, make in {"lenet5": lenet5, "inception-cifar10": inception, "residual-stack": residual_stack}.items():
    model, classes, optimizer = make()
    set_hashed_weights(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    losses = []
    for step in range(STEPS):
        shape = (BATCH, *model.input_shape[1:])
        seed = step % 4
        images = np.trunc(128 + 127 * hashed(seed * 1_000_000, int(np.prod(shape)))).astype("float32").reshape(shape) / np.float32(255)
        labels = np.array([(i * 7 + seed) % classes for i in range(BATCH)])
        losses.append(float(model.train_on_batch(images, labels)))
        model.reset_metrics()
    golden[name] = {"parameters": model.count_params(), "losses": losses}

OUT.write_text(json.dumps({"madeBy": "tools/golden/graph-keras.py", "keras": keras.__version__, "networks": golden}, indent=1))
