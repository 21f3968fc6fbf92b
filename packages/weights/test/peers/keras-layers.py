"""Saves models of every Keras layer that a CNN uses, with random weights, an input and Keras' own output. Argument: a folder."""
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras.src.applications import convnext

out = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(0)


def randomise(model):
    for weight in model.weights:
        value = rng.normal(0, 0.4, weight.shape)
        if weight.name.endswith("variance"):
            value = np.abs(value) + 0.5
        if weight.name != "count":
            weight.assign(value)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def answer(model, x):
    try:
        return model(x, training=False)
    except tf.errors.InvalidArgumentError:
        # Without oneDNN TensorFlow has no kernel for some dilations on a processor; its compiler has.
        return tf.function(lambda x: model(x, training=False), jit_compile=True)(x)


def save(name, model, shape, h5=True):
    randomise(model)
    x = rng.uniform(-1, 1, (2, *shape)).astype("float32")
    np.save(out / f"{name}.x.npy", x)
    np.save(out / f"{name}.y.npy", np.asarray(answer(model, x), "float32"))
    try:
        if h5:
            model.save(out / f"{name}.h5")
    except TypeError:
        # Keras cannot write its own contrast and brightness layers as .h5.
        (out / f"{name}.h5").unlink(missing_ok=True)
    model.save(out / f"{name}.keras")
    model.save_weights(out / f"{name}.weights.h5")


def functional(make, shape=(12, 12, 4)):
    image = keras.Input(shape, name="image")
    return keras.Model(image, make(image), name="net"), shape


def single(layer, shape=(12, 12, 4)):
    return functional(lambda x: layer(x), shape)


def convolutions(x):
    x = L.Rescaling(1 / 127.5, offset=-1)(x)
    x = L.ZeroPadding2D(((1, 2), (0, 1)))(x)
    x = L.Conv2D(6, (3, 2), strides=2, padding="valid", activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4))(x)
    x = L.BatchNormalization(scale=False, epsilon=1e-3)(x)
    x = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False)(x)
    x = L.ReLU(6.0)(x)
    x = L.SeparableConv2D(8, 3, padding="same", strides=1, depth_multiplier=2, activation="silu")(x)
    x = L.Conv2D(8, 3, padding="same", groups=4, kernel_initializer="he_normal")(x)
    x = L.Conv2D(8, 3, padding="same", dilation_rate=2)(x)
    x = L.Conv2DTranspose(5, 3, strides=2, padding="same", activation="tanh")(x)
    x = L.Cropping2D(((1, 1), (2, 0)))(x)
    return L.Dense(3, activation="sigmoid")(x)


def merges(x):
    a = L.Conv2D(4, 1)(x)
    b = L.Conv2D(4, 1)(x)
    parts = [
        L.Add()([a, b, x]),
        L.Multiply()([a, b]),
        L.Average()([a, b]),
        L.Maximum()([a, b]),
        L.Minimum()([a, b]),
        L.Subtract()([a, b]),
        a + b,
        a * 0.5 + 3.0,
        2.0 - b,
        b / 4.0,
        keras.ops.relu6(a * 3.0),
        keras.ops.silu(b),
        b * b,
    ]
    return L.Concatenate(axis=-1)(parts)


def powers(x):
    return L.Conv2D(2, 3)((x + 2.0) ** 0.5)


def activations(x):
    names = ["relu", "relu6", "elu", "selu", "sigmoid", "hard_sigmoid", "softmax", "softplus", "softsign", "tanh", "mish", "gelu", "silu", "swish", "exponential", "leaky_relu", "hard_silu", "log_softmax"]
    return L.Concatenate()([L.Activation(name)(x) for name in names] + [L.LeakyReLU(0.1)(x), L.ELU(0.7)(x), L.PReLU(shared_axes=[1, 2])(x), L.Softmax()(x), L.ReLU(negative_slope=0.3)(x), L.ReLU(max_value=0.5)(x)])


def pools(x):
    a = L.MaxPooling2D(3, strides=2, padding="same")(x)
    b = L.AveragePooling2D((3, 2), strides=2, padding="same")(x)
    c = L.MaxPooling2D(2)(x)
    y = L.Concatenate()([a, b, c])
    y = L.UpSampling2D((2, 3))(y)
    y = L.UpSampling2D(2, interpolation="bilinear")(y)
    y = L.Resizing(9, 7)(y)
    squeeze = L.GlobalAveragePooling2D(keepdims=True)(y)
    squeeze = L.Conv2D(12, 1, activation="hard_sigmoid")(squeeze)
    y = L.Multiply()([y, squeeze])
    flat = [L.GlobalAveragePooling2D()(y), L.GlobalMaxPooling2D()(y), L.Flatten()(L.GlobalMaxPooling2D(keepdims=True)(y))]
    return L.Dense(3)(L.Concatenate()(flat))


def augmentations(x):
    x = L.RandomFlip("horizontal")(x)
    x = L.RandomRotation(0.1)(x)
    x = L.RandomZoom(0.2)(x)
    x = L.RandomTranslation(0.1, 0.1)(x)
    x = L.RandomContrast(0.2)(x)
    x = L.RandomBrightness(0.2)(x)
    x = L.GaussianNoise(0.1)(x)
    x = L.SpatialDropout2D(0.2)(x)
    x = L.GaussianDropout(0.2)(x)
    x = L.AlphaDropout(0.2)(x)
    x = L.Dropout(0.2)(x)
    x = L.ActivityRegularization(l2=0.1)(x)
    x = L.Identity()(x)
    return L.Conv2D(2, 3)(x)


def shapes(x):
    x = L.Permute((2, 1, 3))(x)
    x = L.Reshape((6, 24, 4))(x)
    x = L.LayerNormalization()(x)
    x = L.GroupNormalization(groups=2)(x)
    x = L.CenterCrop(4, 10)(x)
    x = L.Flatten()(x)
    return L.Dense(4, activation="softmax")(x)


def dilations(x):
    x = L.DepthwiseConv2D(3, dilation_rate=2, padding="same", depth_multiplier=2)(x)
    x = L.DepthwiseConv2D((3, 2), dilation_rate=(2, 1), use_bias=False, activation="relu")(x)
    x = L.SeparableConv2D(6, 3, dilation_rate=2, padding="same")(x)
    x = L.Conv2DTranspose(5, 3, dilation_rate=2)(x)
    x = L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1)(x)
    x = L.Conv2DTranspose(3, (3, 4), strides=2, output_padding=(0, 1), activation="tanh")(x)
    x = L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=0)(x)
    return L.Concatenate(axis=-2)([x, L.Conv2D(3, 1)(x)])


def bends(x):
    parts = [
        L.ReLU(max_value=1.0, negative_slope=0.1)(x),
        L.ReLU(max_value=0.8, negative_slope=0.2, threshold=0.3)(x),
        L.ReLU(threshold=0.5)(x),
        L.Softmax(axis=1)(x),
        L.Softmax(axis=[1, 2])(x),
        L.UnitNormalization()(x),
        L.UnitNormalization(axis=[1, 2])(x),
        L.Conv2D(3, 1, activation=L.LeakyReLU(0.1))(x),
        L.Conv2D(3, 1, activation=L.ReLU(max_value=0.5))(x),
        L.Conv2D(3, 1, activation="hard_sigmoid")(x),
    ]
    names = ["celu", "hard_shrink", "hard_tanh", "log_sigmoid", "soft_shrink", "squareplus", "tanh_shrink"]
    return L.Concatenate()(parts + [L.Activation(name)(x) for name in names])


def operations(x):
    ops = keras.ops
    parts = [
        ops.softmax(x, axis=1),
        ops.log_softmax(x),
        ops.elu(x, alpha=0.5),
        ops.leaky_relu(x, negative_slope=0.1),
        ops.exp(x),
        ops.reciprocal(x + 3.0),
        ops.transpose(ops.reshape(x, (-1, 4, 12, 12)), (0, 3, 2, 1)),
        ops.mean(x, axis=[1, 2], keepdims=True) * x,
        ops.max(x, axis=(1, 2), keepdims=True) * x,
    ]
    y = ops.concatenate(parts, axis=-1)
    return L.Conv2D(2, 3)(ops.pad(y, [[0, 0], [1, 2], [0, 1], [0, 0]]))


def roots(x):
    ops = keras.ops
    return L.Concatenate()([ops.square(x), ops.sqrt(x + 2.0), ops.rsqrt(x + 2.0)])


def gelus(x):
    return L.Concatenate()([keras.ops.gelu(x), keras.ops.gelu(x, approximate=False)])


def pieces(x):
    ops = keras.ops
    y = keras.applications.resnet50.preprocess_input(x[..., :3])
    y = (y / 255.0 - np.array([0.485, 0.456, 0.406], "float32")) / np.array([0.229, 0.224, 0.225], "float32")
    y = ops.clip(y, -1.5, 1.0)
    parts = [ops.maximum(y, 0.2), ops.minimum(y, 0.1), 3.0 - y * ops.convert_to_tensor([1.0, 2.0, 3.0])]
    y = L.Concatenate()(parts)[:, 1:-1, ::2, 1:7]
    flat = [y[:, 0, -1], y[:, -1, 0, :], ops.mean(y, axis=[1, 2]), y[:, ::-1][:, 0, 0]]
    return L.Dense(3)(L.Concatenate()(flat))


def rare_operations(x):
    ops = keras.ops
    kernel = rng.normal(0, 1, (3, 3, 4, 2)).astype("float32")
    four = lambda value: np.full(4, value, "float32")
    parts = [
        ops.conv(x, kernel, padding="same"),
        ops.depthwise_conv(x, kernel[..., :1], padding="same"),
        ops.separable_conv(x, kernel[..., :1], kernel[:1, :1], padding="same"),
        ops.image.extract_patches(x, (2, 2), strides=(1, 1), padding="same"),
        ops.batch_normalization(x, four(1.0), four(2.0), axis=-1, scale=four(3.0)),
        ops.average(x, axis=-1, weights=np.arange(1.0, 5.0, dtype="float32"))[..., None],
        ops.cast(ops.isclose(x, x + 1e-4, atol=1e-3), "float32"),
        ops.top_k(x, 2)[0],
        ops.diff(x, axis=-1),
        ops.median(x, axis=-1, keepdims=True),
        *(ops.glu(x), ops.exp2(x), ops.trunc(x * 3), ops.tril(x), ops.sort(x, axis=2), ops.hypot(x, x + 1.0), ops.nan_to_num(x)),
    ]
    return L.Concatenate()(parts)


def layer_scale(x):
    return convnext.LayerScale(0.1, 4)(x) + x


def predictions(x):
    x = L.RandomErasing()(x)
    x = L.RandomGaussianBlur(factor=0.5)(x)
    x = L.RandomSharpness(0.5)(x)
    return L.Conv2D(2, 3)(x)


for make in (convolutions, merges, powers, activations, pools, augmentations, shapes, dilations, bends, operations, roots, gelus, pieces, predictions):
    save(make.__name__, *functional(make))
# Keras itself does not read these from .h5.
for make in (rare_operations, layer_scale):
    save(make.__name__, *functional(make), h5=False)

norm = L.Normalization(axis=-1)
norm.adapt(rng.uniform(0, 9, (8, 12, 12, 4)).astype("float32"))
save("normalization", *single(norm))
for name, axis, invert in (("normalization_of_all", None, False), ("normalization_of_rows", (1, 3), False), ("normalization_back", -1, True)):
    norm = L.Normalization(axis=axis, invert=invert)
    norm.adapt(rng.uniform(0, 9, (8, 12, 12, 4)).astype("float32"))
    save(name, *single(norm))
save("normalization_given_back", *single(L.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 16.0], invert=True)))
save("normalization_given", *single(L.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 16.0])))

sequential = keras.Sequential([keras.Input((12, 12, 4)), L.Rescaling(2.0), L.Conv2D(3, 3, name="first"), L.BatchNormalization(), L.Activation("relu"), L.Flatten(), L.Dense(2)], name="row")
save("sequential", sequential, (12, 12, 4))

inner_image = keras.Input((12, 12, 4))
y = L.Conv2D(5, 3, name="inner_conv")(inner_image)
y = L.BatchNormalization(name="inner_bn")(y)
base = keras.Model(inner_image, y, name="base")
image = keras.Input((12, 12, 4), name="image")
y = L.Concatenate()([base(image), base(L.Rescaling(0.5)(image))])
y = keras.Sequential([keras.Input((10, 10, 10)), L.Conv2D(2, 1, name="tail_conv"), L.GlobalAveragePooling2D()], name="tail")(y)
save("nested", keras.Model(image, L.Dense(2, name="last")(y), name="outer"), (12, 12, 4))
