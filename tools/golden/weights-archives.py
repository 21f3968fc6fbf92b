"""Packs golden/keras3.keras again by the other methods that Python's zipfile has, and writes an .npz.

Run: <a python with numpy> tools/golden/weights-archives.py packages/weights/test/golden
"""
import pathlib
import sys
import zipfile

import numpy as np

out = pathlib.Path(sys.argv[1])
for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
    with zipfile.ZipFile(out / "keras3.keras") as source:
        with zipfile.ZipFile(out / f"keras3-{name}.keras", "w", method) as packed:
            for entry in source.infolist():
                info = zipfile.ZipInfo(entry.filename, entry.date_time)
                info.compress_type = method
                packed.writestr(info, source.read(entry))

# Array k is arange(size) * 0.25 - k.
arrays = {"conv/kernel": ((3, 2), "float32"), "bias": ((3,), "float64")}
np.savez(
    out / "arrays.npz",
    **{name: (np.arange(np.prod(shape)) * 0.25 - k).reshape(shape).astype(dtype) for k, (name, (shape, dtype)) in enumerate(arrays.items())},
)
