"""Weights, images and labels by formula: the same numbers in every system (`src/formula.ts` is the same in TypeScript)."""

import numpy as np


def fnv1a(text: str) -> int:
    h = 0x811C9DC5
    for byte in text.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


PIECE = 1 << 16


def uniform(name: str, count: int, low: float, high: float, dtype: type) -> np.ndarray:
    """`count` numbers in [low, high): murmur3's finaliser over the index, seeded by the name."""
    seed, values = np.uint32(fnv1a(name)), np.empty(count, dtype)
    # In pieces that stay in the cache: vgg16 has 138 million.
    for start in range(0, count, PIECE):
        piece = values[start : start + PIECE]
        with np.errstate(over="ignore"):
            x = np.arange(start + 1, start + 1 + len(piece), dtype=np.uint32)
            x *= np.uint32(0x9E3779B1)
            x ^= seed
            x ^= x >> np.uint32(16)
            x *= np.uint32(0x85EBCA6B)
            x ^= x >> np.uint32(13)
            x *= np.uint32(0xC2B2AE35)
            x ^= x >> np.uint32(16)
        piece[:] = low + (high - low) * (x / 4294967296.0)
    return values


RANGES = {
    "bias": (-0.05, 0.05),
    "beta": (-0.05, 0.05),
    "gamma": (0.9, 1.1),
    "moving_mean": (-0.05, 0.05),
    "moving_variance": (0.9, 1.1),
}


def weight(layer: str, role: str, shape: tuple[int, ...], gain: float) -> np.ndarray:
    """The weight of a layer in Keras' layout; kernels are uniform with variance gain / fan-in."""
    count = int(np.prod(shape))
    if role in RANGES:
        low, high = RANGES[role]
    else:
        fan_in = np.prod(shape[:2]) if role == "depthwise_kernel" else np.prod(shape[:-1])
        high = np.sqrt(3.0 * gain / float(fan_in))
        low = -high
    return uniform(f"{layer}/{role}", count, low, high, np.float32).reshape(shape)


def images(index: int, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Batch `index`: `[n, h, w, c]` in [0, scale)."""
    return uniform(f"images/{index}", int(np.prod(shape)), 0, scale, np.float32).reshape(shape)


def labels(index: int, count: int, classes: int) -> np.ndarray:
    """The labels of batch `index`: int32, below `classes` (0 or 1 where the network has one output)."""
    return uniform(f"labels/{index}", count, 0, max(classes, 2), np.float64).astype(np.int32)
