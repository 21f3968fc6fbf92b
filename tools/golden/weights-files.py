"""Writes one small file of each format that @convkit/weights reads, with Keras, PyTorch, h5py and NumPy themselves.

Run: <peers' python> tools/golden/weights-files.py packages/weights/test/golden
The values: tensor k of a file is arange(size) * 0.25 - k, so that a test can state them without a second file.
"""
import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import h5py
import keras
import numpy as np
import safetensors.torch
import torch

out = pathlib.Path(sys.argv[1])


def filled(shape, k):
    return (np.arange(int(np.prod(shape)), dtype="float32") * 0.25 - k).reshape(shape)


def keras_model():
    layers = keras.layers
    image = keras.Input((6, 6, 2), name="image")
    x = layers.Conv2D(3, 3, padding="same", name="conv")(image)
    x = layers.BatchNormalization(name="bn", epsilon=1e-3)(x)
    x = layers.SeparableConv2D(4, 3, name="sep", padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0, name="relu6")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(2, activation="softmax", name="top")(x)
    model = keras.Model(image, x, name="small")
    model.set_weights([np.abs(filled(w.shape, k)) if "variance" in w.path else filled(w.shape, k) for k, w in enumerate(model.weights)])
    return model


model = keras_model()
model.save(out / "keras3.h5")
model.save(out / "keras3.keras")
model.save_weights(out / "keras3.weights.h5")

# The layout of keras.applications' published files: Keras 1.2 and 2 with fixed-length names and ":0".
with h5py.File(out / "keras2-weights.h5", "w") as f:
    f.attrs["layer_names"] = np.array([b"input_1", b"block1_conv1", b"fc1"])
    f.attrs["backend"] = b"tensorflow"
    f.attrs["keras_version"] = b"2.0.1"
    f.create_group("input_1").attrs["weight_names"] = np.array([], dtype="S1")
    conv = f.create_group("block1_conv1")
    conv.attrs["weight_names"] = np.array([b"block1_conv1_W_1:0", b"block1_conv1_b_1:0"])
    conv.create_dataset("block1_conv1_W_1:0", data=filled((3, 3, 2, 4), 0))
    conv.create_dataset("block1_conv1_b_1:0", data=filled((4,), 1))
    dense = f.create_group("fc1")
    dense.attrs["weight_names"] = np.array([b"fc1/kernel:0", b"fc1/bias:0"])
    dense.create_dataset("fc1/kernel:0", data=filled((4, 2), 2), chunks=(3, 2), compression="gzip", shuffle=True, fletcher32=True)
    dense.create_dataset("fc1/bias:0", data=filled((2,), 3).astype(">f8"))

with h5py.File(out / "latest.h5", "w", libver="latest") as f:
    f.attrs["layer_names"] = np.array([b"a"])
    group = f.create_group("a")
    group.attrs["weight_names"] = np.array([b"a/kernel", b"a/half"])
    group.create_dataset("a/kernel", data=filled((4, 3), 0), chunks=(4, 3), compression="gzip")
    group.create_dataset("a/half", data=filled((5,), 1).astype("float16"))

# Checksums that HDF5 stores behind a chunk of bytes: `(37 i + 11) mod 256`, and 255 throughout.
checksums = []
with h5py.File("checksums", "w", driver="core", backing_store=False) as f:
    for size in (1, 2, 3, 720, 721, 5001):
        for kind, data in (("mixed", (np.arange(size) * 37 + 11) % 256), ("full", np.full(size, 255))):
            dataset = f.create_dataset(f"{kind}{size}", data=data.astype("u1"), chunks=(size,), fletcher32=True)
            chunk = dataset.id.read_direct_chunk((0,))[1]
            checksums.append({"kind": kind, "size": size, "fletcher32": int.from_bytes(chunk[-4:], "little")})
(out / "fletcher32.json").write_text(json.dumps(checksums, indent=2) + "\n")

state = {
    "conv.weight": torch.from_numpy(filled((3, 2, 3, 3), 0)),
    "bn.num_batches_tracked": torch.tensor(7),
    "half": torch.from_numpy(filled((5,), 2)).half(),
    "brain": torch.from_numpy(filled((5,), 3)).bfloat16(),
    "turned": torch.from_numpy(filled((3, 4), 4)).t(),
}
torch.save(state, out / "state.pth")
torch.save({"epoch": 3, "state_dict": state}, out / "state-legacy.pth", _use_new_zipfile_serialization=False)
safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, out / "state.safetensors", metadata={"format": "pt"})
np.save(out / "array.npy", filled((2, 3), 0))
