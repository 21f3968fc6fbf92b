"""Golden for packages/augment/test/augment.test.ts: Keras' preprocessing layers with their draws fixed, and torchvision's
functions for RandAugment. Run in the peers' environment: python tools/golden/augment.py"""

import json
import pathlib
import subprocess
import sys

import numpy as np

out = pathlib.Path(__file__).parents[2] / "packages/augment/test/golden/augment.json"
rng = np.random.default_rng(11)
# Smooth enough that bilinear sampling is told apart from rounding; bytes, as images are.
source = rng.integers(0, 256, (2, 7, 6, 3)).astype("uint8")
images = source.astype("float32")
cases = []


def tenths(values):
    return np.round(np.asarray(values, "float64") * 10).astype(int).ravel().tolist()


def record(name, options, result):
    cases.append({"name": name, **options, "tenths": tenths(result)})


def with_torch():
    """torchvision, in bytes: it drops what is behind the point."""
    import torch
    from torchvision.transforms import functional as F

    pictures = torch.from_numpy(source).permute(0, 3, 1, 2)


    def by_torch(name, change, **options):
        record(name, {**options, "bytes": True}, change(pictures).permute(0, 2, 3, 1).numpy())


    for factor in (0.28, 1.72):
        by_torch("brighten", lambda x: F.adjust_brightness(x, factor), factor=factor)
        by_torch("color", lambda x: F.adjust_saturation(x, factor), factor=factor)
        by_torch("tone-contrast", lambda x: torch.stack([F.adjust_contrast(each, factor) for each in x]), factor=factor)
        by_torch("sharpen", lambda x: F.adjust_sharpness(x, factor), factor=factor)
    by_torch("posterize", lambda x: F.posterize(x, 4))
    by_torch("solarize", lambda x: F.solarize(x, 110))
    by_torch("auto-contrast", F.autocontrast)
    large = torch.from_numpy((rng.integers(0, 256, (1, 24, 24, 3)) ** 2 // 256).astype("uint8")).permute(0, 3, 1, 2)
    equalized = {"source": large.permute(0, 2, 3, 1).numpy().ravel().tolist(), "result": F.equalize(large).permute(0, 2, 3, 1).numpy().ravel().tolist()}
    print(json.dumps({"cases": cases, "equalize": equalized}))


if sys.argv[1:] == ["torch"]:
    with_torch()
    sys.exit()

import keras  # noqa: E402

turns = [0.07, -0.21]
for fill in ("reflect", "wrap", "nearest", "constant"):
    for interpolation in ("bilinear", "nearest"):
        options = {"fill": fill, "interpolation": interpolation}
        keras_options = {"fill_mode": fill, "interpolation": interpolation, "fill_value": 20.0}
        layer = keras.layers.RandomRotation(0.5, **keras_options)
        zeros, ones = np.zeros(2, "float32"), np.ones(2, "float32")
        matrix = layer._compute_affine_matrix(
            center_x=0.5, center_y=0.5, angle=keras.ops.convert_to_tensor(np.array(turns, "float32") * 360),
            translate_x=zeros, translate_y=zeros, scale=ones, shear_x=zeros, shear_y=zeros, height=7, width=6,
        )
        record("rotate", {**options, "turns": turns}, layer.transform_images(images, {"rotation_matrix": matrix}))
        if interpolation == "nearest":
            continue
        layer = keras.layers.RandomZoom(0.5, **keras_options)
        zooms = {"height_zoom": np.array([[0.7], [1.3]], "float32"), "width_zoom": np.array([[0.8], [1.2]], "float32")}
        record("zoom", {**options, "height": [0.7, 1.3], "width": [0.8, 1.2]}, layer.transform_images(images, {**zooms, "input_shape": images.shape}))
        layer = keras.layers.RandomTranslation(0.5, 0.5, **keras_options)
        moves = np.array([[0.2 * 6, -0.3 * 7], [-0.4 * 6, 0.1 * 7]], "float32")
        record("translate", {**options, "down": [-0.3, 0.1], "right": [0.2, -0.4]}, layer.transform_images(images, {"translations": moves, "input_shape": images.shape}))

column = lambda values: np.array(values, "float32").reshape(-1, 1, 1, 1)
record("brightness", {"values": [0.3, -0.5]}, keras.layers.RandomBrightness(0.5).transform_images(keras.ops.convert_to_tensor(images), {"rgb_delta": column([0.3, -0.5]) * 255}))
record("contrast", {"values": [0.4, 1.7]}, keras.layers.RandomContrast(0.5).transform_images(images, {"contrast_factor": column([0.4, 1.7])}))
record("hue", {"values": [0.3, -0.1]}, keras.layers.RandomHue(0.5).transform_images(images, {"factor": np.array([0.3, -0.1], "float32")}))
record("saturation", {"values": [0.25, 0.8]}, keras.layers.RandomSaturation(0.5).transform_images(keras.ops.convert_to_tensor(images), {"factor": np.array([0.25, 0.8], "float32")}))

# TensorFlow and PyTorch do not live in one process: this script runs itself again for the other half.
other = json.loads(subprocess.run([sys.executable, __file__, "torch"], check=True, capture_output=True, text=True).stdout)
golden = {"by": "tools/golden/augment.py", "keras": keras.__version__, "shape": source.shape, "source": source.ravel().tolist(), "cases": cases + other["cases"], "equalize": other["equalize"]}
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out.stat().st_size)
