"""Outputs of Keras', torchvision's and timm's networks with weights that a formula gives, for packages/models/test/parity.test.ts.

    python tools/golden/models-parity.py [name ...]

writes packages/models/test/golden/<name>.json: the input's size and range, the kernels' gain, every layer's class and mean
absolute output, and the logits. Needs the peers' environment (pnpm bench setup).
"""

import base64
import json
import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np

OUT = os.path.join(os.path.dirname(__file__), "../../packages/models/test/golden")
U = np.uint32


# The formula, as in packages/core/src/random.ts.


def mix(x):
    h = x ^ (x >> U(16))
    h = h * U(0x21F0AAAD)
    h ^= h >> U(15)
    h = h * U(0x735A2D97)
    return h ^ (h >> U(15))


def hash_text(text):
    h = 0x811C9DC5
    for letter in text:
        h = ((h ^ ord(letter)) * 0x01000193) & 0xFFFFFFFF
    return mix(U(h))


def uniform(shape, low, high, name):
    length = int(np.prod(shape))
    with np.errstate(over="ignore"):
        start = mix(hash_text(name))
        bits = mix(start + np.arange(length, dtype=U) * U(0x9E3779B9))
    values = low + ((high - low) / 2**24) * (bits >> U(8)).astype(np.float64)
    return values.astype(np.float32).reshape(shape)


def fill(name, shape, gain):
    """The weight `layer/weight` in TensorFlow's layout."""
    kind = name.rsplit("/", 1)[1]
    if kind.endswith("kernel"):
        fan_in = np.prod(shape[:2]) if kind == "depthwise_kernel" else np.prod(shape[:-1])
        limit = np.sqrt(3 * gain / fan_in)
        return uniform(shape, -limit, limit, name)
    if kind in ("gamma", "moving_variance", "variance"):
        return uniform(shape, 0.5, 1.5, name)
    if kind == "count":
        return np.zeros(shape, np.int32)
    return uniform(shape, -0.1, 0.1, name)


def settle(logits_at):
    """The gain at which the logits are of the order of 1, so that an absolute difference means something."""
    low, high = 1e-3, 16.0
    for _ in range(20):
        gain = float(np.float32(np.sqrt(low * high)))
        with np.errstate(all="ignore"):
            size = float(np.sqrt(np.mean(np.square(logits_at(gain), dtype=np.float64))))
        if 0.5 <= size <= 3:
            break
        if size < 0.5:
            low = gain
        else:
            high = gain
    return gain


def write(name, data):
    with open(os.path.join(OUT, f"{name}.json"), "w") as file:
        json.dump(data, file, separators=(",", ":"))
        file.write("\n")
    logits = np.frombuffer(base64.b64decode(data["logits"]), np.float32)
    print(name, "gain", data["gain"], "std", logits.std(), len(data["layers"]), "layers", flush=True)


def pack(values):
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def short(value):
    return float(f"{float(value):.6g}")


# Keras


def keras_golden(name, build, size, high=1.0):
    import keras

    keras.backend.clear_session()
    model = build()
    shape = (2, *size)
    x = uniform(shape, -1.0 if high == 1.0 else 0.0, high, "input")

    def path(layer, weight):
        kind = weight.path.rsplit("/", 1)[1]
        # tfjs keeps the name that Keras 2 gave it.
        return f"{layer.name}/{'depthwise_kernel' if isinstance(layer, keras.layers.DepthwiseConv2D) and kind == 'kernel' else kind}"

    weights = [(path(layer, weight), weight) for layer in model.layers for weight in layer.weights]

    def logits_at(gain):
        for name, weight in weights:
            weight.assign(fill(name, tuple(weight.shape), gain))
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()
        return model(x, training=False).numpy()

    gain = settle(logits_at)
    logits = logits_at(gain)
    outputs = keras.Model(model.inputs, [layer.output for layer in model.layers])(x, training=False)
    layers = {layer.name: [type(layer).__name__, short(np.abs(y.numpy()).mean())] for layer, y in zip(model.layers, outputs)}
    write(name, {"peer": "keras", "size": size, "high": high, "gain": gain, "layers": layers, "logits": pack(logits)})


def keras_builds(odd=None):
    import keras
    from keras import applications as apps
    from keras import layers as L

    def app(make, size):
        return lambda: make(weights=None, input_shape=size, classifier_activation=None)

    s64, s71, s75 = (odd,) * 3 if odd else ((64, 64, 3), (71, 71, 3), (75, 75, 3))
    yield "vgg16", app(apps.VGG16, s64), s64, 1.0
    yield "vgg19", app(apps.VGG19, s64), s64, 1.0
    yield "resnet50", app(apps.ResNet50, s64), s64, 1.0
    yield "resnet101", app(apps.ResNet101, s64), s64, 1.0
    yield "resnet152", app(apps.ResNet152, s64), s64, 1.0
    yield "resnet50v2", app(apps.ResNet50V2, s64), s64, 1.0
    yield "resnet101v2", app(apps.ResNet101V2, s64), s64, 1.0
    yield "resnet152v2", app(apps.ResNet152V2, s64), s64, 1.0
    yield "inception-v3", app(apps.InceptionV3, s75), s75, 1.0
    yield "inception-resnet-v2", app(apps.InceptionResNetV2, s75), s75, 1.0
    yield "xception", app(apps.Xception, s71), s71, 1.0
    yield "mobilenet", app(apps.MobileNet, s64), s64, 1.0
    yield "mobilenet-v2", app(apps.MobileNetV2, s64), s64, 1.0
    yield "densenet121", app(apps.DenseNet121, s64), s64, 1.0
    yield "densenet169", app(apps.DenseNet169, s64), s64, 1.0
    yield "densenet201", app(apps.DenseNet201, s64), s64, 1.0
    yield "efficientnet-b0", app(apps.EfficientNetB0, s64), s64, 255.0
    yield "efficientnet-b1", app(apps.EfficientNetB1, s64), s64, 255.0
    yield "efficientnet-b2", app(apps.EfficientNetB2, s64), s64, 255.0
    yield "efficientnet-b3", app(apps.EfficientNetB3, s64), s64, 255.0
    yield "efficientnet-b4", app(apps.EfficientNetB4, s64), s64, 255.0
    yield "efficientnet-b5", app(apps.EfficientNetB5, s64), s64, 255.0
    yield "efficientnet-b6", app(apps.EfficientNetB6, s64), s64, 255.0
    yield "efficientnet-b7", app(apps.EfficientNetB7, s64), s64, 255.0

    if odd:
        return

    # The courses' networks, as their notebooks write them, under this repository's names.

    def conv(x, filters, kernel, name, **more):
        return L.Conv2D(filters, kernel, name=name, **{"activation": "relu", **more})(x)

    def lenet5():
        i = keras.Input((28, 28, 1), name="input_layer")
        x = conv(i, 6, 5, "conv1", padding="same")
        x = L.MaxPooling2D(name="pool1")(x)
        x = conv(x, 16, 5, "conv2")
        x = L.MaxPooling2D(name="pool2")(x)
        x = L.Flatten(name="flatten")(x)
        x = L.Dense(120, activation="relu", name="fc1")(x)
        x = L.Dense(84, activation="relu", name="fc2")(x)
        return keras.Model(i, L.Dense(10, name="fc3")(x))

    def simple_cnn():
        i = keras.Input((28, 28, 3), name="input_layer")
        x = L.MaxPooling2D(name="pool1")(L.Conv2D(32, 5, name="conv1")(i))
        return keras.Model(i, L.Dense(10, name="predictions")(L.Flatten(name="flatten")(x)))

    def inception_cifar():
        i = keras.Input((32, 32, 3), name="input_layer")
        a = conv(i, 16, 1, "a", strides=2)
        b = conv(conv(i, 16, 1, "b.reduce"), 16, 3, "b.conv", padding="same", strides=2)
        c = conv(conv(i, 16, 1, "c.reduce"), 16, 5, "c.conv", padding="same", strides=2)
        d = conv(L.MaxPooling2D(3, 2, "same", name="d.pool")(i), 16, 1, "d.conv")
        x = L.Flatten(name="flatten")(L.Concatenate(name="concat")([a, b, c, d]))
        x = L.Dense(512, activation="relu", name="fc1")(x)
        return keras.Model(i, L.Dense(10, name="predictions")(x))

    def resnet50_small():
        def block(x, f, name, reduce=False, s=1):
            short = x
            x = L.Conv2D(f, 1, strides=s, name=f"res{name}_branch2a")(x)
            x = L.Activation("relu", name=f"relu{name}_branch2a")(L.BatchNormalization(name=f"bn{name}_branch2a")(x))
            x = L.Conv2D(f, 3, padding="same", name=f"res{name}_branch2b")(x)
            x = L.Activation("relu", name=f"relu{name}_branch2b")(L.BatchNormalization(name=f"bn{name}_branch2b")(x))
            x = L.Conv2D(4 * f, 1, name=f"res{name}_branch2c")(x)
            x = L.BatchNormalization(name=f"bn{name}_branch2c")(x)
            if reduce:
                short = L.Conv2D(4 * f, 1, strides=s, name=f"res{name}_branch1")(short)
                short = L.BatchNormalization(name=f"bn{name}_branch1")(short)
            return L.Activation("relu", name=f"relu{name}")(L.Add(name=f"add{name}")([x, short]))

        i = keras.Input((32, 32, 3), name="input_layer")
        x = L.BatchNormalization(name="bn_conv1")(L.Conv2D(64, 7, strides=2, name="conv1")(i))
        x = L.MaxPooling2D(3, 2, name="max_pooling2d")(L.Activation("relu", name="activation")(x))
        for stage, letters, f, s in (("2", "abc", 64, 1), ("3", "abcd", 128, 2), ("4", "abcdef", 256, 2), ("5", "abc", 512, 2)):
            for letter in letters:
                x = block(x, f, stage + letter, letter == "a", s if letter == "a" else 1)
        x = L.Flatten(name="flatten")(L.AveragePooling2D(1, name="avg_pool")(x))
        return keras.Model(i, L.Dense(10, name="fc10")(x))

    def residual_stack():
        i = keras.Input((32, 32, 3), name="input_layer")
        x = L.Rescaling(1 / 255, name="rescaling")(i)
        for n, f, pool in ((1, 32, True), (2, 64, True), (3, 128, False)):
            short, at = x, f"block{n}"
            x = conv(x, f, 3, f"{at}.main.conv1", padding="same")
            x = conv(x, f, 3, f"{at}.main.conv2", padding="same")
            if pool:
                x = L.MaxPooling2D(2, padding="same", name=f"{at}.main.pool")(x)
            short = L.Conv2D(f, 1, strides=2 if pool else 1, name=f"{at}.shortcut")(short)
            x = L.Add(name=at)([x, short])
        return keras.Model(i, L.Dense(1, name="predictions")(L.GlobalAveragePooling2D(name="pool")(x)))

    def mini_xception():
        i = keras.Input((64, 64, 3), name="input_layer")
        x = L.Rescaling(1 / 255, name="rescaling")(i)
        x = L.Conv2D(32, 5, use_bias=False, name="conv")(x)
        for n, f in enumerate((32, 64, 128, 256, 512), 1):
            short, at = x, f"block{n}"
            for j in (1, 2):
                x = L.BatchNormalization(name=f"{at}.main.bn{j}")(x)
                x = L.Activation("relu", name=f"{at}.main.relu{j}")(x)
                x = L.SeparableConv2D(f, 3, padding="same", use_bias=False, name=f"{at}.main.sep{j}")(x)
            x = L.MaxPooling2D(3, strides=2, padding="same", name=f"{at}.main.pool")(x)
            short = L.Conv2D(f, 1, strides=2, padding="same", use_bias=False, name=f"{at}.shortcut")(short)
            x = L.Add(name=at)([x, short])
        x = L.Dropout(0.5, name="dropout")(L.GlobalAveragePooling2D(name="pool")(x))
        return keras.Model(i, L.Dense(1, name="predictions")(x))

    def vgg16_inception():
        def unit(x, f, k, name):
            x = L.Conv2D(f, k, padding="same", use_bias=False, name=f"{name}_conv")(x)
            x = L.BatchNormalization(scale=False, name=f"{name}_bn")(x)
            return L.Activation("relu", name=f"{name}_act")(x)

        def v1(x, r, at):
            b1 = unit(x, r[0], 1, f"{at}.b1")
            b2 = unit(unit(x, r[1], 1, f"{at}.b2.reduce"), r[2], 3, f"{at}.b2.conv")
            b3 = unit(unit(x, r[3], 1, f"{at}.b3.reduce"), r[4], 5, f"{at}.b3.conv")
            b4 = unit(L.MaxPooling2D(3, 1, "same", name=f"{at}.b4.pool")(x), r[5], 1, f"{at}.b4.project")
            return L.Concatenate(name=at)([b1, b2, b3, b4])

        def v3(x, r, at):
            b1 = unit(x, r[0], 1, f"{at}.b1")
            b2 = unit(unit(x, r[1], 1, f"{at}.b2.reduce"), r[2], (1, 3), f"{at}.b2.row")
            b2 = unit(b2, r[2], (3, 1), f"{at}.b2.column")
            b3 = unit(unit(x, r[3], 1, f"{at}.b3.reduce"), r[4], (1, 5), f"{at}.b3.row")
            b3 = unit(b3, r[4], (5, 1), f"{at}.b3.column")
            b4 = unit(L.MaxPooling2D(3, 1, "same", name=f"{at}.b4.pool")(x), r[5], 1, f"{at}.b4.project")
            return L.Concatenate(name=at)([b1, b2, b3, b4])

        i = x = keras.Input((32, 32, 1), name="input_layer")
        mid, late = (64, 96, 128, 16, 32, 32), (128, 192, 256, 32, 64, 64)
        for b in range(1, 6):
            for j in (1, 2, 3) if b > 2 else (1, 2):
                if b == 3:
                    x = v1(x, mid, f"block3_i{j}")
                elif b == 5:
                    x = v3(x, late, f"block5_i{j}")
                else:
                    x = unit(x, 512 if b == 4 else 64 * b, 3, f"block{b}_conv{j}")
            x = L.MaxPooling2D(2, 2, name=f"block{b}_pool")(x)
        x = L.Flatten(name="flatten")(x)
        x = L.Dense(4096, activation="relu", name="fc1")(x)
        x = L.Dense(4096, activation="relu", name="fc2")(x)
        return keras.Model(i, L.Dense(1000, name="predictions")(x))

    yield "lenet5", lenet5, (28, 28, 1), 1.0
    yield "simple-cnn", simple_cnn, (28, 28, 3), 1.0
    yield "inception-cifar10", inception_cifar, (32, 32, 3), 1.0
    yield "resnet50-small", resnet50_small, (32, 32, 3), 1.0
    yield "residual-stack", residual_stack, (32, 32, 3), 255.0
    yield "mini-xception", mini_xception, (64, 64, 3), 255.0
    yield "vgg16-inception", vgg16_inception, (32, 32, 1), 1.0


# torchvision


def torch_golden(name, build, size, flat):
    import torch
    from torch import nn

    model = build().eval()
    x = uniform((2, *size), -1.0, 1.0, "input")
    weights = []  # our name, our shape, from our layout to torch's, the parameter
    for path, module in model.named_modules():
        ours = ".".join(f"b{part}" if part.isdigit() else part for part in path.split("."))
        if isinstance(module, nn.Conv2d):
            out, part, kh, kw = module.weight.shape
            if module.groups > 1 and part == 1:
                weights.append((f"{ours}/depthwise_kernel", (kh, kw, out, 1), lambda a: a.transpose(2, 3, 0, 1), module.weight))
            else:
                weights.append((f"{ours}/kernel", (kh, kw, part, out), lambda a: a.transpose(3, 2, 0, 1), module.weight))
            if module.bias is not None:
                weights.append((f"{ours}/bias", (out,), lambda a: a, module.bias))
        elif isinstance(module, nn.Linear):
            out, into = module.weight.shape
            side = flat.get(path)
            # The flattened map is channels first there, channels last here.
            turn = (
                (lambda a: a.T)
                if side is None
                else (lambda a, s=side: a.reshape(s, s, -1, a.shape[1]).transpose(3, 2, 0, 1).reshape(a.shape[1], -1))
            )
            weights.append((f"{ours}/kernel", (into, out), turn, module.weight))
            weights.append((f"{ours}/bias", (out,), lambda a: a, module.bias))
        elif isinstance(module, nn.LayerNorm):
            for kind, tensor in (("gamma", module.weight), ("beta", module.bias)):
                weights.append((f"{ours}/{kind}", tuple(tensor.shape), lambda a: a, tensor))
        elif isinstance(getattr(module, "layer_scale", None), nn.Parameter):
            tensor = module.layer_scale
            weights.append((f"{ours}.layer_scale/gamma", (tensor.shape[0],), lambda a: a.reshape(-1, 1, 1), tensor))
        elif isinstance(module, nn.BatchNorm2d):
            for kind, tensor in zip(
                ("gamma", "beta", "moving_mean", "moving_variance"),
                (module.weight, module.bias, module.running_mean, module.running_var),
            ):
                weights.append((f"{ours}/{kind}", tuple(tensor.shape), lambda a: a, tensor))
    image = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))

    drawn = None

    def logits_at(gain, exact=False):
        # Drawing 100 million weights takes long, so trials of a gain scale the kernels that were drawn before.
        nonlocal drawn
        with torch.no_grad():
            for path, shape, turn, tensor in weights:
                if exact or drawn is None:
                    tensor.copy_(torch.from_numpy(np.ascontiguousarray(turn(fill(path, shape, gain)))))
                elif path.endswith("kernel"):
                    tensor.mul_((gain / drawn) ** 0.5)
            drawn = gain
            return model(image).numpy()

    gain = settle(logits_at)
    parameters = sum(weight.numel() for weight in model.parameters())
    layers = {}

    def note(path):
        ours = ".".join(f"b{part}" if part.isdigit() else part for part in path.split("."))

        def hook(module, _, y):
            layers[ours] = [type(module).__name__, short(y.abs().mean())]

        return hook

    for path, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.LayerNorm)):
            module.register_forward_hook(note(path))
    logits = logits_at(gain, exact=True)
    peer = "timm" if type(model).__module__.startswith("timm") else "torchvision"
    data = {"peer": peer, "size": size, "high": 1.0, "gain": gain, "trainable": parameters}
    write(name, {**data, "layers": layers, "logits": pack(logits)})


def torch_builds(odd=None):
    from torchvision import models as tv

    def make(builder, **more):
        return lambda: builder(weights=None, **more)

    s64, s75 = (odd,) * 2 if odd else ((64, 64, 3), (75, 75, 3))
    yield "alexnet", make(tv.alexnet), s64, {"classifier.1": 6}
    for name, builder in (("vgg11", tv.vgg11), ("vgg13", tv.vgg13), ("vgg16-bn", tv.vgg16_bn), ("vgg19-bn", tv.vgg19_bn)):
        yield name, make(builder), s64, {"classifier.0": 7}
    for name, builder in (("vgg11-bn", tv.vgg11_bn), ("vgg13-bn", tv.vgg13_bn)):
        yield name, make(builder), s64, {"classifier.0": 7}
    yield "googlenet-tv", make(tv.googlenet, init_weights=False, aux_logits=False), s64, {}
    yield "inception-v3-tv", make(tv.inception_v3, init_weights=False, aux_logits=False), s75, {}
    for name, builder in (
        ("resnet18", tv.resnet18),
        ("resnet34", tv.resnet34),
        ("resnet50-tv", tv.resnet50),
        ("resnet101-tv", tv.resnet101),
        ("resnet152-tv", tv.resnet152),
        ("resnext50-32x4d", tv.resnext50_32x4d),
        ("squeezenet1-1", tv.squeezenet1_1),
        ("mobilenet-v2-tv", tv.mobilenet_v2),
        ("densenet121-tv", tv.densenet121),
        ("resnext101-32x8d", tv.resnext101_32x8d),
        ("resnext101-64x4d", tv.resnext101_64x4d),
        ("wide-resnet50-2", tv.wide_resnet50_2),
        ("wide-resnet101-2", tv.wide_resnet101_2),
        ("squeezenet1-0", tv.squeezenet1_0),
        ("densenet161", tv.densenet161),
        ("efficientnet-b0-tv", tv.efficientnet_b0),
        ("efficientnet-b1-tv", tv.efficientnet_b1),
        ("efficientnet-b2-tv", tv.efficientnet_b2),
        ("efficientnet-b3-tv", tv.efficientnet_b3),
        ("efficientnet-b4-tv", tv.efficientnet_b4),
        ("convnext-tiny", tv.convnext_tiny),
        ("mnasnet1-0", tv.mnasnet1_0),
        ("regnet-x-400mf", tv.regnet_x_400mf),
        ("regnet-y-400mf", tv.regnet_y_400mf),
        ("mobilenet-v3-large", tv.mobilenet_v3_large),
        ("mobilenet-v3-small", tv.mobilenet_v3_small),
        ("convnext-small", tv.convnext_small),
        ("convnext-base", tv.convnext_base),
        ("convnext-large", tv.convnext_large),
        ("mnasnet0-5", tv.mnasnet0_5),
        ("mnasnet0-75", tv.mnasnet0_75),
        ("mnasnet1-3", tv.mnasnet1_3),
        ("regnet-x-800mf", tv.regnet_x_800mf),
        ("regnet-x-1-6gf", tv.regnet_x_1_6gf),
        ("regnet-x-3-2gf", tv.regnet_x_3_2gf),
        ("regnet-x-8gf", tv.regnet_x_8gf),
        ("regnet-x-16gf", tv.regnet_x_16gf),
        ("regnet-x-32gf", tv.regnet_x_32gf),
        ("regnet-y-800mf", tv.regnet_y_800mf),
        ("regnet-y-1-6gf", tv.regnet_y_1_6gf),
        ("regnet-y-3-2gf", tv.regnet_y_3_2gf),
        ("regnet-y-8gf", tv.regnet_y_8gf),
        ("regnet-y-16gf", tv.regnet_y_16gf),
        ("regnet-y-32gf", tv.regnet_y_32gf),
        ("shufflenet-v2-x0-5", tv.shufflenet_v2_x0_5),
        ("shufflenet-v2-x1-0", tv.shufflenet_v2_x1_0),
        ("shufflenet-v2-x1-5", tv.shufflenet_v2_x1_5),
        ("shufflenet-v2-x2-0", tv.shufflenet_v2_x2_0),
        ("efficientnet-b5-tv", tv.efficientnet_b5),
        ("efficientnet-b6-tv", tv.efficientnet_b6),
        ("efficientnet-b7-tv", tv.efficientnet_b7),
        ("efficientnet-v2-s", tv.efficientnet_v2_s),
        ("efficientnet-v2-m", tv.efficientnet_v2_m),
        ("efficientnet-v2-l", tv.efficientnet_v2_l),
    ):
        yield name, make(builder), s64, {}

    import timm

    for name, theirs in (
        ("resnet18d", "resnet18d"),
        ("resnet34d", "resnet34d"),
        ("resnet50d", "resnet50d"),
        ("resnet101d", "resnet101d"),
        ("resnet50v2-timm", "resnetv2_50"),
        ("xception-timm", "legacy_xception"),
        ("mobilenet-timm", "mobilenetv1_100"),
    ):
        yield name, lambda theirs=theirs: timm.create_model(theirs), odd or ((75, 75, 3) if "xception" in name else (64, 64, 3)), {}


def main(peer, wanted):
    os.makedirs(OUT, exist_ok=True)
    builds, golden = (keras_builds, keras_golden) if peer == "keras" else (torch_builds, torch_golden)
    for name, *rest in builds():
        if not wanted or name in wanted:
            golden(name, *rest)


if __name__ == "__main__":
    if sys.argv[1:2] in (["keras"], ["torch"]):
        main(sys.argv[1], set(sys.argv[2:]))
    else:
        # TensorFlow and PyTorch do not load into one process.
        for peer in ("keras", "torch"):
            subprocess.run([sys.executable, __file__, peer, *sys.argv[1:]], check=True)
