"""Logits and feature maps of Keras' and torchvision's networks at 97x131, for packages/models/test/odd-sizes.test.ts.

    python tools/golden/models-odd-sizes.py [name ...]

writes packages/models/test/golden-odd-sizes.json (with names, their rows alone): for each network the kernels' gain, the first eight logits of both images,
and for each stride the layer (by our name) that ends the stage, with the shape that the peer gives it. Where timm has the
network, its feature_info must have the same strides and channels. Weights as in models-parity.py. Needs the peers' environment.
"""

import importlib.util
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("parity", os.path.join(HERE, "models-parity.py"))
parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parity)

import numpy as np

SIZE = (97, 131, 3)
# Of these the shapes alone: smaller networks of the same code have logits at this size. See tools/testing/src/larger-networks.ts.
SHAPES_ALONE = {
    "vgg11-bn", "vgg13-bn", "resnet101d", "resnext101-32x8d", "resnext101-64x4d", "wide-resnet50-2", "wide-resnet101-2",
    *(f"efficientnet-b{i}{end}" for i in range(2, 8) for end in ("", "-tv")),
    "efficientnet-v2-m", "efficientnet-v2-l", "convnext-small", "convnext-base", "convnext-large", "mnasnet0-75", "mnasnet1-3",
    *(f"regnet-{kind}-{size}" for kind in "xy" for size in ("800mf", "1-6gf", "3-2gf", "8gf", "16gf", "32gf")),
    *(f"shufflenet-v2-x{width}" for width in ("1-0", "1-5", "2-0")),
}
OUT = os.path.join(HERE, "../../packages/models/test/golden-odd-sizes.json")


def resnet(blocks):
    return {2: "conv1_relu", **{2 ** (i + 2): f"conv{i + 2}_block{n}_out" for i, n in enumerate(blocks)}}


def resnet_v2(blocks):
    # The last block of a stage has the stride, so the stage before it ends one block earlier.
    ends = {4 * 2**i: f"conv{i + 2}_block{n - 1}_out" for i, n in enumerate(blocks[:3])}
    return {2: "conv1_conv", **ends, 32: "post_relu"}


def densenet(blocks):
    return {2: "conv1_relu", **{4 * 2**i: f"conv{i + 2}_block{n}_concat" for i, n in enumerate(blocks[:3])}, 32: "relu"}


def efficientnet(ends):
    return {2: ends[0], 4: ends[1], 8: ends[2], 16: ends[3], 32: "top_activation"}


KERAS = {
    "vgg16": {1: "block1_conv2", 2: "block2_conv2", 4: "block3_conv3", 8: "block4_conv3", 16: "block5_conv3", 32: "block5_pool"},
    "vgg19": {1: "block1_conv2", 2: "block2_conv2", 4: "block3_conv4", 8: "block4_conv4", 16: "block5_conv4", 32: "block5_pool"},
    "resnet50": resnet([3, 4, 6, 3]),
    "resnet101": resnet([3, 4, 23, 3]),
    "resnet152": resnet([3, 8, 36, 3]),
    "resnet50v2": resnet_v2([3, 4, 6, 3]),
    "resnet101v2": resnet_v2([3, 4, 23, 3]),
    "resnet152v2": resnet_v2([3, 8, 36, 3]),
    "inception-v3": {2: "activation_2", 4: "activation_4", 8: "mixed2", 16: "mixed7", 32: "mixed10"},
    "inception-resnet-v2": {2: "activation_2", 4: "activation_4", 8: "block35_10_ac", 16: "block17_20_ac", 32: "conv_7b_ac"},
    "xception": {2: "block1_conv2_act", 4: "add", 8: "add_1", 16: "add_10", 32: "block14_sepconv2_act"},
    "mobilenet": {2: "conv_pw_1_relu", 4: "conv_pw_3_relu", 8: "conv_pw_5_relu", 16: "conv_pw_11_relu", 32: "conv_pw_13_relu"},
    "mobilenet-v2": {2: "expanded_conv_project_BN", 4: "block_2_add", 8: "block_5_add", 16: "block_12_add", 32: "out_relu"},
    "densenet121": densenet([6, 12, 24, 16]),
    "densenet169": densenet([6, 12, 32, 32]),
    "densenet201": densenet([6, 12, 48, 32]),
    "efficientnet-b0": efficientnet(["block1a_project_bn", "block2b_add", "block3b_add", "block5c_add"]),
    "efficientnet-b1": efficientnet(["block1b_add", "block2c_add", "block3c_add", "block5d_add"]),
    "efficientnet-b2": efficientnet(["block1b_add", "block2c_add", "block3c_add", "block5d_add"]),
    "efficientnet-b3": efficientnet(["block1b_add", "block2c_add", "block3c_add", "block5e_add"]),
    "efficientnet-b4": efficientnet(["block1b_add", "block2d_add", "block3d_add", "block5f_add"]),
    "efficientnet-b5": efficientnet(["block1c_add", "block2e_add", "block3e_add", "block5g_add"]),
    "efficientnet-b6": efficientnet(["block1c_add", "block2f_add", "block3f_add", "block5h_add"]),
    "efficientnet-b7": efficientnet(["block1d_add", "block2g_add", "block3g_add", "block5j_add"]),
}


def torch_resnet(blocks, last="relu"):
    return {2: ("relu", "relu"), **{2 ** (i + 2): (f"layer{i + 1}", f"layer{i + 1}.b{n - 1}.{last}") for i, n in enumerate(blocks)}}


def torch_vgg(ends):
    return {2**i: (f"features.{n}", f"features.b{n}") for i, n in enumerate(ends)}


def timm_resnet(blocks):
    return {**torch_resnet(blocks), 2: ("act1", "relu")}


def torch_efficientnet(counts):
    ends = [f"b{n - 1}.add" if n > 1 else "b0.block.b2.b1" for n in counts]
    rows = {2 ** (i + 1): (f"features.{stage}", f"features.b{stage}.{end}") for i, (stage, end) in enumerate(zip((1, 2, 3, 5), ends))}
    return {**rows, 32: ("features.8", "features.b8.b2")}


def torch_efficientnet_v2(counts, last):
    rows = {2 ** (i + 1): (f"features.{stage}", f"features.b{stage}.b{n - 1}.add") for i, (stage, n) in enumerate(zip((1, 2, 3, 5), counts))}
    return {**rows, 32: (f"features.{last}", f"features.b{last}.b2")}


def torch_densenet(blocks):
    ends = {4 * 2**i: dense_end(i + 1, n) for i, n in enumerate(blocks)}
    return {2: ("features.relu0", "features.relu0"), **ends, 32: ("features.norm5", "relu")}


def dense_end(i, n):
    return (f"features.denseblock{i}", f"features.denseblock{i}.denselayer{n}.concat")


def torch_regnet(depths):
    ends = {2 ** (i + 2): (f"trunk_output.block{i + 1}", f"trunk_output.block{i + 1}.block{i + 1}-{n - 1}.activation") for i, n in enumerate(depths)}
    return {2: ("stem", "stem.b2"), **ends}


# The peer's module, our layer.
TORCH = {
    "alexnet": {4: ("features.1", "features.b1"), 8: ("features.4", "features.b4"), 16: ("features.11", "features.b11"), 32: ("features.12", "features.b12")},
    "vgg11": torch_vgg([1, 4, 9, 14, 19, 20]),
    "vgg13": torch_vgg([3, 8, 13, 18, 23, 24]),
    "vgg16-bn": torch_vgg([5, 12, 22, 32, 42, 43]),
    "vgg19-bn": torch_vgg([5, 12, 25, 38, 51, 52]),
    "googlenet-tv": {2: ("conv1", "conv1.relu"), 4: ("conv3", "conv3.relu"), 8: ("inception3b", "inception3b"), 16: ("inception4e", "inception4e"), 32: ("inception5b", "inception5b")},
    "inception-v3-tv": {2: ("Conv2d_2b_3x3", "Conv2d_2b_3x3.relu"), 4: ("Conv2d_4a_3x3", "Conv2d_4a_3x3.relu"), 8: ("Mixed_5d",) * 2, 16: ("Mixed_6e",) * 2, 32: ("Mixed_7c",) * 2},
    "resnet18": torch_resnet([2, 2, 2, 2]),
    "resnet34": torch_resnet([3, 4, 6, 3]),
    "resnet50-tv": torch_resnet([3, 4, 6, 3]),
    "resnet101-tv": torch_resnet([3, 4, 23, 3]),
    "resnet152-tv": torch_resnet([3, 8, 36, 3]),
    "resnext50-32x4d": torch_resnet([3, 4, 6, 3]),
    "squeezenet1-1": {2: ("features.1", "features.b1"), 4: ("features.4", "features.b4"), 8: ("features.7", "features.b7"), 16: ("features.12", "features.b12")},
    "mobilenet-v2-tv": {2: ("features.1", "features.b1.conv.b2"), 4: ("features.3", "features.b3.add"), 8: ("features.6", "features.b6.add"), 16: ("features.13", "features.b13.add"), 32: ("features.18", "features.b18.b2")},
    "convnext-tiny": {4 * 2**i: (f"features.{2 * i + 1}", f"features.b{2 * i + 1}.b{n - 1}.add") for i, n in enumerate([3, 3, 9, 3])},
    "mnasnet1-0": {2: ("layers.7", "layers.b7"), 4: ("layers.8", "layers.b8.b2.add"), 8: ("layers.9", "layers.b9.b2.add"), 16: ("layers.11", "layers.b11.b1.add"), 32: ("layers.16", "layers.b16")},
    "regnet-x-400mf": torch_regnet([1, 2, 7, 12]),
    "regnet-y-400mf": torch_regnet([1, 3, 6, 6]),
    "regnet-x-800mf": torch_regnet([1, 3, 7, 5]),
    "regnet-x-1-6gf": torch_regnet([2, 4, 10, 2]),
    "regnet-x-3-2gf": torch_regnet([2, 6, 15, 2]),
    "regnet-x-8gf": torch_regnet([2, 5, 15, 1]),
    "regnet-x-16gf": torch_regnet([2, 6, 13, 1]),
    "regnet-x-32gf": torch_regnet([2, 7, 13, 1]),
    "regnet-y-800mf": torch_regnet([1, 3, 8, 2]),
    "regnet-y-1-6gf": torch_regnet([2, 6, 17, 2]),
    "regnet-y-3-2gf": torch_regnet([2, 5, 13, 1]),
    "regnet-y-8gf": torch_regnet([2, 4, 10, 1]),
    "regnet-y-16gf": torch_regnet([2, 4, 11, 1]),
    "regnet-y-32gf": torch_regnet([2, 5, 12, 1]),
    **{f"convnext-{size}": {4 * 2**i: (f"features.{2 * i + 1}", f"features.b{2 * i + 1}.b{n - 1}.add") for i, n in enumerate([3, 3, 27, 3])} for size in ("small", "base", "large")},
    **{f"mnasnet{width}": {2: ("layers.7", "layers.b7"), 4: ("layers.8", "layers.b8.b2.add"), 8: ("layers.9", "layers.b9.b2.add"), 16: ("layers.11", "layers.b11.b1.add"), 32: ("layers.16", "layers.b16")} for width in ("0-5", "0-75", "1-3")},
    **{f"shufflenet-v2-x{width}": {2: ("conv1", "conv1.b2"), 4: ("maxpool",) * 2, 8: ("stage2", "stage2.b3.shuffle"), 16: ("stage3", "stage3.b7.shuffle"), 32: ("conv5", "conv5.b2")} for width in ("0-5", "1-0", "1-5", "2-0")},
    "efficientnet-b5-tv": torch_efficientnet([3, 5, 5, 7]),
    "efficientnet-b6-tv": torch_efficientnet([3, 6, 6, 8]),
    "efficientnet-b7-tv": torch_efficientnet([4, 7, 7, 10]),
    "efficientnet-v2-s": torch_efficientnet_v2([2, 4, 4, 9], 7),
    "efficientnet-v2-m": torch_efficientnet_v2([3, 5, 5, 14], 8),
    "efficientnet-v2-l": torch_efficientnet_v2([4, 7, 7, 19], 8),
    "mobilenet-v3-large": {2: ("features.1", "features.b1.add"), 4: ("features.3", "features.b3.add"), 8: ("features.6", "features.b6.add"), 16: ("features.12", "features.b12.add"), 32: ("features.16", "features.b16.b2")},
    "mobilenet-v3-small": {2: ("features.0", "features.b0.b2"), 4: ("features.1", "features.b1.block.b2.b1"), 8: ("features.3", "features.b3.add"), 16: ("features.8", "features.b8.add"), 32: ("features.12", "features.b12.b2")},
    "densenet121-tv": torch_densenet([6, 12, 24]),
    "vgg11-bn": torch_vgg([2, 6, 13, 20, 27, 28]),
    "vgg13-bn": torch_vgg([5, 12, 19, 26, 33, 34]),
    "resnext101-32x8d": torch_resnet([3, 4, 23, 3]),
    "resnext101-64x4d": torch_resnet([3, 4, 23, 3]),
    "wide-resnet50-2": torch_resnet([3, 4, 6, 3]),
    "wide-resnet101-2": torch_resnet([3, 4, 23, 3]),
    "squeezenet1-0": {2: ("features.1", "features.b1"), 4: ("features.5", "features.b5"), 8: ("features.10", "features.b10"), 16: ("features.12", "features.b12")},
    "densenet161": torch_densenet([6, 12, 36]),
    "efficientnet-b0-tv": torch_efficientnet([1, 2, 2, 3]),
    "efficientnet-b1-tv": torch_efficientnet([2, 3, 3, 4]),
    "efficientnet-b2-tv": torch_efficientnet([2, 3, 3, 4]),
    "efficientnet-b3-tv": torch_efficientnet([2, 3, 3, 5]),
    "efficientnet-b4-tv": torch_efficientnet([2, 4, 4, 6]),
    "resnet18d": timm_resnet([2, 2, 2, 2]),
    "resnet34d": timm_resnet([3, 4, 6, 3]),
    "resnet50d": timm_resnet([3, 4, 6, 3]),
    "resnet101d": timm_resnet([3, 4, 23, 3]),
    "resnet50v2-timm": {2: ("stem.conv",) * 2, **{2 ** (i + 2): (f"stages.{i}", f"stages.b{i}.blocks.b{n - 1}.add") for i, n in enumerate([3, 4, 6])}, 32: ("norm", "relu")},
    "xception-timm": {2: ("act2",) * 2, 4: ("block1", "block1.add"), 8: ("block2", "block2.add"), 16: ("block11", "block11.add"), 32: ("act4",) * 2},
    "mobilenet-timm": {2: ("blocks.0", "blocks.b0.b0.act2"), **{2 ** (i + 2): (f"blocks.{i + 1}", f"blocks.b{i + 1}.b{n}.act2") for i, n in enumerate([1, 1, 5, 1])}},
}

TIMM = {
    "vgg16": "vgg16", "vgg19": "vgg19", "vgg11": "vgg11", "vgg13": "vgg13", "vgg16-bn": "vgg16_bn", "vgg19-bn": "vgg19_bn",
    "resnet50": "resnet50", "resnet101": "resnet101", "resnet152": "resnet152", "resnet18": "resnet18", "resnet34": "resnet34",
    "resnet50-tv": "resnet50", "resnet101-tv": "resnet101", "resnet152-tv": "resnet152", "resnext50-32x4d": "resnext50_32x4d",
    "inception-v3": "inception_v3", "inception-v3-tv": "inception_v3", "inception-resnet-v2": "inception_resnet_v2",
    "xception": "legacy_xception", "densenet121": "densenet121", "densenet121-tv": "densenet121", "densenet169": "densenet169",
    "densenet201": "densenet201", "mobilenet-v2": "mobilenetv2_100", "mobilenet-v2-tv": "mobilenetv2_100",
    "efficientnet-b0": "efficientnet_b0", "efficientnet-b1": "efficientnet_b1", "efficientnet-b0-tv": "efficientnet_b0",
    "efficientnet-b1-tv": "efficientnet_b1", "resnet50d": "resnet50d", "resnet18d": "resnet18d", "resnet50v2-timm": "resnetv2_50",
    "xception-timm": "legacy_xception", "mobilenet-timm": "mobilenetv1_100", "wide-resnet50-2": "wide_resnet50_2",
    **{f"efficientnet-b{i}{end}": f"efficientnet_b{i}" for i in (2, 3, 4) for end in ("", "-tv")}, "densenet161": "densenet161", "convnext-tiny": "convnext_tiny", "regnet-y-400mf": "regnety_004", "mobilenet-v3-large": "mobilenetv3_large_100", "mobilenet-v3-small": "mobilenetv3_small_100",
}
# timm leaves the last 1x1 convolution to the head there; here it is the last map of its stride.
EFFICIENT = {"efficientnet-b0": 1280, "efficientnet-b1": 1280, "efficientnet-b2": 1408, "efficientnet-b3": 1536, "efficientnet-b4": 1792}
WIDER = {"mobilenet-v2": 1280, "mobilenet-v2-tv": 1280, **EFFICIENT, **{f"{name}-tv": width for name, width in EFFICIENT.items()}}


def check_with_timm(name, maps):
    if name not in TIMM:
        return
    import timm
    import torch

    with torch.device("meta"):
        infos = timm.create_model(TIMM[name]).feature_info
    for info in infos:
        stride, channels = info["reduction"], info["num_chs"]
        got = maps[str(stride)][1][2]
        assert got == (WIDER.get(name, channels) if stride == 32 else channels), (name, stride, channels, got)


def take(name, size, high, logits_at, maps):
    path = os.path.join(parity.OUT, f"{name}.json")
    gain = 1.0
    if os.path.exists(path):
        with open(path) as file:
            gain = json.load(file)["gain"]
    logits = logits_at(gain, exact=True)
    spread = float(np.sqrt(np.mean(np.square(logits, dtype=np.float64))))
    if not 0.2 <= spread <= 8:
        gain = parity.settle(logits_at)
        logits = logits_at(gain, exact=True)
    return {"high": high, "gain": gain, "logits": parity.pack(logits[:, :8]), "maps": maps}


def keras_rows(wanted):
    import keras

    for name, build, size, high in parity.keras_builds(SIZE):
        if wanted and name not in wanted:
            continue
        keras.backend.clear_session()
        model = build()
        x = parity.uniform((2, *size), -1.0 if high == 1.0 else 0.0, high, "input")
        shapes = {stride: [layer, list(model.get_layer(layer).output.shape[1:])] for stride, layer in KERAS[name].items()}

        if name in SHAPES_ALONE:
            yield name, {"high": high, "maps": {str(k): v for k, v in shapes.items()}}
            continue

        def path(layer, weight):
            kind = weight.path.rsplit("/", 1)[1]
            return f"{layer.name}/{'depthwise_kernel' if isinstance(layer, keras.layers.DepthwiseConv2D) and kind == 'kernel' else kind}"

        def logits_at(gain, exact=False):
            for layer in model.layers:
                for weight in layer.weights:
                    weight.assign(parity.fill(path(layer, weight), tuple(weight.shape), gain))
                if isinstance(layer, keras.layers.Normalization):
                    layer.finalize_state()
            return model(x, training=False).numpy()

        yield name, take(name, size, high, logits_at, {str(k): v for k, v in shapes.items()})


def torch_rows(wanted):
    import torch
    from torchvision.models.regnet import BlockParams

    # The widths of RegNets are computed, which needs tensors with numbers.
    computed = BlockParams.from_init_params

    def with_numbers(*args, **more):
        with torch.device("cpu"):
            return computed(*args, **more)

    BlockParams.from_init_params = with_numbers

    for name, build, size, flat in parity.torch_builds(SIZE):
        if wanted and name not in wanted:
            continue
        kept = {}

        def golden(settled, name=name):
            kept["at"] = settled
            return 1.0

        maps = {}
        with torch.device("meta" if name in SHAPES_ALONE else "cpu"):
            model = build().eval()
        modules = dict(model.named_modules())
        for stride, (module, ours) in TORCH[name].items():
            def hook(_, __, y, stride=stride, ours=ours):
                maps.setdefault(str(stride), [ours, list(y.shape[2:]) + [y.shape[1]]])
            modules[module].register_forward_hook(hook)
        with torch.no_grad():
            model(torch.zeros(1, 3, *size[:2], device="meta" if name in SHAPES_ALONE else "cpu"))
        if name in SHAPES_ALONE:
            yield name, {"high": 1.0, "maps": dict(sorted(maps.items(), key=lambda each: int(each[0])))}
            continue
        # The weights are set by the function of models-parity.py; it hands its logits over here.
        original, parity.settle, parity.write = parity.settle, golden, lambda *_: None
        parity.torch_golden(name, lambda: model, size, flat)
        parity.settle = original
        yield name, take(name, size, 1.0, kept["at"], dict(sorted(maps.items(), key=lambda each: int(each[0]))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["keras"] or sys.argv[1:2] == ["torch"]:
        part = {name: row for name, row in (keras_rows if sys.argv[1] == "keras" else torch_rows)(sys.argv[2:])}
        print(json.dumps(part))
    elif sys.argv[1:2] == ["timm"]:
        for name, row in json.load(open(OUT)).items():
            if not sys.argv[2:] or name in sys.argv[2:]:
                check_with_timm(name, row["maps"])
    else:
        wanted = sys.argv[1:]
        with open(OUT) as file:
            rows = json.load(file) if wanted else {}
        for peer in ("keras", "torch"):
            if wanted and not set(wanted) & set(KERAS if peer == "keras" else TORCH):
                continue
            done = subprocess.run([sys.executable, __file__, peer, *wanted], check=True, stdout=subprocess.PIPE)
            rows.update(json.loads(done.stdout.decode().strip().splitlines()[-1]))
        with open(OUT, "w") as file:
            file.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in rows.items()) + "\n}\n")
        subprocess.run([sys.executable, __file__, "timm", *wanted], check=True)
