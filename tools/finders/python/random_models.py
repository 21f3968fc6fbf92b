"""Writes random models of Keras 3 or Keras 2 as .keras and .h5, with an input and Keras' own outputs, and a list of them.

python random_models.py keras|tf_keras FOLDER SEED COUNT. A file that Keras itself does not read back to its numbers is left out.
"""

import importlib
import json
import os
import random
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

library, folder, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
keras = importlib.import_module(library)
L = keras.layers
is_keras3 = library == "keras"
draw = random.Random()
most_elements = 4000


def pick(*choices):
    return draw.choice(choices)


def maybe(share=0.5):
    return draw.random() < share


def activation():
    return pick("relu", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "swish", "gelu", "linear", "exponential", "mish")


def cell_options(cls):
    options = {"use_bias": maybe(0.8), "activation": pick("tanh", "relu", "sigmoid"), "dropout": pick(0, 0.2)}
    if cls in (L.LSTM, L.LSTMCell, L.GRU, L.GRUCell):
        options["recurrent_activation"] = pick("sigmoid", "hard_sigmoid")
    if cls in (L.GRU, L.GRUCell):
        options["reset_after"] = maybe()
    return options


def cell():
    cls = pick(L.LSTMCell, L.GRUCell, L.SimpleRNNCell)
    return cls(draw.randint(1, 4), **cell_options(cls))


def recurrent(returns_steps):
    kind = pick("plain", "plain", "cell", "stack", "both")
    shared = {"return_sequences": returns_steps, "go_backwards": maybe(0.25)}
    if kind == "cell":
        return L.RNN(cell(), **shared)
    if kind == "stack":
        return L.RNN([cell() for _ in range(draw.randint(1, 3))], **shared)
    cls = pick(L.LSTM, L.GRU, L.SimpleRNN)
    if kind == "both":
        inner = cls(draw.randint(1, 4), return_sequences=returns_steps, **cell_options(cls))
        return L.Bidirectional(inner, merge_mode=pick("concat", "sum", "mul", "ave"))
    return cls(draw.randint(1, 4), **shared, **cell_options(cls))


def window(rank):
    sizes = lambda low, high: pick(draw.randint(low, high), tuple(draw.randint(low, high) for _ in range(rank)))
    strides = pick(1, 1, sizes(1, 2))
    return {"kernel_size": sizes(1, 3), "strides": strides, "padding": pick("same", "valid")}


def filtered(rank, channels):
    """Layers with kernels, for sequences or for images."""
    made = {"activation": activation(), "use_bias": maybe(0.8)}
    square = {**window(rank), "strides": pick(1, 2)}
    dilated = {**window(rank), "strides": 1, "dilation_rate": pick(1, 2)}
    named = lambda name: getattr(L, name.replace("?", str(rank)))
    groups = pick(1, channels)
    choices = [
        lambda: named("Conv?D")(draw.randint(1, 3) * groups, groups=groups, **pick(window(rank), dilated), **made),
        lambda: named("SeparableConv?D")(draw.randint(1, 4), depth_multiplier=pick(1, 2), **square, **made),
        lambda: named("DepthwiseConv?D")(depth_multiplier=pick(1, 3), **square, **made),
        lambda: named("Conv?DTranspose")(draw.randint(1, 4), **window(rank), **made),
        lambda: L.Dense(draw.randint(1, 5), **made),
    ]
    if not is_keras3:
        local = {"kernel_size": draw.randint(1, 3), "implementation": pick(1, 2, 3)}
        choices.append(lambda: named("LocallyConnected?D")(draw.randint(1, 3), **local, **made))
    return pick(*choices)()


def unfiltered(rank, channels):
    """Layers without kernels, for sequences or for images."""
    named = lambda name: getattr(L, name.replace("?", str(rank)))
    axis = pick(-1, -1, *range(1, rank + 1))
    pool = {"pool_size": draw.randint(1, 3), "strides": pick(None, 1, 2), "padding": pick("same", "valid")}
    switches = {"center": maybe(0.8), "scale": maybe(0.8)}
    return pick(
        lambda: named("MaxPooling?D")(**pool),
        lambda: named("AveragePooling?D")(**pool),
        lambda: named("ZeroPadding?D")(draw.randint(1, 2)),
        lambda: named("Cropping?D")(1),
        lambda: named("UpSampling?D")(2),
        lambda: L.BatchNormalization(axis=axis, epsilon=pick(1e-3, 1e-2), **switches),
        lambda: L.LayerNormalization(axis=pick(axis, [rank, rank + 1]), **switches),
        lambda: L.GroupNormalization(groups=pick(1, -1, channels)),
        lambda: L.UnitNormalization(axis=axis),
        lambda: L.Activation(activation()),
        lambda: L.PReLU(shared_axes=pick(None, [1])),
        lambda: L.ReLU(max_value=pick(None, 3.0), negative_slope=pick(0.0, 0.2), threshold=pick(0.0, 0.3)),
        lambda: L.Softmax(axis=axis),
        lambda: L.Dropout(0.3),
        lambda: L.Masking(0.5),
        lambda: L.Rescaling(pick(0.5, 2.0), offset=pick(0.0, -0.5)),
        lambda: L.TimeDistributed(pick(L.Dense(3), L.LayerNormalization(), L.Activation(activation()))),
    )()


def is_small(x):
    sizes = x.shape[1:]
    return len(sizes) in (2, 3) and all(sizes) and np.prod(sizes) < most_elements


def step(x):
    """The tensor after one more layer, and the layer; drawn anew until one fits."""
    for _ in range(20):
        rank = len(x.shape) - 2
        makers = [lambda: filtered(rank, x.shape[-1]), lambda: unfiltered(rank, x.shape[-1])]
        if rank == 1:
            makers.append(lambda: recurrent(True))
        else:
            makers.append(lambda: L.TimeDistributed(recurrent(True)))
        try:
            layer = pick(*makers)()
            y = layer(x)
        except Exception:
            continue
        if is_small(y):
            return y, layer
    return x, None


def chain(x, length):
    for _ in range(length):
        x, _ = step(x)
    return x


def joined(a, b):
    if tuple(a.shape) == tuple(b.shape):
        return pick(L.Add(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(), L.Subtract(), L.Concatenate())([a, b])
    return L.Concatenate()([a, b])


def within(shape):
    """A model to put within another."""
    inner = keras.Input(shape)
    return keras.Model(inner, L.Activation(activation())(chain(inner, draw.randint(1, 3))), name=pick("base", "inner"))


def grown(x):
    """The tensor after a layer, a model once or twice, branches, or a layer that is called twice."""
    kind = pick("layer", "model", "twice", "branches", "shared", "steps")
    if kind == "layer":
        return step(x)[0]
    if kind == "branches":
        return joined(step(x)[0], step(x)[0])
    other = L.Activation("tanh")(x)
    if kind == "shared":
        y, layer = step(x)
        return y if layer is None else joined(y, layer(other))
    if kind == "steps" and len(x.shape) == 4:
        return L.TimeDistributed(within(tuple(x.shape[2:])))(x)
    model = within(tuple(x.shape[1:]))
    return joined(model(x), model(other)) if kind == "twice" else model(x)


def network():
    x = keras.Input(pick((9, 4), (12, 3), (7, 2), (8, 9, 3), (9, 11, 2), (6, 7, 4)), name=pick("x", "image"))
    y, outputs = chain(x, draw.randint(1, 3)), []
    for _ in range(draw.randint(1, 3)):
        try:
            z = grown(y)
        except Exception:
            continue
        if is_small(z):
            y = z
        if maybe(0.15):
            outputs.append(y)
    rank = len(y.shape) - 2
    ends = [getattr(L, f"GlobalAveragePooling{rank}D")(), getattr(L, f"GlobalMaxPooling{rank}D")(), L.Flatten()]
    if rank == 1:
        ends.append(recurrent(False))
    outputs.append(L.Dense(draw.randint(1, 4), activation=pick(None, "softmax", "sigmoid"))(pick(*ends)(y)))
    return keras.Model(x, outputs if len(outputs) > 1 else outputs[0])


def answers(model, x):
    found = model.predict(x, verbose=0)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def fill(model, numbers):
    for weight in model.weights:
        if "float32" not in str(weight.dtype):
            continue
        is_variance = "variance" in weight.name
        values = numbers.uniform(0.5, 2, weight.shape) if is_variance else numbers.normal(0, 0.5, weight.shape)
        weight.assign(values.astype("float32"))


os.makedirs(folder, exist_ok=True)
cases = []
for index in range(count):
    draw.seed(seed * 100_003 + index)
    numbers = np.random.default_rng(seed * 100_003 + index)
    keras.backend.clear_session()
    try:
        model = network()
        fill(model, numbers)
        x = numbers.normal(0, 1, (2, *model.inputs[0].shape[1:])).astype("float32")
        outputs = answers(model, x)
    except Exception:
        continue
    if not all(np.isfinite(each).all() and np.abs(each).max() < 1e4 for each in outputs):
        continue
    name = f"{library}-{seed}-{index}"
    np.save(f"{folder}/{name}.x.npy", x)
    names = [f"{name}.y{place}.npy" for place in range(len(outputs))]
    for path, values in zip(names, outputs):
        np.save(f"{folder}/{path}", np.ascontiguousarray(values, dtype="float32"))
    for ending in ("keras", "h5"):
        try:
            model.save(f"{folder}/{name}.{ending}")
            again = answers(keras.models.load_model(f"{folder}/{name}.{ending}", compile=False), x)
            is_whole = all(np.allclose(a, b, atol=1e-5, rtol=1e-4) for a, b in zip(outputs, again))
        except Exception:
            is_whole = False
        if is_whole:
            file = {"id": f"{name}.{ending}", "file": f"{name}.{ending}", "inputs": [f"{name}.x.npy"], "outputs": names}
            cases.append({**file, "refuse": False, "tolerance": 1e-4})
with open(f"{folder}/cases.json", "w") as out:
    json.dump(cases, out)
