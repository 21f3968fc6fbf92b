"""Corruptions of ImageNet-C and adversarial images, for packages/inspect/test/robustness.test.ts.

Needs numpy, scipy, scikit-image, Pillow, torch and torchattacks. Run from the root of the repository:
python tools/golden/inspect-robustness.py
The formulas are those of github.com/hendrycks/robustness, ImageNet-C/create_c/make_imagenet_c.py, with OpenCV's two filters by
scipy (borders mirrored) and with fixed draws, which the test computes alike.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torchattacks
from inspect_networks import Branches, values
from PIL import Image
from scipy import stats
from scipy.ndimage import correlate, correlate1d
from skimage import color, filters

H, W = 8, 11
pixels = np.floor((values(31, (H, W, 3), 0.5) + 0.5) * 256).clip(0, 255).astype(np.uint8)
normal = values(32, (H, W, 3), 2)
uniform = [np.abs(values(seed, (H, W, 3), 1)) for seed in (33, 34)]


def disk(radius, alias_blur):
    side, reach = (np.arange(-8, 9), 1) if radius <= 8 else (np.arange(-radius, radius + 1), 2)
    x, y = np.meshgrid(side, side)
    made = np.array((x**2 + y**2) <= radius**2, dtype=np.float64)
    made /= made.sum()
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / alias_blur) ** 2)
    weights /= weights.sum()
    return correlate1d(correlate1d(made, weights, axis=0, mode="mirror"), weights, axis=1, mode="mirror")


def hsv(image, change):
    parts = color.rgb2hsv(image)
    change(parts)
    return color.hsv2rgb(parts)


def brighter(more):
    def change(parts):
        parts[:, :, 2] = np.clip(parts[:, :, 2] + more, 0, 1)

    return change


def saturated(factor, more):
    def change(parts):
        parts[:, :, 1] = np.clip(parts[:, :, 1] * factor + more, 0, 1)

    return change


def corrupted(kind, level):
    x = pixels / 255.0
    c = lambda *all: all[level - 1]
    if kind == "gaussian-noise":
        return x + normal * c(0.08, 0.12, 0.18, 0.26, 0.38)
    if kind == "shot-noise":
        photons = c(60, 25, 12, 5, 3)
        return stats.poisson.ppf(uniform[0], x * photons) / photons
    if kind == "impulse-noise":
        # skimage.util.random_noise(mode="s&p")
        flipped = uniform[0] <= c(0.03, 0.06, 0.09, 0.17, 0.27)
        salted = uniform[1] <= 0.5
        made = x.copy()
        made[flipped & salted] = 1
        made[flipped & ~salted] = 0
        return made
    if kind == "speckle-noise":
        return x + x * normal * c(0.15, 0.2, 0.35, 0.45, 0.6)
    if kind == "gaussian-blur":
        return filters.gaussian(x, sigma=c(1, 2, 3, 4, 6), channel_axis=-1)
    if kind == "defocus-blur":
        kernel = disk(*c((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)))
        return np.stack([correlate(x[:, :, d], kernel, mode="mirror") for d in range(3)], -1)
    if kind == "brightness":
        return hsv(x, brighter(c(0.1, 0.2, 0.3, 0.4, 0.5)))
    if kind == "contrast":
        means = np.mean(x, axis=(0, 1), keepdims=True)
        return (x - means) * c(0.4, 0.3, 0.2, 0.1, 0.05) + means
    if kind == "saturate":
        return hsv(x, saturated(*c((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2))))
    if kind == "pixelate":
        share = c(0.6, 0.5, 0.4, 0.3, 0.25)
        small = Image.fromarray(pixels).resize((int(W * share), int(H * share)), Image.BOX)
        return np.asarray(small.resize((W, H), Image.BOX)) / 255.0
    raise ValueError(kind)


kinds = "gaussian-noise shot-noise impulse-noise speckle-noise gaussian-blur defocus-blur brightness contrast saturate pixelate"
found = {
    kind: [np.floor(np.clip(corrupted(kind, level), 0, 1) * 255 + 1e-9).astype(int).reshape(-1).tolist() for level in (1, 3, 5)]
    for kind in kinds.split()
}

model = Branches().eval()
image = torch.tensor((values(0.7, (16, 20, 3), 0.5) + 0.5).transpose(2, 0, 1)[None], dtype=torch.float32)
label = torch.tensor([1])
attacks = {
    "fgsm": torchattacks.FGSM(model, eps=0.05),
    "pgd": torchattacks.PGD(model, eps=0.05, alpha=0.02, steps=5, random_start=False),
}
for name, method in attacks.items():
    made = method(image, label).detach().numpy()[0].transpose(1, 2, 0).reshape(-1)
    found[name] = [float(f"{value:.6g}") for value in made]
path = Path("packages/inspect/test/golden/robustness.json")
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
