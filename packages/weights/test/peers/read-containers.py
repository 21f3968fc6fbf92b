"""Reads peer-a.pth, .safetensors, .npz and .h5 in a folder with their makers. Prints type, shape and CRC-32 of each tensor."""
import json
import pathlib
import sys
import zlib

import h5py
import numpy as np
import safetensors.torch
import torch

folder = pathlib.Path(sys.argv[1])


def of_torch(tensors):
    def row(value):
        data = value.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return str(value.dtype).removeprefix("torch."), list(value.shape), f"{zlib.crc32(data):08x}"

    return {name: row(value) for name, value in tensors.items()}


def of_numpy(arrays):
    def row(value):
        # ml_dtypes' bfloat16 is a void type of two bytes in files.
        kind = "bfloat16" if value.dtype.str.endswith("V2") else value.dtype.name
        return kind, list(value.shape), f"{zlib.crc32(value.tobytes()):08x}"

    return {name: row(value) for name, value in arrays.items()}


def datasets(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: np.asarray(item[()])}) if isinstance(item, h5py.Dataset) else None)
    return found


print(
    json.dumps(
        {
            "peer-a.pth": of_torch(torch.load(folder / "peer-a.pth", weights_only=True)),
            "peer-a.safetensors": of_torch(safetensors.torch.load_file(folder / "peer-a.safetensors")),
            "peer-a.npz": of_numpy(dict(np.load(folder / "peer-a.npz"))),
            "peer-a.h5": of_numpy(datasets(folder / "peer-a.h5")),
        }
    )
)
