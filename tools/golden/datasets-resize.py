"""Goldens for packages/datasets/test/resize.test.ts: what tf.image.resize (as Keras' image_dataset_from_directory calls it)
and keras' crop_to_aspect_ratio make of one small picture. Run in the peers' environment: python tools/golden/datasets-resize.py"""

import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

out = pathlib.Path(__file__).parents[2] / "packages/datasets/test/golden/resize.json"
rng = np.random.default_rng(7)
source = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
sizes = [(5, 7), (17, 13), (12, 5), (3, 10), (1, 1), (24, 4), (7, 20)]
cases = []


def record(mode, size, crop, pixels):
    # In tenths: what is compared is rounded to whole levels.
    tenths = np.round(np.asarray(pixels, "float64") * 10).astype(int)
    cases.append({"mode": mode, "size": size, "crop": crop, "tenths": tenths.ravel().tolist()})


for method in ("bilinear", "nearest", "bicubic", "area"):
    for size in sizes:
        record(method, size, False, tf.image.resize(source, size, method=method))
for size in sizes[:4]:
    record("bilinear", size, True, keras.preprocessing.image.smart_resize(source, size))
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"by": "tools/golden/datasets-resize.py", "keras": keras.__version__, "shape": source.shape, "source": source.ravel().tolist(), "cases": cases}, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
