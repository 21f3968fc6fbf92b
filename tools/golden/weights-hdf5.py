"""Writes small HDF5 files with every index of chunks and every way to keep links and attributes, with h5py itself.

Run: <a python with h5py 3.16 or newer, whose HDF5 is 2.0> tools/golden/weights-hdf5.py packages/weights/test/golden/hdf5
A dataset named "k-…" holds arange(size) * 0.25 - k; "paged" and "grown" hold arange(size) % 251.
"""
import pathlib
import sys

import h5py
import numpy as np

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def filled(shape, k):
    return (np.arange(int(np.prod(shape)), dtype="float32") * 0.25 - k).reshape(shape)


INDICES = {
    "single": ({"chunks": (10, 7)}, ("plain", "gzip")),
    "fixed": ({"chunks": (4, 3)}, ("plain", "gzip")),
    "fixed-max": ({"chunks": (4, 3), "maxshape": (20, 15)}, ("lzf",)),
    "extensible-rows": ({"chunks": (4, 3), "maxshape": (None, 9)}, ("gzip", "lzf")),
    "extensible-columns": ({"chunks": (2, 1), "maxshape": (12, None)}, ("plain", "gzip")),
    "tree": ({"chunks": (1, 1), "maxshape": (None, None)}, ("gzip",)),
}
PACKINGS = {
    "plain": {},
    "gzip": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
}


def write(path, libver, **options):
    with h5py.File(path, "w", libver=(libver, "latest"), **options) as f:
        k = 0
        for index, (chunks, packings) in INDICES.items():
            for packing in packings:
                f.create_dataset(f"{k}-{index}-{packing}", data=filled((10, 7), k), **chunks, **PACKINGS[packing])
                k += 1
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((4, 3))
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple((10, 7))
        implicit = h5py.h5d.create(f.id, f"{k}-implicit".encode(), h5py.h5t.IEEE_F32LE, space, properties)
        implicit.write(h5py.h5s.ALL, h5py.h5s.ALL, filled((10, 7), k))
        f.create_dataset("paged", data=(np.arange(1030) % 251).astype("u1"), chunks=(1,))
        f.create_dataset("grown", data=(np.arange(300) % 251).astype("u1"), chunks=(1,), maxshape=(None,))
        # Ten attributes, one too large for a block of their heap, and links by the order of their creation.
        group = f.create_group("ordered", track_order=True)
        for name in "zyx":
            group.create_dataset(f"0-{name}", data=filled((3,), 0))
        for index in range(10):
            group.attrs[f"text{index}"] = f"value {index}"
        group.attrs["large"] = np.array([f"{i:01000d}".encode() for i in range(6)])


write(out / "v110.h5", "v110", userblock_size=512)
write(out / "v200.h5", "v200")

with h5py.File(out / "external.h5", "w") as f:
    f.create_dataset("outside", (3,), "f4", external=[("weights.bin", 0, h5py.h5f.UNLIMITED)])
with h5py.File(out / "virtual.h5", "w", libver="latest") as f:
    layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", shape=(3,))
    f.create_virtual_dataset("outside", layout)
