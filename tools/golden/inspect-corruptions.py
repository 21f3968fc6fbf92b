"""Corruptions of ImageNet-C, for packages/inspect/test/corruptions.test.ts and apps/cli/test/corruptions.test.ts (JPEG).

Needs numpy, scipy, scikit-image, Pillow, OpenCV and the package imagecorruptions. Run from the root of the repository:
python tools/golden/inspect-corruptions.py
The formulas are those of github.com/hendrycks/robustness, ImageNet-C/create_c/make_imagenet_c.py, with fixed draws, which the test
computes alike. What that code leaves to ImageMagick (motion blur) or fixes to images of 224 x 224 (fog, elastic) is
imagecorruptions' own code, which does the same in NumPy.
"""

import base64
import json
import sys
import types
from io import BytesIO
from pathlib import Path

import numpy as np
import scipy.ndimage
from inspect_networks import values
from PIL import Image
from scipy import stats
from scipy.ndimage import correlate, correlate1d
from scipy.ndimage import zoom as scizoom
from skimage import color, filters

# imagecorruptions 1.1.2 is older than NumPy 2, SciPy 1.15, scikit-image 0.20 and setuptools 82.
np.float_ = np.float64
sys.modules["scipy.ndimage.interpolation"] = types.SimpleNamespace(map_coordinates=scipy.ndimage.map_coordinates)
sys.modules["pkg_resources"] = types.SimpleNamespace(resource_filename=None)
from imagecorruptions import corruptions as package  # noqa: E402

H, W = 40, 44
EACH = 17
pixels = np.floor((values(31, (H, W, 3), 0.5) + 0.5) * 256).clip(0, 255).astype(np.uint8)
# Neighbors alike, as in photographs: noise alone has no shapes to blur.
pixels = np.uint8(np.clip(filters.gaussian(pixels.astype(float), sigma=1, channel_axis=-1) * 3 - 255, 0, 255))
photo = np.floor((values(35, (50, 60, 3), 0.5) + 0.5) * 256).clip(0, 255).astype(np.uint8)


class Stream:
    """Uniform numbers from 0 to 1, one after the other."""

    def __init__(self, stream=0):
        self.numbers, self.used = np.abs(values(33 + stream, (200_000,), 1)), 0

    def take(self, count):
        self.used += count
        return self.numbers[self.used - count : self.used]

    def uniform(self, low, high, size=()):
        return low + (high - low) * self.take(int(np.prod(size))).reshape(size)


def normal(*shape):
    return values(32, shape, 2)


def uniform(stream, *shape):
    return np.abs(values(33 + stream, shape, 1))


def patched(run):
    """Runs a function of imagecorruptions with fixed draws."""
    kept = np.random.uniform
    np.random.uniform = Stream().uniform
    try:
        return run()
    finally:
        np.random.uniform = kept


package.gaussian = lambda image, sigma, multichannel=False, **more: filters.gaussian(
    image, sigma, channel_axis=-1 if multichannel else None, **more
)


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


def clipped_zoom(image, factor):
    """make_imagenet_c.py's, with height and width that may differ."""
    sizes = image.shape[:2]
    parts = [int(np.ceil(size / factor)) for size in sizes]
    (top, left) = [(size - part) // 2 for size, part in zip(sizes, parts)]
    large = scizoom(image[top : top + parts[0], left : left + parts[1]], (factor, factor, 1), order=1)
    (top, left) = [(now - size) // 2 for now, size in zip(large.shape[:2], sizes)]
    return large[top : top + sizes[0], left : left + sizes[1]]


def glass(sigma, reach, rounds):
    draws = Stream()
    x = np.uint8(filters.gaussian(pixels / 255.0, sigma=sigma, channel_axis=-1) * 255)
    for _ in range(rounds):
        for h in range(H - reach, reach, -1):
            for w in range(W - reach, reach, -1):
                dx, dy = (int(np.floor(draw * 2 * reach)) - reach for draw in draws.take(2))
                h_prime, w_prime = h + dy, w + dx
                x[h, w], x[h_prime, w_prime] = x[h_prime, w_prime], x[h, w]
    return filters.gaussian(x / 255.0, sigma=sigma, channel_axis=-1)


def zoomed(factors):
    x = (pixels / 255.0).astype(np.float32)
    out = np.zeros_like(x)
    for factor in factors:
        out += clipped_zoom(x, factor)
    return (x + out) / (len(factors) + 1)


def snowy(c):
    x = pixels.astype(np.float32) / 255.0
    layer = clipped_zoom((c[0] + c[1] * normal(H, W))[..., np.newaxis], c[2])
    layer[layer < c[3]] = 0
    layer = np.clip(layer.squeeze(), 0, 1)
    layer = package._motion_blur(layer, radius=c[4], sigma=c[5], angle=Stream().uniform(-135, -45))
    layer = (np.round(layer * 255).astype(np.uint8) / 255.0)[..., np.newaxis]
    gray = (x @ np.array([0.299, 0.587, 0.114]))[..., np.newaxis]
    x = c[6] * x + (1 - c[6]) * np.maximum(x, gray * 1.5 + 0.5)
    return x + layer + np.rot90(layer, k=2)


def spattered(level):
    kept = np.random.normal
    np.random.normal = lambda size, loc, scale: loc + scale * normal(*size)
    try:
        return package.spatter(Image.fromarray(pixels), level)
    finally:
        np.random.normal = kept


def corrupted(kind, level):
    x = pixels / 255.0
    c = lambda *all: all[level - 1]
    if kind == "gaussian-noise":
        return x + normal(H, W, 3) * c(0.08, 0.12, 0.18, 0.26, 0.38)
    if kind == "shot-noise":
        photons = c(60, 25, 12, 5, 3)
        return stats.poisson.ppf(uniform(0, H, W, 3), x * photons) / photons
    if kind == "impulse-noise":
        # skimage.util.random_noise(mode="s&p")
        flipped = uniform(0, H, W, 3) <= c(0.03, 0.06, 0.09, 0.17, 0.27)
        salted = uniform(1, H, W, 3) <= 0.5
        made = x.copy()
        made[flipped & salted] = 1
        made[flipped & ~salted] = 0
        return made
    if kind == "speckle-noise":
        return x + x * normal(H, W, 3) * c(0.15, 0.2, 0.35, 0.45, 0.6)
    if kind == "gaussian-blur":
        return filters.gaussian(x, sigma=c(1, 2, 3, 4, 6), channel_axis=-1)
    if kind == "defocus-blur":
        kernel = disk(*c((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)))
        return np.stack([correlate(x[:, :, d], kernel, mode="mirror") for d in range(3)], -1)
    if kind == "glass-blur":
        return glass(*c((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)))
    if kind == "motion-blur":
        return patched(lambda: package.motion_blur(pixels, level)) / 255.0
    if kind == "zoom-blur":
        ranges = c((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
        return zoomed(np.arange(1, *ranges))
    if kind == "snow":
        return snowy(
            c(
                (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
                (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
                (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
                (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
                (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
            )
        )
    if kind == "frost":
        _, top, left = Stream().take(3)
        first, begin = int(np.floor(top * (50 - H))), int(np.floor(left * (60 - W)))
        share, added = c((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
        return (share * pixels + added * photo[first : first + H, begin : begin + W]) / 255.0
    if kind == "fog":
        return patched(lambda: package.fog(pixels, level)) / 255.0
    if kind == "spatter":
        return spattered(level) / 255.0
    if kind == "elastic":
        return patched(lambda: package.elastic_transform(pixels, level)) / 255.0
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
    if kind == "jpeg":
        file = BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=c(25, 18, 15, 10, 7))
        return np.asarray(Image.open(file)) / 255.0
    raise ValueError(kind)


def coded(image):
    """Every 17th byte."""
    return base64.b64encode(np.asarray(image, np.uint8).reshape(-1)[::EACH].tobytes()).decode()


kinds = """gaussian-noise shot-noise impulse-noise speckle-noise gaussian-blur defocus-blur glass-blur motion-blur zoom-blur snow frost
fog spatter elastic brightness contrast saturate pixelate jpeg"""
found = {
    kind: [coded(np.floor(np.clip(corrupted(kind, level), 0, 1) * 255 + 1e-9)) for level in range(1, 6)]
    for kind in kinds.split()
}
found = {"pixels": base64.b64encode(pixels.tobytes()).decode(), **found}
path = Path("packages/inspect/test/golden/corruptions.json")
path.write_text(json.dumps(found, indent=0) + "\n")
print(path, path.stat().st_size)
