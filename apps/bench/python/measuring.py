"""Timing that is the same for every system (`src/drivers/measure.ts` is the same in TypeScript)."""

import time


def measure(steps, seconds: float, count: int) -> list[float]:
    """Milliseconds a step: `count` means, each over as many steps as fill `seconds / count` (`steps(n)` runs n steps).
    Slow steps get fewer samples: none is begun after four times `seconds`."""
    begin = time.perf_counter()
    warm = 0
    while warm < 3 and time.perf_counter() - begin < 2 * seconds:
        start = time.perf_counter()
        steps(1)
        step = time.perf_counter() - start
        warm += 1
    size = max(1, min(1000, round(seconds / count / step)))
    begin, times = time.perf_counter(), []
    while len(times) < count and time.perf_counter() - begin < 4 * seconds:
        start = time.perf_counter()
        steps(size)
        times.append((time.perf_counter() - start) * 1000 / size)
    return times
