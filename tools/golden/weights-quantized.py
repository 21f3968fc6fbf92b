"""Writes small Keras models quantized to int8, int4 and float8, and one with LoRA, with what the float weights compute.

Run: <peers' python> tools/golden/weights-quantized.py packages/weights/test/golden/quantized
Keras itself rounds the inputs of int8 and float8 layers as well; the outputs here are of Keras' dequantized kernels.
"""
import json
import os
import pathlib
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from keras import layers as L

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
inputs = rng.normal(size=(2, 7)).astype("float32")


def network():
    x = image = keras.Input((7,))
    x = L.Dense(9, activation="relu", name="first")(x)
    x = L.EinsumDense("ab,bcd->adc", output_shape=(3, 4), bias_axes="c", name="einsum")(x)
    x = L.Flatten(name="flat")(x)
    return keras.Model(image, L.Dense(5, name="last")(x))


def filled():
    model = network()
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
    return model


numbers = {"inputs": inputs.tolist()}
for mode in ("int8", "int4", "float8"):
    model = filled()
    model.quantize(mode)
    plain = network()
    for layer, own in zip(model.layers, plain.layers):
        if not own.weights:
            continue
        kernel = layer.kernel
        if mode == "int8":
            scale = layer.kernel_scale
            kernel = keras.ops.divide(kernel, layer._adjust_scale_for_dequant(scale) if hasattr(layer, "equation") else scale)
        elif mode == "int4":
            from keras.src.quantizers.quantizers import dequantize_with_sz_map, unpack_int4

            columns = own.bias.shape[0] if not hasattr(layer, "equation") else layer._int4_unpacked_column_size
            unpacked = unpack_int4(layer._kernel, columns, axis=-1)
            kernel = dequantize_with_sz_map(unpacked, layer.kernel_scale, layer.kernel_zero, layer.g_idx, group_axis=0)
        own.set_weights([np.reshape(np.asarray(kernel, "float32"), own.kernel.shape), np.asarray(layer.bias)])
    path = out / f"{mode}.keras"
    model.save(path)
    with zipfile.ZipFile(path) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    numbers[mode] = np.asarray(plain(inputs)).tolist()

model = filled()
for layer in model.layers:
    if hasattr(layer, "enable_lora"):
        layer.enable_lora(2, lora_alpha=3)
for weight in model.weights:
    if "lora" in weight.path:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
model.save(out / "lora.h5")
numbers["lora"] = np.asarray(model(inputs)).tolist()
(out / "numbers.json").write_text(json.dumps(numbers) + "\n")
