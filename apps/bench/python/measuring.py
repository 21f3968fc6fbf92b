"""Timing that is the same for every system (`src/drivers/measure.ts` is the same in TypeScript)."""

import os
import time

import numpy as np


def measure(steps, seconds: float, count: int, step: float = 0) -> list[float]:
    """Milliseconds a step: `count` means, each over as many steps as fill `seconds / count` (`steps(n)` runs n steps).
    `step` is how long one took, in seconds, that was no first one: one that fills `seconds` needs no further warm-up.
    Slow steps get fewer samples: none is begun after three times `seconds`."""
    begin = time.perf_counter()
    warm = 0
    while warm < 3 and step < seconds and time.perf_counter() - begin < 2 * seconds:
        start = time.perf_counter()
        steps(1)
        step = time.perf_counter() - start
        warm += 1
    size = max(1, min(1000, round(seconds / count / step)))
    begin, times = time.perf_counter(), []
    while len(times) < count and time.perf_counter() - begin < 3 * seconds:
        start = time.perf_counter()
        steps(size)
        times.append((time.perf_counter() - start) * 1000 / size)
    return times


def read_mnist(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images `[n, 28, 28]` and labels `[n]`, bytes, of `train` or `t10k`."""
    images = np.fromfile(os.path.join(folder, f"{part}-images-idx3-ubyte"), np.uint8, offset=16)
    return images.reshape(-1, 28, 28), np.fromfile(os.path.join(folder, f"{part}-labels-idx1-ubyte"), np.uint8, offset=8)


def measure_stream(batches, seconds: float, count: int) -> list[float]:
    """Milliseconds a batch of an endless stream, epoch after epoch (`batches()` iterates over one): after epochs of `2 * seconds` in
    which pipelines tune themselves and fill their buffers, `count` samples of as many whole epochs as fill `seconds` each, without a
    pause in between. Slow streams get fewer: none is begun after three times `seconds * count`."""
    times, start, number, begin = [], time.perf_counter(), 0, None
    while True:
        for _ in batches():
            number += 1
        now = time.perf_counter()
        if now - start < (2 if begin is None else 1) * seconds:
            continue
        if begin is not None:
            times.append((now - start) * 1000 / number)
        begin = now if begin is None else begin
        if len(times) == count or now - begin > 3 * seconds * count:
            return times
        start, number = now, 0
