"""Golden for packages/augment/test/policies.test.ts: torchvision's ops and policies on Pillow's images, and timm's 3-Augment,
with their draws fixed. Images come from a formula that the test has too; results are CRC-32s of their bytes, mixtures of
AugMix (which are rounded) the bytes. Run in the peers' environment: python tools/golden/augment-policies.py"""

import base64
import json
import math
import pathlib
import random
import zlib

import numpy as np
import timm.data.auto_augment as timm_augment
import torch
from PIL import Image, ImageFilter
from torchvision.transforms import InterpolationMode, autoaugment
from torchvision.transforms import functional as F

out = pathlib.Path(__file__).parents[2] / "packages/augment/test/golden/policies.json"
rng = random.Random(5)
apply_op = autoaugment._apply_op


def picture(seed, h, w, c):
    """Image number `seed`: every third one has few levels."""
    places = np.arange(h * w * c, dtype=np.uint64) + seed * 7919
    drawn = ((places * 2654435761) % 2**32) >> 8
    low, high = (60 + seed, 60 + seed + 53) if seed % 3 == 2 else (0, 255)
    return (low + drawn % (high - low + 1)).astype("uint8").reshape(h, w, c)


def pil(array):
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def apply(array, change):
    """A change of a Pillow image; other numbers of channels one by one, as gray images."""
    if array.shape[2] in (1, 3):
        return np.asarray(change(pil(array))).reshape(array.shape)
    each = [np.asarray(change(Image.fromarray(array[:, :, k]))) for k in range(array.shape[2])]
    return np.stack(each, axis=2)


def crc(array):
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def by_op(array, name, magnitude):
    return apply(array, lambda image: apply_op(image, name, magnitude, InterpolationMode.NEAREST, None))


shapes = [(9, 7, 3), (16, 16, 3), (12, 31, 1), (2, 2, 3), (40, 37, 3), (10, 11, 2)]
strengths = {
    "Identity": [0], "ShearX": [0.3, -0.99], "ShearY": [0.1, -0.3], "TranslateX": [3.9, -32], "TranslateY": [5.2, -2],
    "Rotate": [30, -13.5, 90, -135], "Brightness": [0.9, -0.99, 0.1], "Color": [0.9, -0.3, -1], "Contrast": [0.9, -0.5],
    "Sharpness": [0.9, -0.9], "Posterize": [1, 4, 8], "Solarize": [0, 141.66666, 255], "AutoContrast": [0],
    "Equalize": [0], "Invert": [0],
}
ops = []
for op, magnitudes in strengths.items():
    for magnitude in magnitudes:
        crcs = [crc(by_op(picture(seed, *shape), op, magnitude)) for seed, shape in enumerate(shapes)]
        ops.append({"op": op, "magnitude": magnitude, "crcs": crcs})

blurs = []
for radius in (0.1, 0.437, 0.5, 0.999, 1.0, 1.234, 1.5, 2.0):
    crcs = [crc(apply(picture(seed, *shape), lambda i: i.filter(ImageFilter.GaussianBlur(radius)))) for seed, shape in enumerate(shapes)]
    blurs.append({"radius": radius, "crcs": crcs})


def uniforms(count):
    return [rng.randrange(1, 1000) / 1000 for _ in range(count)]


def index(u, count):
    return math.floor(u * count)


def with_queue(numbers):
    """torch.randint that returns the given numbers."""
    queue = list(numbers)
    return lambda *_, **__: torch.tensor([queue.pop(0)])


policies = []
for policy in ("imagenet", "cifar10", "svhn"):
    n, shape = 50, (12, 13, 3)
    places = [(i % 25 + 0.5) / 25 for i in range(n)]
    draws = [places, *(uniforms(n) for _ in range(4))]
    augment = autoaugment.AutoAugment(autoaugment.AutoAugmentPolicy(policy))
    crcs = []
    for i in range(n):
        # A direction of 0 is negative in torchvision, and 1 here.
        fixed = (i % 25, torch.tensor([draws[1][i], draws[3][i]]), torch.tensor([1 - index(draws[2][i], 2), 1 - index(draws[4][i], 2)]))
        augment.get_params = lambda _: fixed
        crcs.append(crc(apply(picture(i, *shape), augment)))
    policies.append({"name": policy, "shape": shape, "draws": draws, "crcs": crcs})

n, shape = 56, (40, 33, 3)
draws = [[(i % 14 + 0.5) / 14 for i in range(n)], uniforms(n), uniforms(n)]
trivial = autoaugment.TrivialAugmentWide()
crcs = []
original = torch.randint
for i in range(n):
    op, level, sign = i % 14, index(draws[1][i], 31), index(draws[2][i], 2)
    has_level = 0 < op < 12
    torch.randint = with_queue([op, *([level] if has_level else []), *([sign] if 0 < op < 10 else [])])
    crcs.append(crc(apply(picture(i, *shape), trivial)))
torch.randint = original
trivials = {"shape": shape, "draws": draws, "crcs": crcs}

# AugMix: chains of Pillow's changes, where torchvision has its own on tensors.
n, shape = 6, (12, 10, 3)
draws = [uniforms(n), *(uniforms(n) for _ in range(3)), *(uniforms(n) for _ in range(3 * 4))]

def on_pillow(batch, name, magnitude, interpolation, fill):
    array = batch[0].permute(1, 2, 0).numpy()
    return torch.from_numpy(by_op(array, name, magnitude).copy()).permute(2, 0, 1)[None]


autoaugment._apply_op = on_pillow
mix = autoaugment.AugMix()
names = list(mix._augmentation_space(10, (12, 10)))
mixed = []
for i in range(n):
    waits = [-math.log(1 - draws[1 + k][i]) for k in range(3)]
    shares = iter([torch.tensor([[draws[0][i], 1 - draws[0][i]]]), torch.tensor([[each / sum(waits) for each in waits]])])
    mix._sample_dirichlet = lambda _: next(shares)
    numbers = []
    for chain in range(3):
        first = 4 + chain * 4
        depth = 1 + index(draws[first][i], 3)
        numbers.append(depth)
        for step in range(depth):
            row = index(draws[first + 1 + step][i], 13 * 6)
            op, level, sign = row // 6, row % 6 // 2, row % 2
            numbers += [op, *([level] if names[op] not in ("AutoContrast", "Equalize") else [])]
            numbers += [sign] if names[op] not in ("AutoContrast", "Equalize", "Posterize", "Solarize") else []
    torch.randint = with_queue(numbers)
    image = torch.from_numpy(picture(i, *shape)).permute(2, 0, 1)
    mixed.append(mix(image).permute(1, 2, 0).numpy().ravel())
torch.randint = original
autoaugment._apply_op = apply_op
mixes = {"shape": shape, "draws": draws, "bytes": base64.b64encode(np.concatenate(mixed).tobytes()).decode()}

# 3-Augment: timm's three changes, then torchvision's ColorJitter.
n, shape = 18, (14, 15, 3)
draws = [[(i % 3 + 0.5) / 3 for i in range(n)], uniforms(n), [(i // 3 + 0.5) / 6 for i in range(n)], *(uniforms(n) for _ in range(3))]
three = timm_augment.auto_augment_policy_3a({"img_mean": (0, 0, 0)})
orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
jitters = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation]
crcs = []
for i in range(n):
    radius = (100 + index(draws[1][i], 1901)) / 1000
    timm_augment.random.uniform = lambda *_: radius
    image = pil(picture(i, *shape))
    for op in three[i % 3]:
        image = op(image)
    factors = [np.float32(0.7) + np.float32(draws[3 + k][i]) * np.float32(1.3 - 0.7) for k in range(3)]
    for which in orders[i // 3]:
        image = jitters[which](image, float(factors[which]))
    crcs.append(crc(np.asarray(image)))
threes = {"shape": shape, "draws": draws, "crcs": crcs}

golden = {"shapes": shapes, "ops": ops, "blurs": blurs, "autoAugment": policies, "trivialAugment": trivials, "augMix": mixes, "threeAugment": threes}
out.write_text(json.dumps(golden) + "\n")
print(out, out.stat().st_size)
