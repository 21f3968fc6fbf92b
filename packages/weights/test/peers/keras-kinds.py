"""Small Keras models, each of one layer, option or habit: writes NAME.keras and NAME.h5 with inputs and outputs into a folder.

Prints a JSON list of {name, file, inputs, outputs}. A file that Keras itself does not read back to the same numbers is left out.
"""
import json
import pathlib
import sys

import keras
import numpy as np
from keras import Input, Model, Sequential, layers as L, ops

out = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(3)
MAP, ROW = (9, 11, 3), (12, 4)
cases = {}


def case(name, build):
    cases[name] = build


def row(*layers, shape=MAP):
    return Sequential([Input(shape), *layers])


def of(function, shape=MAP):
    x = Input(shape)
    return Model(x, function(x))


def base():
    x = Input(MAP)
    y = L.BatchNormalization(name="bn")(L.Conv2D(4, 3, name="conv")(x))
    return Model(x, L.Conv2D(3, 1, name="last")(y), name="base")


def called_twice(join):
    inner, a, b = base(), Input(MAP), Input(MAP)
    return Model([a, b], join(inner(a), inner(b)))


def namesakes():
    inner = Sequential([Input((6,)), L.Dense(6, name="dense")], name="inner")
    x = Input((6,))
    return Model(x, L.Dense(6, name="dense")(inner(x)))


def by_name():
    a, b = Input(MAP, name="left"), Input(MAP, name="right")
    y = L.Subtract()([L.Conv2D(4, 3)(a), L.Conv2D(4, 3)(b)])
    return Model({"right": b, "left": a}, {"z": L.Dense(3)(y), "a": L.Dense(3)(y)})


def given_twice():
    x = Input((6,))
    y = L.Dense(4)(x)
    z = L.Dense(2)(y)
    return Model(x, [z, y, z])


def recurrent():
    return row(L.TimeDistributed(L.Conv2D(2, 3)), L.TimeDistributed(L.Flatten()), L.Bidirectional(L.GRU(3)), shape=(3, *MAP))


def wrapped_twice():
    clip = Input((3, *ROW))
    return Model(clip, [L.TimeDistributed(layer)(clip) for layer in (L.Bidirectional(L.GRU(3)), L.SpectralNormalization(L.Dense(2)))])


def attention():
    x = Input(ROW)
    return Model(x, L.MultiHeadAttention(2, 3)(x, x))


def heads(**call):
    def build():
        q, v, k = Input(ROW), Input(ROW), Input(ROW)
        options = {"attention_axes": (1,), "value_dim": 5, "output_shape": 6, "dropout": 0.2, "kernel_regularizer": "l2"}
        return Model([q, v, k], L.MultiHeadAttention(2, 3, **options)(query=q, key=k, value=v, **call))

    return build


def scores(layer):
    def build():
        q, v = Input(ROW), Input(ROW)
        return Model([q, v], layer([q, v], use_causal_mask=True, return_attention_scores=True))

    return build


def masked(layer):
    def build():
        x = Input((7,), dtype="int32")
        return Model(x, layer(L.Embedding(20, 5, mask_zero=True)(x)))

    return build


def both_masked(join):
    def build():
        x, y = Input((7,), dtype="int32"), Input((7,), dtype="int32")
        return Model([x, y], join(*(L.Embedding(20, 5, mask_zero=True)(t) for t in (x, y))))

    return build


def decoder(recurrent):
    def build():
        x, y = Input(ROW), Input(ROW)
        _, *states = recurrent(3, return_state=True)(x)
        return Model([x, y], recurrent(3, return_sequences=True, recurrent_activation="hard_sigmoid")(y, initial_state=states))

    return build


def given_mask():
    x, kept = Input(ROW), Input((ROW[0],), dtype="bool")
    return Model([x, kept], L.GRU(3)(x, mask=kept))


def plain_numbers():
    x = Input((), dtype="int32")
    return Model(x, L.Embedding(20, 4)(x))


def of_frames():
    inner = Sequential([Input(MAP), L.Conv2D(2, 3), L.BatchNormalization(), L.Flatten(), L.Dense(3)], name="inner")
    return row(L.TimeDistributed(inner), shape=(3, *MAP))


def back_and_forth():
    layers = L.LSTM(3), L.LSTM(3, go_backwards=True, activation="relu")
    return row(L.Bidirectional(layers[0], backward_layer=layers[1]), shape=ROW)


def words():
    x = Input((7,), dtype="int32")
    return Model(x, L.Dense(2)(L.GlobalMaxPooling1D()(L.Embedding(20, 6)(x))))


def odd_names():
    x = Input((6,), name="toString")
    y = L.Dense(4, name="__proto__")(L.Dense(5, name="constructor")(x))
    return Model(x, L.Dense(3, name="0 and more")(y))


case("nested_outputs", lambda: called_twice(lambda a, b: [a, b]))
case("nested_difference", lambda: called_twice(lambda a, b: L.Subtract()([a, b])))
case("namesakes", namesakes)
case("by_name", by_name)
case("given_twice", given_twice)
case("batch_statistics", lambda: of(lambda x: L.BatchNormalization()(L.Conv2D(3, 3)(x), training=True)))
case("group_axis", lambda: row(L.Conv2D(6, 3), L.GroupNormalization(3, axis=1), shape=(8, 8, 3)))
case("batch_axis", lambda: row(L.BatchNormalization(axis=1)))
case("keepdims", lambda: row(L.GlobalAveragePooling1D(keepdims=True), L.Dense(3), shape=ROW))
case("constraint", lambda: row(L.Conv2D(4, 3, kernel_constraint=keras.constraints.MaxNorm(0.5), bias_constraint="non_neg")))
case("causal", lambda: row(L.Conv1D(5, 3, padding="causal", dilation_rate=2), L.Conv1D(4, 2, groups=1, padding="causal"), shape=ROW))
case("grouped_sequence", lambda: row(L.Conv1D(6, 3, groups=2, strides=2, padding="same"), shape=ROW))
case("transposed_sequence", lambda: row(L.Conv1DTranspose(5, 3, strides=2, padding="same"), L.Conv1DTranspose(2, 4), shape=ROW))
case("separable_sequence", lambda: row(L.SeparableConv1D(5, 3, depth_multiplier=2, padding="same"), L.DepthwiseConv1D(3, strides=2), shape=ROW))
case("sides", lambda: row(L.ZeroPadding1D((1, 2)), L.Cropping1D(1), L.UpSampling1D(2), shape=ROW))
case("volumes", lambda: row(L.Conv3D(4, 3, padding="same"), L.ZeroPadding3D(1), L.AveragePooling3D(2), L.GlobalMaxPooling3D(), shape=(4, 6, 6, 2)))
case("adaptive", lambda: row(L.AdaptiveMaxPooling2D((3, 4))))
case("recurrent", recurrent)
case("wrapped_twice", wrapped_twice)
case("wrapped_cells", lambda: row(L.TimeDistributed(L.RNN([L.LSTMCell(3), L.GRUCell(2)])), shape=(3, *ROW)))
case("attention", attention)
case("words", words)
case("odd_names", odd_names)
case("bicubic", lambda: row(L.UpSampling2D(2, interpolation="bicubic"), L.Resizing(7, 5, interpolation="bicubic")))
case("cropped", lambda: row(L.Resizing(6, 6, crop_to_aspect_ratio=True)))
case("fitted", lambda: row(L.Resizing(6, 12, pad_to_aspect_ratio=True)))
case("free_size", lambda: row(L.Reshape((-1, 3)), L.Permute((2, 1)), L.Flatten(), L.Dense(2)))
case("root_mean_square", lambda: row(L.RMSNormalization()))
case("activation_layer", lambda: row(L.Dense(4, activation=L.PReLU()), L.Dense(3, activation="sparse_plus")))
case("channels_first", lambda: row(L.ZeroPadding2D(1, data_format="channels_first"), L.Flatten(data_format="channels_first"), shape=(3, 5, 4)))

case("heads_by_name", heads())
case("heads_causal", heads(use_causal_mask=True, return_attention_scores=True))
case("head_axes", lambda: of(lambda x: L.MultiHeadAttention(2, 3, attention_axes=(2,), use_bias=False)(x, x)))
case("grouped_heads", lambda: of(lambda x: L.GroupQueryAttention(3, 4, 2)(x, x), ROW))
case("scores", scores(L.Attention(use_scale=True)))
case("scores_concat", scores(L.Attention(score_mode="concat", use_scale=True)))
case("scores_add", scores(L.AdditiveAttention()))
case("masked_lstm", masked(L.LSTM(3, dropout=0.2)))
case("masked_gru", masked(L.GRU(3, return_sequences=True)))
case("masked_both_ways", masked(L.Bidirectional(L.LSTM(3, return_sequences=True))))
case("value_mask", lambda: of(lambda x: L.Attention()([x, x], mask=[None, ops.greater(x[..., 0], 0)]), ROW))
# The activations as operations end the mask, which the layers of the same name would keep.
case("masked_operations", masked(lambda x: L.LSTM(3)(ops.relu(ops.softmax(x)))))
case("masked_mean", masked(L.GlobalAveragePooling1D()))
case("masked_scores", both_masked(lambda a, b: L.Attention()([a, b])))
case("masked_heads", both_masked(lambda a, b: L.MultiHeadAttention(2, 3)(a, b)))
# The convolution ends the mask of one branch; the other branch never has one.
case("masked_branches", both_masked(lambda a, b: L.Concatenate()([L.LSTM(3)(L.Conv1D(4, 3, padding="same")(a)), L.GRU(3)(b * 2.0)])))
case("states_lstm", decoder(L.LSTM))
case("states_gru", decoder(L.GRU))
case("back_and_forth", back_and_forth)
case("cell", lambda: row(L.RNN(L.GRUCell(3), return_sequences=True), shape=ROW))
case("cells", lambda: row(L.RNN([L.LSTMCell(3), L.GRUCell(4), L.LSTMCell(2)], return_sequences=True), shape=ROW))
case("masked_zeros", masked(L.LSTM(3, return_sequences=True, zero_output_for_mask=True)))
case("given_mask", given_mask)
case("plain_numbers", plain_numbers)
case("rows_in_time", lambda: row(L.ConvLSTM1D(3, 3, padding="same", return_sequences=True, go_backwards=True), L.ConvLSTM1D(2, 2, strides=2, activation="relu"), shape=(4, 9, 2)))
case("volumes_in_time", lambda: row(L.ConvLSTM3D(2, (1, 2, 3), dilation_rate=(1, 2, 1), recurrent_activation="hard_sigmoid"), shape=(3, 3, 5, 4, 2)))
case("pipeline", lambda: row(L.Pipeline([L.Rescaling(0.5, offset=1.0), L.CenterCrop(6, 7)]), L.Conv2D(2, 3)))
case("frames", of_frames)
case("spectral", lambda: row(L.SpectralNormalization(L.Conv2D(4, 3)), L.SpectralNormalization(L.Dense(3))))
case("einsum_dense", lambda: row(L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), L.EinsumDense("...x,xy->...y", 4), shape=ROW))
case("volume_options", lambda: row(L.Conv3D(4, 3, groups=2, dilation_rate=2, padding="same"), L.BatchNormalization(), L.Conv3DTranspose(2, 3, strides=2, padding="same", output_padding=1), shape=(4, 5, 6, 2)))
case("penalties", lambda: row(L.SeparableConv1D(4, 3, depthwise_regularizer="l2", activity_regularizer="l1"), L.Conv1DTranspose(2, 3, kernel_regularizer="l2"), shape=ROW))
case("encoded", lambda: row(L.Discretization(bin_boundaries=[-1.0, 0.0, 1.0], output_mode="multi_hot"), L.Flatten(), shape=(4,)))
case("given_statistics", lambda: row(L.Normalization(axis=1, mean=list(range(9)), variance=list(range(1, 10)))))
case("filters", lambda: row(L.Resizing(15, 6, interpolation="lanczos3"), L.Resizing(5, 4, antialias=True), L.Resizing(3, 3, interpolation="area")))
case("cropped_above", lambda: row(L.CenterCrop(12, 16), L.RandomCrop(5, 6), L.AutoContrast()))
case("gated", lambda: row(L.Conv2D(4, 3, activation="glu")))

for name, function in {
    "norms": lambda x: ops.norm(x, ord=np.inf, axis=-1) + ops.norm(x, ord=1, axis=-1) + ops.median(x, axis=-1),
    "convolved": lambda x: ops.conv(x, np.arange(54, dtype="float32").reshape(3, 3, 3, 2) * 0.01, strides=2, padding="same"),
    "normalized": lambda x: ops.layer_normalization(ops.batch_normalization(x, np.ones(3, "float32"), np.full(3, 2.0, "float32"), axis=-1, scale=np.full(3, 3.0, "float32"))),
    "sorted": lambda x: ops.sort(x, axis=2) + ops.take(ops.top_k(x, 3)[0], [2, 0, 1], axis=3) + ops.tril(x),
    "patches": lambda x: ops.image.extract_patches(ops.image.pad_images(x, 1, 2, target_height=14, target_width=16), (3, 2)),
    "outer": lambda x: ops.tensordot(x, np.ones((3, 4), "float32"), axes=1) + ops.einsum("...c,cd->...d", x, np.ones((3, 4), "float32")),
    "rounded": lambda x: ops.round(x, 1) + ops.trunc(x) + ops.exp2(x) + ops.logaddexp(x, 0.5) + ops.diff(x, axis=1)[:, :1],
    "divided_into": lambda x: 1 / (x * x + 1),
    "vector": lambda x: (x - np.array([1.0, 2.0, 3.0], "float32")) * np.array([[[[2.0, 3.0, 4.0]]]], "float32"),
    "tensor_constant": lambda x: x + np.arange(99, dtype="float32").reshape(1, 9, 11, 1),
    "channel_mean": lambda x: ops.mean(x, axis=-1, keepdims=True),
    "deviation": lambda x: ops.std(x, axis=(1, 2)) + ops.var(x, axis=1)[:, 0],
    "largest": lambda x: ops.argmax(x, axis=-1),
    "logarithms": lambda x: ops.logsumexp(x, axis=-1) + ops.log1p(ops.abs(x))[..., 0],
    "flipped": lambda x: ops.flip(x, axis=2)[:, ::-1, 1:-1],
    "picked": lambda x: x[:, 1:-1:2, ::-1, 1],
    "split": lambda x: ops.split(x, 3, axis=-1)[1],
    "product": lambda x: ops.matmul(x, ops.transpose(x, (0, 1, 3, 2))),
    "sum": lambda x: ops.einsum("nhwc,nhwd->ncd", x, ops.tanh(x)),
    "reflected": lambda x: ops.pad(x, [[0, 0], [2, 1], [1, 3], [0, 0]], mode="reflect"),
    "tiled": lambda x: ops.tile(ops.expand_dims(x, 1), (1, 2, 1, 1, 1)),
    "resized": lambda x: ops.image.resize(x, (5, 6)),
    "pooled": lambda x: ops.max_pool(x, 2, padding="same") + ops.average_pool(x, 2, padding="same"),
    "over_volumes": lambda x: ops.mean(ops.reshape(x, (-1, 3, 3, 11, 3)), axis=(1, 2)) + ops.max(ops.reshape(x, (-1, 27, 11)), axis=(1, 2), keepdims=True),
    "into_the_batch": lambda x: ops.reshape(L.Dense(4)(ops.reshape(x, (-1, 3))), (-1, 9, 11, 4)),
    "of_more_axes": lambda x: ops.mean(x, axis=(1, 2)) * np.array([[[1.0, 2.0, 3.0]]], "float32") + x[..., :1, 0:1] * np.array([1.0, 2.0, 3.0], "float32"),
    "ordered": lambda x: ops.quantile(x, 0.3, axis=1, keepdims=True) + ops.cast(ops.searchsorted(np.array([-1.0, 0.0], "float32"), ops.ravel(x))[0], "float32") + ops.sparsemax(x, axis=2),
    "updated": lambda x: ops.slice_update(x, (0, 1, 2, 0), x[:, :2, :3] * 2) + ops.select([x > 1, x > 0], [x, x * 2], 0.1) + ops.full_like(x, 3.0),
    "crossed": lambda x: ops.cross(x, ops.flip(x, 1)) + ops.inner(x, np.arange(9, dtype="float32").reshape(3, 3)),
    "colors": lambda x: ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(ops.sigmoid(x)) * 0.9) + ops.image.gaussian_blur(x, (3, 5), (1.0, 2.0)),
    "chosen": lambda x: ops.where(x > 0, x, ops.exp(x) - 1),
    "bounded": lambda x: ops.minimum(ops.maximum(x, -0.3), ops.sigmoid(x)),
    "moved": lambda x: ops.moveaxis(x, 3, 1) + ops.swapaxes(ops.transpose(x, (0, 3, 2, 1)), 2, 3),
    "unit": lambda x: ops.normalize(x, axis=-1) + ops.softmax(x, axis=1) + ops.erf(x) + ops.floor(x),
    "caffe": keras.applications.vgg16.preprocess_input,
    "scaled": keras.applications.mobilenet.preprocess_input,
    "torch": keras.applications.densenet.preprocess_input,
}.items():
    case(name, lambda function=function: of(function))


def answers(model, inputs):
    x = inputs[0] if len(inputs) == 1 else inputs
    if isinstance(model._inputs_struct if hasattr(model, "_inputs_struct") else None, dict):
        x = {t.name: value for t, value in zip(model.inputs, inputs)}
    return [np.asarray(y, "float32") for y in keras.tree.flatten(model(x))]


@keras.saving.register_keras_serializable("mine")
class LayerScale(L.Layer):
    def build(self, shape):
        self.gamma = self.add_weight(shape=(shape[-1],), name="gamma")

    def call(self, x):
        return x + x * self.gamma


@keras.saving.register_keras_serializable("mine")
def gelu(x):
    return x * 2.0


# Read with the user's class and function.
case("of_user", lambda: row(LayerScale(), L.Dense(3, activation=gelu)))

entries = []
for name, build in cases.items():
    model = build()
    for weight in model.weights:
        shape = weight.shape
        positive = "variance" in weight.path or "gamma" in weight.path
        weight.assign(rng.uniform(0.5, 1.5, shape) if positive else rng.normal(0, 0.3, shape))
    inputs = [
        rng.normal(0, 1, (2, *t.shape[1:])) > 0 if t.dtype == "bool" else (rng.integers(0, 3 if name.startswith("masked") else 20, (2, *t.shape[1:])) if t.dtype == "int32" else rng.normal(0, 1, (2, *t.shape[1:]))).astype("float32")
        for t in model.inputs
    ]
    outputs = answers(model, inputs)
    for kind, arrays in (("x", inputs), ("y", outputs)):
        for index, array in enumerate(arrays):
            np.save(out / f"{name}.{kind}{index}.npy", np.ascontiguousarray(array))
    for ending in ("keras", "h5"):
        try:
            model.save(out / f"{name}.{ending}")
            again = answers(keras.models.load_model(out / f"{name}.{ending}", compile=False), inputs)
        except Exception:
            continue
        if all(np.allclose(a, b, atol=1e-5) for a, b in zip(again, outputs)):
            entries.append({"name": name, "file": f"{name}.{ending}", "inputs": len(inputs), "outputs": len(outputs)})
print(json.dumps(entries))
