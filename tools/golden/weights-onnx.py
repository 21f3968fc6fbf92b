"""Writes small ONNX files of single operators, their inputs and what ONNX Runtime answers: a packed JSON for each group.

Run with a Python that has onnx, onnxruntime and numpy: python tools/golden/weights-onnx.py [folder]
"""
import base64
import gzip
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path("packages/weights/test/golden/onnx")
folder.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
groups = {}


def floats(*shape):
    return np.round(rng.normal(size=shape), 2).astype(np.float32)


def model(nodes, inputs, outputs, constants=None, opset=17, ir=8, domains=()):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in domains]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=ir)
    return made


def case(group, title, nodes, x, constants=None, opset=17, shape=None, outputs=("y",), kind=TensorProto.FLOAT, out=TensorProto.FLOAT, domains=(), tolerance=None):
    shape = ["n", *x.shape[1:]] if shape is None else shape
    made = model(nodes, [("x", kind, shape)], [(name, out) for name in outputs], constants, opset, 8 if opset < 20 else 10, domains)
    data = made.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    results = session.run(None, {"x": x})
    entry = {
        "title": title,
        "model": base64.b64encode(data).decode(),
        "x": {"shape": list(x.shape), "data": [float(f"{float(v):.6g}") for v in x.flatten()]},
        "y": [{"shape": list(np.shape(y)), "data": [float(f"{float(v):.6g}") for v in np.asarray(y).flatten()]} for y in results],
    }
    if tolerance is not None:
        entry["tolerance"] = tolerance
    groups.setdefault(group, []).append(entry)


def node(op, inputs=("x",), outputs=("y",), domain="", **attributes):
    return helper.make_node(op, list(inputs), list(outputs), domain=domain, **attributes)


def i64(*values):
    return np.array(values, dtype=np.int64)


def f32(*values):
    return np.array(values, dtype=np.float32)


# Convolutions. The relu before the convolution shows that the layout survives elementwise functions.
image = floats(2, 4, 5, 6)
for title, weight, attributes in [
    ("pads", (3, 4, 3, 3), dict(pads=[1, 1, 1, 1])),
    ("stride 2", (3, 4, 3, 3), dict(pads=[1, 1, 1, 1], strides=[2, 2])),
    ("strides 1 and 2", (3, 4, 3, 3), dict(strides=[1, 2])),
    ("asymmetric pads", (3, 4, 3, 2), dict(pads=[0, 1, 2, 0])),
    ("dilations", (3, 4, 3, 2), dict(dilations=[2, 3])),
    ("dilations and strides", (3, 4, 3, 2), dict(dilations=[2, 2], strides=[2, 1], pads=[2, 0, 1, 2])),
    ("groups", (6, 2, 3, 3), dict(group=2, pads=[1, 1, 1, 1])),
    ("dilated groups", (6, 2, 3, 3), dict(group=2, pads=[2, 2, 2, 2], dilations=[2, 2])),
    ("depthwise", (4, 1, 3, 3), dict(group=4, pads=[1, 1, 1, 1], strides=[2, 2])),
    ("depthwise multiplier", (8, 1, 3, 3), dict(group=4)),
    ("depthwise dilated", (4, 1, 3, 3), dict(group=4, dilations=[2, 2])),
    ("depthwise, unequal strides", (4, 1, 3, 3), dict(group=4, strides=[1, 2])),
    ("SAME_UPPER", (3, 4, 3, 2), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    ("SAME_LOWER", (3, 4, 2, 2), dict(auto_pad="SAME_LOWER")),
    ("SAME_LOWER stride 2", (3, 4, 3, 2), dict(auto_pad="SAME_LOWER", strides=[2, 2])),
    ("VALID", (3, 4, 3, 2), dict(auto_pad="VALID")),
]:
    case("convolutions", f"Conv {title}", [node("Conv", ["x", "w", "b"], **attributes)], image, {"w": floats(*weight), "b": floats(weight[0])})
case("convolutions", "Conv, then a bias by Add", [node("Conv", ["x", "w"], ["a"]), node("Add", ["a", "b"])], image, {"w": floats(3, 4, 3, 3), "b": floats(1, 3, 1, 1)})
case("convolutions", "Conv, then a bias by Add from the left", [node("Conv", ["x", "w"], ["a"]), node("Add", ["b", "a"])], image, {"w": floats(3, 4, 3, 3), "b": floats(3, 1, 1)})
affine = {"k": floats(1, 3, 1, 1), "m": floats(3, 1, 1), "v": floats(2, 3, 1, 1)}
case("convolutions", "Conv, a factor and an offset for each channel", [node("Conv", ["x", "w", "b"], ["a"]), node("Mul", ["a", "k"], ["c"]), node("Add", ["c", "m"])], image, {"w": floats(3, 4, 3, 3), "b": floats(3), "k": affine["k"], "m": affine["m"]})
case("convolutions", "a factor and an offset, then Conv", [node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2]), node("Conv", ["p", "u"], ["q"]), node("Relu", ["q"], ["r"]), node("Mul", ["r", "k"], ["c"]), node("Add", ["c", "m"], ["d"]), node("Conv", ["d", "v"])], image, {"u": floats(3, 4, 1, 1), **affine})
case("convolutions", "Conv any size", [node("Conv", ["x", "w"], pads=[1, 1, 1, 1])], image, {"w": floats(3, 4, 3, 3)}, shape=["n", 4, "h", "w"])
case("convolutions", "Conv stride 2, any size", [node("Conv", ["x", "w"], pads=[1, 1, 1, 1], strides=[2, 2])], image, {"w": floats(3, 4, 3, 3)}, shape=["n", 4, None, None])
case("convolutions", "Conv of one image", [node("Conv", ["x", "w"])], floats(1, 4, 5, 6), {"w": floats(3, 4, 3, 3)}, shape=[1, 4, 5, 6])
case("convolutions", "one kernel twice", [node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]), node("Conv", ["a", "w"], pads=[1, 1, 1, 1])], image, {"w": floats(4, 4, 3, 3)})
line = floats(2, 3, 9)
case("convolutions", "Conv 1d", [node("Conv", ["x", "w", "b"], pads=[1, 1], strides=[2])], line, {"w": floats(4, 3, 3), "b": floats(4)})
case("convolutions", "Conv 1d depthwise", [node("Conv", ["x", "w"], group=3, dilations=[2])], line, {"w": floats(3, 1, 3)})
volume = floats(1, 2, 4, 5, 3)
case("convolutions", "Conv 3d", [node("Conv", ["x", "w", "b"], pads=[1, 0, 1, 1, 2, 1])], volume, {"w": floats(3, 2, 3, 2, 2), "b": floats(3)})
for title, weight, attributes in [
    ("plain", (4, 3, 3, 3), dict()),
    ("stride 2", (4, 3, 3, 3), dict(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])),
    ("stride 2, kernel 4", (4, 3, 4, 4), dict(strides=[2, 2], pads=[1, 1, 1, 1])),
    ("stride 2, kernel 2", (4, 3, 2, 2), dict(strides=[2, 2])),
    ("stride 3, kernel 2", (4, 3, 2, 2), dict(strides=[3, 3])),
    ("asymmetric pads", (4, 3, 4, 3), dict(strides=[2, 1], pads=[0, 1, 2, 0])),
    ("dilated", (4, 3, 3, 2), dict(dilations=[2, 2])),
    ("output_padding", (4, 3, 3, 3), dict(strides=[2, 2], output_padding=[1, 1])),
    ("SAME_UPPER", (4, 3, 3, 3), dict(strides=[2, 2], auto_pad="SAME_UPPER")),
    ("output_shape", (4, 3, 3, 3), dict(strides=[2, 2], output_shape=[10, 12])),
]:
    case("transposed-convolutions", f"ConvTranspose {title}", [node("ConvTranspose", ["x", "w", "b"], **attributes)], image, {"w": floats(*weight), "b": floats(weight[1])})
case("transposed-convolutions", "ConvTranspose 1d", [node("ConvTranspose", ["x", "w"], strides=[2], pads=[1, 1])], line, {"w": floats(3, 2, 4)})
case("transposed-convolutions", "ConvTranspose 3d", [node("ConvTranspose", ["x", "w"], strides=[2, 1, 1])], volume, {"w": floats(2, 3, 2, 2, 2)})

# Dense layers, products and flattened maps.
rows = floats(3, 5)
case("products", "Gemm", [node("Gemm", ["x", "w", "b"])], rows, {"w": floats(5, 4), "b": floats(4)})
case("products", "Gemm transB, alpha, beta", [node("Gemm", ["x", "w", "b"], transB=1, alpha=0.5, beta=2.0)], rows, {"w": floats(4, 5), "b": floats(1, 4)})
case("products", "Gemm with one bias", [node("Gemm", ["x", "w", "b"])], rows, {"w": floats(5, 4), "b": floats(1)})
case("products", "MatMul", [node("MatMul", ["x", "w"])], rows, {"w": floats(5, 4)})
case("products", "MatMul, then Add", [node("MatMul", ["x", "w"], ["a"]), node("Add", ["a", "b"])], rows, {"w": floats(5, 4), "b": floats(4)})
case("products", "MatMul of a map's width", [node("MatMul", ["x", "w"])], image, {"w": floats(6, 3)})
case("products", "MatMul from the left", [node("Relu", ["x"], ["a"]), node("MatMul", ["w", "a"])], image, {"w": floats(3, 5)})
case("products", "MatMul of two signals", [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("MatMul", ["x", "t"])], line)
conv_flat = [node("Conv", ["x", "w"], ["a"]), node("Relu", ["a"], ["r"])]
conv_w = {"w": floats(3, 4, 3, 3)}
case("products", "flattened map", [*conv_flat, node("Flatten", ["r"], ["f"]), node("Gemm", ["f", "d", "b"])], image, {**conv_w, "d": floats(36, 4), "b": floats(4)})
case("products", "flattened map by Reshape, then MatMul", [*conv_flat, node("Reshape", ["r", "s"], ["f"]), node("MatMul", ["f", "d"], ["m"]), node("Add", ["m", "b"])], image, {**conv_w, "d": floats(36, 4), "b": floats(4), "s": i64(0, -1)})
case("products", "flattened map by Shape, Gather, Concat", [*conv_flat, node("Shape", ["r"], ["s0"]), node("Gather", ["s0", "zero"], ["s1"], axis=0), node("Unsqueeze", ["s1", "zeros"], ["s2"]), node("Concat", ["s2", "minus"], ["s"], axis=0), node("Reshape", ["r", "s"], ["f"]), node("Gemm", ["f", "d"], transB=1)], image, {**conv_w, "d": floats(4, 36), "zero": np.array(0, dtype=np.int64), "zeros": i64(0), "minus": i64(-1)})
case("products", "flattened map with a fixed batch", [*conv_flat, node("Reshape", ["r", "s"], ["f"]), node("Gemm", ["f", "d"])], floats(2, 4, 5, 6), {**conv_w, "d": floats(36, 4), "s": i64(2, 36)}, shape=[2, 4, 5, 6])
case("products", "flattened map, normalized before the dense layer", [*conv_flat, node("Flatten", ["r"], ["f"]), node("BatchNormalization", ["f", "g", "h", "m", "v"], ["n"]), node("Gemm", ["n", "d"])], image, {**conv_w, "d": floats(36, 4), "g": floats(36), "h": floats(36), "m": floats(36), "v": np.abs(floats(36)) + 0.5})
case("products", "flattened map as output", [*conv_flat, node("Flatten", ["r"])], image, conv_w)
case("products", "flattened map times a vector", [*conv_flat, node("Flatten", ["r"], ["f"]), node("Mul", ["f", "d"])], image, {**conv_w, "d": floats(36)})
case("products", "channels last, flattened (tf2onnx)", [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["a"]), node("Transpose", ["a"], ["l"], perm=[0, 2, 3, 1]), node("Reshape", ["l", "s"], ["f"]), node("MatMul", ["f", "d"])], floats(2, 5, 6, 4), {**conv_w, "d": floats(36, 4), "s": i64(-1, 36)})
case("products", "Einsum", [node("Einsum", ["x", "w"], equation="ncl,ck->nkl")], line, {"w": floats(3, 2)})

# Pools.
for title, op, attributes in [
    ("MaxPool", "MaxPool", dict(kernel_shape=[2, 2], strides=[2, 2])),
    ("MaxPool pads", "MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    ("MaxPool ceil", "MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
    ("MaxPool ceil pads", "MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, pads=[1, 1, 1, 1])),
    ("MaxPool SAME_UPPER", "MaxPool", dict(kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")),
    ("MaxPool SAME_LOWER", "MaxPool", dict(kernel_shape=[3, 2], strides=[1, 2], auto_pad="SAME_LOWER")),
    ("AveragePool", "AveragePool", dict(kernel_shape=[2, 3], strides=[2, 1])),
    ("AveragePool pads", "AveragePool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    ("AveragePool counting pads", "AveragePool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)),
    ("AveragePool asymmetric pads", "AveragePool", dict(kernel_shape=[3, 3], pads=[0, 1, 1, 0])),
    ("AveragePool ceil", "AveragePool", dict(kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)),
    ("AveragePool SAME_UPPER", "AveragePool", dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")),
]:
    case("pools", title, [node(op, **attributes)], image)
case("pools", "MaxPool, then a convolution", [node("MaxPool", ["x"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), node("Conv", ["a", "w"])], image, conv_w)
case("pools", "MaxPool 1d", [node("MaxPool", kernel_shape=[3], strides=[2], pads=[1, 1])], line)
case("pools", "AveragePool 1d", [node("AveragePool", kernel_shape=[2], strides=[2])], line)
case("pools", "MaxPool 3d", [node("MaxPool", kernel_shape=[2, 2, 2], strides=[2, 2, 1])], volume)
case("pools", "AveragePool 3d counting pads", [node("AveragePool", kernel_shape=[2, 2, 2], pads=[1, 0, 0, 1, 0, 0], count_include_pad=1)], volume)
for op in ("GlobalAveragePool", "GlobalMaxPool"):
    case("pools", op, [node(op)], image)
    case("pools", f"{op}, flattened", [node(op, ["x"], ["a"]), node("Flatten", ["a"], ["f"]), node("Gemm", ["f", "w"])], image, {"w": floats(4, 3)})
    case("pools", f"{op} 1d", [node(op)], line)
    case("pools", f"{op} 3d", [node(op)], volume)
case("pools", "squeeze and excite", [node("GlobalAveragePool", ["x"], ["a"]), node("Conv", ["a", "w1"], ["b"]), node("Relu", ["b"], ["c"]), node("Conv", ["c", "w2"], ["d"]), node("Sigmoid", ["d"], ["e"]), node("Mul", ["x", "e"])], image, {"w1": floats(2, 4, 1, 1), "w2": floats(4, 2, 1, 1)})
case("pools", "squeeze and excite by dense layers", [node("ReduceMean", ["x"], ["a"], axes=[2, 3], keepdims=0), node("Gemm", ["a", "w1"], ["b"]), node("Sigmoid", ["b"], ["c"]), node("Unsqueeze", ["c", "u"], ["e"]), node("Mul", ["e", "x"])], image, {"w1": floats(4, 4), "u": i64(2, 3)})
case("pools", "LRN", [node("LRN", size=3, alpha=0.1, beta=0.5, bias=2.0)], image)

# Normalizations.
norm = {"g": floats(4), "b": floats(4), "m": floats(4), "v": np.abs(floats(4)) + 0.5}
case("norms", "BatchNormalization", [node("BatchNormalization", ["x", "g", "b", "m", "v"], epsilon=0.01)], image, norm)
case("norms", "BatchNormalization after a convolution", [node("Conv", ["x", "w"], ["a"]), node("BatchNormalization", ["a", "g", "b", "m", "v"])], image, {**norm, "w": floats(4, 4, 3, 3)})
case("norms", "BatchNormalization of rows", [node("BatchNormalization", ["x", "g", "b", "m", "v"])], floats(3, 4), norm)
case("norms", "BatchNormalization of a sequence", [node("BatchNormalization", ["x", "g", "b", "m", "v"])], floats(3, 4, 5), norm)
case("norms", "BatchNormalization of a volume", [node("BatchNormalization", ["x", "g", "b", "m", "v"])], floats(2, 4, 2, 3, 2), norm)
case("norms", "InstanceNormalization", [node("InstanceNormalization", ["x", "g", "b"])], image, {"g": norm["g"], "b": norm["b"]})
case("norms", "InstanceNormalization of a sequence", [node("InstanceNormalization", ["x", "g", "b"])], floats(2, 4, 6), {"g": norm["g"], "b": norm["b"]})
case("norms", "group normalization (PyTorch)", [node("Conv", ["x", "w"], ["c"]), node("Reshape", ["c", "s"], ["r"]), node("InstanceNormalization", ["r", "one", "zero"], ["i"]), node("Shape", ["c"], ["t"]), node("Reshape", ["i", "t"], ["k"]), node("Mul", ["k", "g"], ["l"]), node("Add", ["l", "b"])], image, {"w": floats(4, 4, 3, 3), "s": i64(0, 2, -1), "one": f32(1, 1), "zero": f32(0, 0), "g": floats(4, 1, 1), "b": floats(4, 1, 1)})
case("norms", "GroupNormalization of 18", [node("GroupNormalization", ["x", "g", "b"], num_groups=2)], image, {"g": floats(2), "b": floats(2)}, opset=18)
case("norms", "GroupNormalization of 21", [node("GroupNormalization", ["x", "g", "b"], num_groups=2)], image, {"g": floats(4), "b": floats(4)}, opset=21)
case("norms", "LayerNormalization over channels", [node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), node("LayerNormalization", ["t", "g", "b"], ["l"], epsilon=1e-6), node("Transpose", ["l"], perm=[0, 3, 1, 2])], image, {"g": floats(4), "b": floats(4)})
case("norms", "LayerNormalization over width", [node("LayerNormalization", ["x", "g", "b"])], image, {"g": floats(6), "b": floats(6)})
case("norms", "LayerNormalization over three axes", [node("Relu", ["x"], ["a"]), node("MaxPool", ["a"], ["p"], kernel_shape=[1, 1]), node("LayerNormalization", ["p", "g", "b"], axis=1)], image, {"g": floats(4, 5, 6), "b": floats(4, 5, 6)})
case("norms", "LayerNormalization without offset", [node("LayerNormalization", ["x", "g"])], rows, {"g": floats(5)})

# Activations.
for op, attributes in [
    ("Relu", {}), ("Sigmoid", {}), ("Tanh", {}), ("Softplus", {}), ("Softsign", {}), ("Selu", {}), ("HardSwish", {}), ("Mish", {}),
    ("Elu", dict(alpha=0.7)), ("Elu", {}), ("Celu", dict(alpha=0.7)), ("LeakyRelu", dict(alpha=0.3)), ("LeakyRelu", {}),
    ("ThresholdedRelu", dict(alpha=0.4)), ("HardSigmoid", {}), ("HardSigmoid", dict(alpha=1 / 6, beta=0.5)), ("HardSigmoid", dict(alpha=0.3, beta=0.4)),
    ("Shrink", dict(lambd=0.5)), ("Shrink", dict(lambd=0.5, bias=0.5)), ("Erf", {}), ("Exp", {}), ("Abs", {}), ("Neg", {}), ("Floor", {}), ("Ceil", {}), ("Round", {}), ("Sign", {}),
    ("Sin", {}), ("Cos", {}), ("Atan", {}), ("Identity", {}), ("Reciprocal", {}),
]:
    opset = 18 if op == "Mish" else 17
    case("activations", f"{op} {attributes or ''}".strip(), [node(op, **attributes)], floats(3, 7) + 0.005, opset=opset)
for op in ("Tan", "Sinh", "Cosh", "Asin", "Acos", "Asinh", "Atanh"):
    case("activations", op, [node(op)], np.clip(floats(3, 4), -0.9, 0.9))
case("activations", "Acosh", [node("Acosh")], np.abs(floats(3, 4)) + 1.1)
for op in ("Sqrt", "Log"):
    case("activations", op, [node(op)], np.abs(floats(3, 7)) + 0.1)
case("activations", "Gelu", [node("Gelu")], rows, opset=20)
case("activations", "Gelu tanh", [node("Gelu", approximate="tanh")], rows, opset=20)
case("activations", "gelu of PyTorch", [node("Div", ["x", "r"], ["a"]), node("Erf", ["a"], ["e"]), node("Add", ["e", "one"], ["p"]), node("Mul", ["x", "p"], ["m"]), node("Mul", ["m", "half"])], rows, {"r": np.float32(2**0.5).reshape(()), "one": np.array(1, np.float32), "half": np.array(0.5, np.float32)})
case("activations", "gelu of another", [node("Mul", ["x", "r"], ["a"]), node("Erf", ["a"], ["e"]), node("Add", ["one", "e"], ["p"]), node("Mul", ["x", "half"], ["h"]), node("Mul", ["h", "p"])], rows, {"r": np.array(0.5**0.5, np.float32), "one": np.array(1, np.float32), "half": np.array(0.5, np.float32)})
case("activations", "no gelu: another factor", [node("Div", ["x", "r"], ["a"]), node("Erf", ["a"], ["e"]), node("Add", ["e", "one"], ["p"]), node("Mul", ["x", "p"], ["m"]), node("Mul", ["m", "half"])], rows, {"r": np.array(1.5, np.float32), "one": np.array(1, np.float32), "half": np.array(0.5, np.float32)})
case("activations", "swish", [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"])], rows)
case("activations", "no swish: another factor", [node("Sigmoid", ["x"], ["s"]), node("Relu", ["x"], ["r"]), node("Mul", ["r", "s"])], rows)
case("activations", "mish of PyTorch", [node("Softplus", ["x"], ["s"]), node("Tanh", ["s"], ["t"]), node("Mul", ["x", "t"])], rows)
case("activations", "hardswish of PyTorch", [node("HardSigmoid", ["x"], ["s"], alpha=1 / 6, beta=0.5), node("Mul", ["x", "s"])], rows * 3)
case("activations", "Clip 0 to 6", [node("Clip", ["x", "a", "b"])], rows * 5, {"a": np.array(0, np.float32), "b": np.array(6, np.float32)})
case("activations", "Clip from below", [node("Clip", ["x", "a"])], rows, {"a": np.array(-0.5, np.float32)})
case("activations", "Clip from above", [node("Clip", ["x", "", "b"])], rows, {"b": np.array(0.5, np.float32)})
case("activations", "Clip of 6", [node("Clip", min=-0.5, max=0.75)], rows, opset=7)
case("activations", "PRelu", [node("PRelu", ["x", "s"])], image, {"s": floats(4, 1, 1)})
case("activations", "PRelu with one slope", [node("PRelu", ["x", "s"])], image, {"s": floats(1)})
case("activations", "PRelu with a slope for each place", [node("Conv", ["x", "w"], ["a"]), node("PRelu", ["a", "s"])], image, {"w": floats(4, 4, 1, 1), "s": floats(4, 5, 6)})
for axis in (1, -1, 2):
    case("activations", f"Softmax over {axis}", [node("Softmax", axis=axis)], image)
    case("activations", f"LogSoftmax over {axis}", [node("LogSoftmax", axis=axis)], image)
case("activations", "Softmax of 11", [node("Softmax", axis=1)], image, opset=11)
case("activations", "Softmax of rows", [node("Softmax")], rows)
case("activations", "Dropout", [node("Dropout")], rows)
case("activations", "Dropout of 7", [node("Dropout", ratio=0.3)], rows, opset=7)

# Arithmetic.
for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
    for title, other in [("a number", np.array(1.5, np.float32)), ("channels", floats(4, 1, 1) + 3), ("columns", floats(6) + 3), ("rows and columns", floats(1, 5, 6) + 3), ("everything", floats(1, 4, 5, 6) + 3)]:
        case("arithmetic", f"{op} with {title}", [node("MaxPool", ["x"], ["a"], kernel_shape=[1, 1]), node(op, ["a", "c"])], image[:1, :, :, :], {"c": other})
    case("arithmetic", f"{op} from the left", [node("MaxPool", ["x"], ["a"], kernel_shape=[1, 1]), node(op, ["c", "a"])], image[:1] + 5, {"c": floats(4, 1, 1) + 3})
    case("arithmetic", f"{op} of two maps", [node("Conv", ["x", "w"], ["a"]), node("Conv", ["x", "v"], ["b"]), node(op, ["a", "b"])], image[:1], {"w": floats(3, 4, 1, 1), "v": floats(3, 4, 1, 1)})
    case("arithmetic", f"{op} of a map and a pooled map", [node("GlobalMaxPool", ["x"], ["a"]), node(op, ["x", "a"])], image[:1] + 5)
    case("arithmetic", f"{op} of a value with itself", [node(op, ["x", "x"])], rows + 5)
case("arithmetic", "growing by a constant", [node("Add", ["x", "c"])], floats(2, 4, 1, 1), {"c": floats(4, 3, 2)})
case("arithmetic", "a map and a transposed map", [node("Conv", ["x", "w"], ["a"]), node("Transpose", ["a"], ["t"], perm=[0, 1, 3, 2]), node("Add", ["a", "t"])], floats(2, 4, 5, 5), {"w": floats(4, 4, 1, 1)})
case("arithmetic", "Pow 2", [node("Pow", ["x", "c"])], rows, {"c": np.array(2, np.float32)})
case("arithmetic", "Pow of a constant", [node("Pow", ["c", "x"])], rows, {"c": np.array(2, np.float32)})
case("arithmetic", "Sum of three", [node("Sum", ["x", "c", "x"])], rows, {"c": floats(5)})
case("arithmetic", "Mean of two", [node("Relu", ["x"], ["a"]), node("Mean", ["x", "a"])], rows)
case("arithmetic", "Where and Greater", [node("Greater", ["x", "c"], ["k"]), node("Where", ["k", "x", "d"])], image, {"c": floats(4, 1, 1), "d": np.array(-1, np.float32)})
for op in ("Equal", "Less", "LessOrEqual", "GreaterOrEqual"):
    case("arithmetic", op, [node(op, ["x", "c"], ["k"]), node("Cast", ["k"], to=TensorProto.FLOAT)], rows, {"c": rows[0]})
case("arithmetic", "Not, And, Or", [node("Greater", ["x", "c"], ["k"]), node("Less", ["x", "d"], ["l"]), node("Not", ["k"], ["m"]), node("And", ["m", "l"], ["n1"]), node("Or", ["n1", "k"], ["o"]), node("Cast", ["o"], to=TensorProto.FLOAT)], rows, {"c": f32(0.5), "d": f32(-0.2)})
case("arithmetic", "Cast to whole numbers and back", [node("Cast", ["x"], ["i"], to=TensorProto.INT32), node("Cast", ["i"], to=TensorProto.FLOAT)], rows * 3)
for op, constant in (("IsInf", 1.0), ("IsNaN", 0.0)):
    case("arithmetic", op, [node("Div", ["c", "x"], ["a"]), node(op, ["a"], ["k"]), node("Cast", ["k"], to=TensorProto.FLOAT)], f32(0, 1, 2, 0).reshape(2, 2), {"c": f32(constant)})
case("arithmetic", "Xor", [node("Greater", ["x", "c"], ["k"]), node("Less", ["x", "d"], ["l"]), node("Xor", ["k", "l"], ["o"]), node("CastLike", ["o", "x"])], rows, {"c": f32(-0.5), "d": f32(0.2)})
case("arithmetic", "Mod", [node("Cast", ["x"], ["i"], to=TensorProto.INT32), node("Mod", ["i", "c"], ["m"]), node("Cast", ["m"], to=TensorProto.FLOAT)], rows * 5, {"c": np.array(3, np.int32)})
case("arithmetic", "Size", [node("Size", ["c"], ["s"]), node("Cast", ["s"], ["f"], to=TensorProto.FLOAT), node("Mul", ["x", "f"])], rows, {"c": floats(2, 3)})
case("arithmetic", "preprocessing", [node("Div", ["x", "k"], ["a"]), node("Sub", ["a", "m"], ["b"]), node("Div", ["b", "s"], ["c"]), node("Conv", ["c", "w"])], np.abs(floats(2, 3, 5, 6)) * 255, {"k": np.array(255, np.float32), "m": np.array([[[0.48]], [[0.45]], [[0.4]]], np.float32), "s": np.array([[[0.22]], [[0.23]], [[0.24]]], np.float32), "w": floats(4, 3, 3, 3)})

# Reductions.
for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceL1", "ReduceLogSumExp", "ReduceSumSquare"):
    for keepdims in (0, 1):
        for axes in ([2, 3], [1], [-1], [1, 2, 3]):
            if (keepdims + len(axes)) % 2 == 0 and op not in ("ReduceMean", "ReduceSum", "ReduceMax"):
                continue
            inputs, attributes, constants = (["a", "axes"], {}, {"axes": i64(*axes)}) if op == "ReduceSum" else (["a"], dict(axes=axes), {})
            case("reductions", f"{op} over {axes}, keepdims {keepdims}", [node("MaxPool", ["x"], ["a"], kernel_shape=[1, 1]), node(op, inputs, keepdims=keepdims, **attributes)], floats(2, 2, 3, 2), constants)
case("reductions", "ReduceMean of 18", [node("ReduceMean", ["x", "axes"], keepdims=0)], image, {"axes": i64(2, 3)}, opset=18)
for op in ("ArgMax", "ArgMin"):
    case("reductions", op, [node("MaxPool", ["x"], ["a"], kernel_shape=[1, 1]), node(op, ["a"], ["i"], axis=1, keepdims=0), node("Cast", ["i"], to=TensorProto.FLOAT)], image)
case("reductions", "TopK", [node("TopK", ["x", "k"], ["y", "i"], axis=1)], rows, {"k": i64(2)})
case("reductions", "CumSum", [node("CumSum", ["x", "k"])], rows, {"k": np.array(1, np.int64)})
case("reductions", "LpNormalization", [node("LpNormalization", axis=1, p=2)], rows)

# Shapes.
case("shapes", "Transpose as output", [node("Conv", ["x", "w"], ["a"]), node("Transpose", ["a"], perm=[0, 2, 3, 1])], image, conv_w)
case("shapes", "Transpose of a sequence", [node("Transpose", perm=[0, 2, 1])], line)
case("shapes", "channel shuffle", [node("Conv", ["x", "w"], ["a"]), node("Reshape", ["a", "s"], ["b"]), node("Transpose", ["b"], ["c"], perm=[0, 2, 1, 3, 4]), node("Reshape", ["c", "t"], ["d"]), node("Conv", ["d", "v"])], image, {"w": floats(6, 4, 1, 1), "s": i64(0, 2, 3, 5, 6), "t": i64(0, 6, 5, 6), "v": floats(2, 6, 1, 1)})
case("shapes", "channel shuffle, any size", [node("Conv", ["x", "w"], ["a"]), node("Shape", ["a"], ["p"]), node("Slice", ["p", "two", "four"], ["hw"]), node("Concat", ["n0", "g", "hw"], ["s"], axis=0), node("Reshape", ["a", "s"], ["b"]), node("Transpose", ["b"], ["c"], perm=[0, 2, 1, 3, 4]), node("Concat", ["n0", "six", "hw"], ["t"], axis=0), node("Reshape", ["c", "t"], ["d"]), node("Conv", ["d", "v"])], image, {"w": floats(6, 4, 1, 1), "two": i64(2), "four": i64(4), "n0": i64(0), "g": i64(2, 3), "six": i64(6), "v": floats(2, 6, 1, 1)}, shape=["n", 4, "h", "w"])
case("shapes", "Reshape across borders", [node("Conv", ["x", "w"], ["a"]), node("Reshape", ["a", "s"])], image, {"w": floats(6, 4, 1, 1), "s": i64(0, 5, 4, 9)})
case("shapes", "Squeeze and Unsqueeze", [node("GlobalAveragePool", ["x"], ["a"]), node("Squeeze", ["a", "s"], ["b"]), node("Unsqueeze", ["b", "u"])], image, {"s": i64(2), "u": i64(1)})
case("shapes", "Squeeze of 11", [node("GlobalAveragePool", ["x"], ["a"]), node("Squeeze", ["a"], axes=[2, 3])], image, opset=11)
case("shapes", "Concat of channels", [node("Conv", ["x", "w"], ["a"]), node("Concat", ["a", "x"], axis=1)], image, {"w": floats(3, 4, 1, 1)})
case("shapes", "Concat of rows", [node("Conv", ["x", "w"], ["a"]), node("Concat", ["a", "x"], axis=2)], image, {"w": floats(4, 4, 1, 1)})
case("shapes", "Concat of flattened maps", [node("Conv", ["x", "w"], ["a"]), node("Flatten", ["a"], ["f"]), node("Flatten", ["x"], ["g"]), node("Concat", ["f", "g"], axis=1)], image, {"w": floats(3, 4, 1, 1)})
case("shapes", "Split", [node("Conv", ["x", "w"], ["a"]), node("Split", ["a", "s"], ["p", "q"], axis=1), node("Concat", ["q", "p"], axis=1)], image, {"w": floats(5, 4, 1, 1), "s": i64(2, 3)})
case("shapes", "Split into equal parts", [node("Split", ["x"], ["p", "q"], axis=1), node("Sub", ["q", "p"])], image)
case("shapes", "Split of 11", [node("Split", ["x"], ["p", "q"], axis=1, split=[1, 3]), node("Sub", ["q", "p"])], image, opset=11)
case("shapes", "Slice", [node("Conv", ["x", "w"], ["a"]), node("Slice", ["a", "s", "e", "k", "t"])], image, {"w": floats(5, 4, 1, 1), "s": i64(1, -4), "e": i64(4, 2**63 - 1), "k": i64(1, 3), "t": i64(2, 1)})
case("shapes", "Slice backwards", [node("Slice", ["x", "s", "e", "k", "t"])], image, {"s": i64(-1), "e": i64(-(2**63)), "k": i64(2), "t": i64(-1)})
case("shapes", "Slice of 7", [node("Slice", starts=[1, 0], ends=[3, 2], axes=[1, 3])], image, opset=7)
case("shapes", "Slice, any size", [node("Slice", ["x", "s", "e", "k"])], image, {"s": i64(1), "e": i64(-1), "k": i64(3)}, shape=["n", 4, "h", "w"])
case("shapes", "Slice by twos, any size (Focus)", [node("Slice", ["x", "s", "e", "k", "t"], ["a"]), node("Slice", ["a", "s1", "e", "k1", "t"], ["b"]), node("Conv", ["b", "w"])], floats(2, 4, 6, 8), {"s": i64(0), "s1": i64(1), "e": i64(2**63 - 1), "k": i64(2), "k1": i64(3), "t": i64(2), "w": floats(3, 4, 1, 1)}, shape=["n", 4, "h", "w"])
case("shapes", "Gather", [node("Gather", ["x", "i"], axis=1)], image, {"i": i64(2, 0, -1)})
case("shapes", "Gather of one place", [node("Conv", ["x", "w"], ["a"]), node("Gather", ["a", "i"], axis=2)], image, {"w": floats(3, 4, 1, 1), "i": np.array(-2, np.int64)})
case("shapes", "GatherND", [node("Transpose", ["x"], ["t"], perm=[2, 3, 0, 1]), node("GatherND", ["t", "i"])], image, {"i": np.array([[[0, 1], [2, -3]], [[4, 5], [1, 1]]], np.int64)})
for mode in ("constant", "reflect", "edge"):
    case("shapes", f"Pad {mode}", [node("Conv", ["x", "w"], ["a"]), node("Pad", ["a", "p"], mode=mode)], image, {"w": floats(3, 4, 1, 1), "p": i64(0, 0, 1, 2, 0, 0, 2, 1)})
case("shapes", "Pad with a number", [node("Pad", ["x", "p", "v"], ["a"]), node("MaxPool", ["a"], kernel_shape=[2, 2])], image, {"p": i64(0, 0, 1, 1, 0, 0, 1, 1), "v": np.array(-1.5, np.float32)})
case("shapes", "Pad of channels", [node("Conv", ["x", "w"], ["a"]), node("Pad", ["a", "p"])], image, {"w": floats(3, 4, 1, 1), "p": i64(0, 1, 0, 0, 0, 2, 0, 0)})
case("shapes", "Pad that cuts", [node("Pad", ["x", "p"])], image, {"p": i64(0, 0, -1, 1, 0, 0, -2, 0)})
case("shapes", "Pad of 7", [node("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.5)], image, opset=7)
case("shapes", "Pad of given axes", [node("Pad", ["x", "p", "", "k"])], image, {"p": i64(1, 2), "k": i64(3)}, opset=18)
case("shapes", "Expand", [node("Expand", ["x", "s"])], floats(2, 4, 1, 3), {"s": i64(1, 1, 5, 1)})
case("shapes", "Expand of a constant to the batch", [node("Shape", ["x"], ["p"]), node("Gather", ["p", "z"], ["b"], axis=0), node("Concat", ["b", "o"], ["s"], axis=0), node("Expand", ["c", "s"], ["e"]), node("Concat", ["e", "x"], axis=1)], floats(3, 2, 5), {"z": i64(0), "o": i64(1, 5), "c": floats(1, 1, 5)})
case("shapes", "Tile", [node("Tile", ["x", "r"])], image[:1], {"r": i64(1, 2, 1, 3)})
case("shapes", "Tile of a constant to the batch", [node("Shape", ["x"], ["p"]), node("Slice", ["p", "z", "o"], ["b"]), node("Concat", ["b", "o", "o"], ["r"], axis=0), node("Tile", ["c", "r"], ["t"]), node("MatMul", ["t", "x"])], floats(3, 2, 5), {"z": i64(0), "o": i64(1), "c": floats(1, 4, 2)})
case("shapes", "ConstantOfShape", [node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["c"], value=numpy_helper.from_array(f32(2.5))), node("Mul", ["x", "c"])], rows)
case("shapes", "Constant", [node("Constant", [], ["c"], value=numpy_helper.from_array(floats(5))), node("Add", ["x", "c"])], rows)
case("shapes", "Range", [node("Range", ["a", "b", "c"], ["r"]), node("Gather", ["x", "r"], axis=1)], rows, {"a": np.array(0, np.int64), "b": np.array(5, np.int64), "c": np.array(2, np.int64)})
case("shapes", "Constant of floats", [node("Constant", [], ["c"], value_floats=[1.0, 2.0, 3.0, 4.0, 5.0]), node("Add", ["x", "c"])], rows)
for mode in ("DCR", "CRD"):
    case("shapes", f"DepthToSpace {mode}", [node("Conv", ["x", "w"], ["a"]), node("DepthToSpace", ["a"], ["d"], blocksize=2, mode=mode), node("Relu", ["d"])], image, {"w": floats(8, 4, 1, 1)})
case("shapes", "SpaceToDepth", [node("SpaceToDepth", ["x"], ["a"], blocksize=2), node("Conv", ["a", "w"])], floats(2, 3, 4, 6), {"w": floats(3, 12, 1, 1)})
case("shapes", "two outputs", [node("Conv", ["x", "w"], ["y"]), node("GlobalAveragePool", ["y"], ["a"]), node("Flatten", ["a"], ["z"])], image, {"w": floats(3, 4, 1, 1)}, outputs=("y", "z"))
case("shapes", "one value as two outputs", [node("Relu", ["x"], ["y"]), node("Identity", ["y"], ["z"])], rows, outputs=("y", "z"))
case("shapes", "the input as output", [node("Identity")], rows)

# Resizing.
for title, attributes, sizes, scales in [
    ("nearest by 2 (PyTorch)", dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"), None, [1, 1, 2, 2]),
    ("nearest by 2, half pixels", dict(mode="nearest"), None, [1, 1, 2, 3]),
    ("nearest to sizes", dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"), [2, 4, 10, 5], None),
    ("nearest, round_prefer_ceil", dict(mode="nearest", nearest_mode="round_prefer_ceil"), [2, 4, 3, 4], None),
    ("nearest, ceil", dict(mode="nearest", nearest_mode="ceil"), [2, 4, 9, 4], None),
    ("linear by 2", dict(mode="linear", coordinate_transformation_mode="half_pixel"), None, [1, 1, 2, 2]),
    ("linear to sizes", dict(mode="linear", coordinate_transformation_mode="pytorch_half_pixel"), [2, 4, 5, 9], None),
    ("linear, align_corners", dict(mode="linear", coordinate_transformation_mode="align_corners"), [2, 4, 13, 4], None),
    ("linear, asymmetric", dict(mode="linear", coordinate_transformation_mode="asymmetric"), None, [1, 1, 1.5, 0.5]),
    ("cubic", dict(mode="cubic", coordinate_transformation_mode="half_pixel"), [2, 4, 12, 9], None),
    ("cubic, without the outside", dict(mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5), [2, 4, 12, 9], None),
]:
    inputs = ["a", "", "", "k"] if sizes else ["a", "", "k"]
    case("resizing", f"Resize {title}", [node("Conv", ["x", "w"], ["a"]), node("Resize", inputs, **attributes)], image, {"w": floats(4, 4, 1, 1), "k": i64(*sizes) if sizes else f32(*scales)}, opset=13 if "prefer" not in title else 17)
case("resizing", "Resize nearest, any size", [node("Conv", ["x", "w"], ["a"]), node("Resize", ["a", "", "k"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")], image, {"w": floats(3, 4, 1, 1), "k": f32(1, 1, 2, 2)}, shape=["n", 4, "h", "w"])
case("resizing", "Resize linear, any size", [node("Conv", ["x", "w"], ["a"]), node("Resize", ["a", "", "k"], mode="linear")], image, {"w": floats(3, 4, 1, 1), "k": f32(1, 1, 2, 2)}, shape=["n", 4, "h", "w"])
case("resizing", "Resize to another map's size", [node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2], strides=[2, 2]), node("Shape", ["x"], ["s"]), node("Slice", ["s", "two", "four"], ["hw"]), node("Shape", ["p"], ["q"]), node("Slice", ["q", "zero", "two"], ["nc"]), node("Concat", ["nc", "hw"], ["t"], axis=0), node("Resize", ["p", "", "", "t"], ["u"], mode="linear"), node("Add", ["u", "x"])], floats(2, 4, 6, 8), {"two": i64(2), "four": i64(4), "zero": i64(0)})
case("resizing", "Resize of 10", [node("Resize", ["x", "k"], mode="linear")], image, {"k": f32(1, 1, 2, 2)}, opset=10)
case("resizing", "Upsample of 9", [node("Upsample", ["x", "k"], mode="nearest")], image, {"k": f32(1, 1, 2, 2)}, opset=9)
case("resizing", "Upsample of 7", [node("Upsample", mode="nearest", scales=[1.0, 1.0, 2.0, 2.0])], image, opset=7)
case("resizing", "Resize 3d", [node("Resize", ["x", "", "k"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")], volume, {"k": f32(1, 1, 2, 1, 2)})

# Quantized files.
s, z = np.float32(0.02).reshape(()), np.array(120, np.uint8)
case("quantization", "QuantizeLinear and DequantizeLinear", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"])], rows, {"s": s, "z": z})
case("quantization", "int8 without clipping", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"])], rows * 4, {"s": s, "z": np.array(-3, np.int8)})
# Weights of 7 bits: sums of two products of 8 bits saturate in ONNX Runtime on processors without VNNI.
weights = rng.integers(-63, 63, size=(3, 4, 3, 3)).astype(np.int8)
case("quantization", "convolution between Q and DQ", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"]), node("DequantizeLinear", ["w", "ws", "wz"], ["v"], axis=0), node("DequantizeLinear", ["b", "bs"], ["c"], axis=0), node("Conv", ["d", "v", "c"], ["o"]), node("Relu", ["o"], ["p"]), node("QuantizeLinear", ["p", "t", "z0"], ["r"]), node("DequantizeLinear", ["r", "t", "z0"])], image, {"s": s, "z": z, "w": weights, "ws": f32(0.01, 0.02, 0.005), "wz": np.zeros(3, np.int8), "b": np.array([100, -50, 20], np.int32), "bs": (s * f32(0.01, 0.02, 0.005)).astype(np.float32), "t": np.array(0.03, np.float32), "z0": np.array(0, np.uint8)}, tolerance=0.0301)
case("quantization", "QLinearConv", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("QLinearConv", ["q", "s", "z", "w", "ws", "wz", "t", "z2", "b"], ["r"], pads=[1, 1, 1, 1]), node("DequantizeLinear", ["r", "t", "z2"])], image, {"s": s, "z": z, "w": weights, "ws": f32(0.01, 0.02, 0.005), "wz": np.zeros(3, np.int8), "b": np.array([100, -50, 20], np.int32), "t": np.array(0.05, np.float32), "z2": np.array(110, np.uint8)}, tolerance=0.0501)
case("quantization", "QLinearMatMul", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("QLinearMatMul", ["q", "s", "z", "w", "ws", "wz", "t", "z2"], ["r"]), node("DequantizeLinear", ["r", "t", "z2"])], rows, {"s": s, "z": z, "w": rng.integers(-63, 63, size=(5, 4)).astype(np.int8), "ws": np.array(0.01, np.float32), "wz": np.array(0, np.int8), "t": np.array(0.03, np.float32), "z2": np.array(128, np.uint8)}, tolerance=0.0301)
case("quantization", "QLinearAdd of ONNX Runtime", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("QLinearAdd", ["q", "s", "z", "q", "s", "z", "t", "z2"], ["r"], domain="com.microsoft"), node("DequantizeLinear", ["r", "t", "z2"])], rows, {"s": s, "z": z, "t": np.array(0.04, np.float32), "z2": np.array(125, np.uint8)}, domains=("com.microsoft",), tolerance=0.0401)

case("quantization", "QLinearMul of ONNX Runtime", [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("QLinearMul", ["q", "s", "z", "q", "s", "z", "t", "z2"], ["r"], domain="com.microsoft"), node("DequantizeLinear", ["r", "t", "z2"])], rows, {"s": s, "z": z, "t": np.array(0.04, np.float32), "z2": np.array(5, np.uint8)}, domains=("com.microsoft",), tolerance=0.0401)

# Whole numbers, and scales of the run.
for title, nodes, more in [
    ("ConvInteger", [node("ConvInteger", ["q", "w", "zp", "wz"], ["i"], pads=[1, 1, 1, 1])], {"wz": np.array(3, np.int8)}),
    ("ConvInteger with strides", [node("ConvInteger", ["q", "w", "zp"], ["i"], strides=[2, 1])], {}),
]:
    case("quantization", f"{title} of quantize_dynamic", [node("DynamicQuantizeLinear", ["x"], ["q", "sc", "zp"]), *nodes, node("Cast", ["i"], ["f"], to=TensorProto.FLOAT), node("Mul", ["sc", "ws"], ["m"]), node("Mul", ["f", "m"])], image, {"w": weights, "ws": np.array(0.01, np.float32), **more})
case("quantization", "MatMulInteger of quantize_dynamic", [node("DynamicQuantizeLinear", ["x"], ["q", "sc", "zp"]), node("MatMulInteger", ["q", "w", "zp", "wz"], ["i"]), node("Cast", ["i"], ["f"], to=TensorProto.FLOAT), node("Mul", ["sc", "ws"], ["m"]), node("Mul", ["f", "m"], ["g"]), node("Add", ["g", "b"])], rows, {"w": rng.integers(-63, 63, size=(5, 4)).astype(np.int8), "wz": np.array([0, 2, -3, 1], np.int8), "ws": f32(0.01, 0.02, 0.03, 0.04), "b": floats(4)})

# Recurrent layers. The transposes are those of PyTorch's batch_first.
sequence = floats(2, 5, 3)
for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
    for direction, dirs in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
        for more in ({}, {"linear_before_reset": 1}) if op == "GRU" else ({},):
            weights_of = {"w": floats(dirs, gates * 4, 3), "r": floats(dirs, gates * 4, 4), "b": floats(dirs, 2 * gates * 4)}
            outputs = ["s", "h", "c"] if op == "LSTM" else ["s", "h"]
            body = [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node(op, ["t", "w", "r", "b"], outputs, hidden_size=4, direction=direction, **more)]
            ends = [node("Transpose", ["s"], ["u"], perm=[2, 0, 1, 3]), node("Reshape", ["u", "k"], ["y"]), node("Transpose", ["h"], ["z"], perm=[1, 0, 2])]
            if op == "LSTM":
                ends.append(node("Transpose", ["c"], ["v"], perm=[1, 0, 2]))
            case("recurrence", f"{op} {direction} {more}", body + ends, sequence, {**weights_of, "k": i64(0, 0, -1)}, outputs=["y", "z"] + (["v"] if op == "LSTM" else []))
    state = {"w": floats(1, gates * 4, 3), "r": floats(1, gates * 4, 4), "z": i64(0)}
    states = ["h0", "c0"] if op == "LSTM" else ["h0"]
    given = np.repeat(floats(1, 1, 4), 2, 1)
    case("recurrence", f"{op}, last state alone, learned initial states", [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node(op, ["t", "w", "r", "", "", *states], ["", "h"], hidden_size=4), node("Squeeze", ["h", "z"])], sequence, {**state, **{name: given for name in states}}, shape=list(sequence.shape))
    case("recurrence", f"{op}, zeros for the batch", [node("Shape", ["x"], ["p"]), node("Gather", ["p", "zero"], ["n"], axis=0), node("Concat", ["one", "n", "four"], ["q"], axis=0), node("ConstantOfShape", ["q"], ["h0"]), node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node(op, ["t", "w", "r", "", "", *["h0" for _ in states]], ["", "h"], hidden_size=4), node("Squeeze", ["h", "z"])], sequence, {**state, "zero": i64(0), "one": i64(1), "four": i64(4)})
    case("recurrence", f"{op}, states of the image", [node("ReduceMean", ["x"], ["m"], axes=[1], keepdims=0), node("Gemm", ["m", "g"], ["e"]), node("Unsqueeze", ["e", "z"], ["h0"]), node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node(op, ["t", "w", "r", "", "", *["h0" for _ in states]], ["", "h"], hidden_size=4), node("Squeeze", ["h", "z"])], sequence, {**state, "g": floats(3, 4)})
case("recurrence", "LSTM with other activations", [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("LSTM", ["t", "w", "r"], ["", "h"], hidden_size=4, activations=["HardSigmoid", "Softsign", "Softsign"]), node("Squeeze", ["h", "z"])], sequence, {"w": floats(1, 16, 3), "r": floats(1, 16, 4), "z": i64(0)})
case("recurrence", "two LSTMs over a map's columns (CRNN)", [node("Conv", ["x", "cw"], ["a"]), node("Squeeze", ["a", "two"], ["b"]), node("Transpose", ["b"], ["t"], perm=[2, 0, 1]), node("LSTM", ["t", "w", "r", "bb"], ["s"], hidden_size=4, direction="bidirectional"), node("Transpose", ["s"], ["u"], perm=[0, 2, 1, 3]), node("Reshape", ["u", "k"], ["v"]), node("LSTM", ["v", "w2", "r2"], ["s2"], hidden_size=4), node("Squeeze", ["s2", "one"], ["o"]), node("MatMul", ["o", "m"], ["l"]), node("Transpose", ["l"], perm=[1, 0, 2])], floats(2, 3, 4, 7), {"cw": floats(3, 3, 4, 2), "two": i64(2), "one": i64(1), "k": i64(0, 0, -1), "w": floats(2, 16, 3), "r": floats(2, 16, 4), "bb": floats(2, 32), "w2": floats(1, 16, 8), "r2": floats(1, 16, 4), "m": floats(4, 5)})
case("recurrence", "Gather of an embedding", [node("Cast", ["x"], ["i"], to=TensorProto.INT64), node("Gather", ["t", "i"])], np.array([[0, 2, 1], [3, 0, 0]], np.float32), {"t": floats(4, 5)})

# Places.
table = floats(3, 4, 5)
case("places", "GatherElements", [node("GatherElements", ["x", "i"], axis=2)], table, {"i": rng.integers(-5, 5, size=(3, 4, 2))}, shape=[3, 4, 5])
case("places", "GatherElements of fewer rows", [node("GatherElements", ["x", "i"], axis=1)], table, {"i": rng.integers(0, 4, size=(2, 6, 3))}, shape=[3, 4, 5])
case("places", "GatherElements by the run", [node("ArgMax", ["x"], ["a"], axis=1, keepdims=1), node("GatherElements", ["x", "a"], axis=1)], table)
case("places", "GatherND of whole rows", [node("GatherND", ["x", "i"])], table, {"i": i64([0, 1], [2, -1])}, shape=[3, 4, 5])
case("places", "GatherND along the batch", [node("ArgMax", ["x"], ["a"], axis=1, keepdims=0), node("Unsqueeze", ["a", "z"], ["i"]), node("GatherND", ["t", "i"], batch_dims=1)], table, {"z": i64(2), "t": floats(3, 5, 4)}, shape=[3, 4, 5])
case("places", "GatherND by the run", [node("ArgMax", ["x"], ["a"], axis=1, keepdims=1), node("Transpose", ["a"], ["i"], perm=[0, 2, 1]), node("GatherND", ["t", "i"])], table, {"t": floats(4, 2)})
case("places", "ScatterElements", [node("ScatterElements", ["x", "i", "u"], axis=1)], table, {"i": np.array([[[0, 1], [2, 3]], [[-1, 0], [1, 2]]]), "u": floats(2, 2, 2)}, shape=[3, 4, 5])
case("places", "ScatterElements that adds", [node("ScatterElements", ["x", "i", "u"], axis=0, reduction="add")], table, {"i": rng.integers(0, 3, size=(4, 4, 5)), "u": floats(4, 4, 5)}, shape=[3, 4, 5])
case("places", "ScatterND", [node("ScatterND", ["x", "i", "u"])], table, {"i": i64([0, 1], [2, -1]), "u": floats(2, 5)}, shape=[3, 4, 5])
case("places", "ScatterND that adds", [node("ScatterND", ["x", "i", "u"], reduction="add")], table, {"i": i64([1], [1]), "u": floats(2, 4, 5)}, shape=[3, 4, 5])
case("places", "ScatterND of elements by the run", [node("Mul", ["x", "x"], ["a"]), node("ReduceSum", ["a", "ax"], ["u"], keepdims=0), node("ScatterND", ["x", "i", "u"])], table, {"i": i64([0, 0, 1], [2, 3, 4], [1, 1, 1]), "ax": i64(1, 2)}, shape=[3, 4, 5], opset=16)
case("places", "Range over the batch (as_strided)", [node("Reshape", ["x", "flat"], ["f"]), node("Shape", ["x"], ["p"]), node("Gather", ["p", "zero"], ["n"], axis=0), node("Range", ["zero", "n", "step"], ["r"]), node("Mul", ["r", "width"], ["m"]), node("Unsqueeze", ["m", "one"], ["u"]), node("Add", ["u", "o"], ["i"]), node("Gather", ["f", "i"], axis=0)], rows, {"flat": i64(-1), "zero": np.array(0), "step": np.array(1), "width": np.array(5), "one": i64(1), "o": np.array([[0, 2, 4]])})
for title, attributes in (("triu", {}), ("tril", {"upper": 0})):
    case("places", f"Trilu, {title}", [node("Trilu", ["x", "k"], **attributes)], table, {"k": np.array(-1)})
case("places", "OneHot by the run", [node("ArgMax", ["x"], ["a"], axis=1, keepdims=0), node("OneHot", ["a", "d", "v"], axis=1)], table, {"d": np.array(6), "v": f32(-1, 2)})
case("kernels", "ConvTranspose with groups", [node("Conv", ["x", "w0"], ["a"]), node("ConvTranspose", ["a", "w", "b"], group=2, strides=[2, 1], pads=[1, 0, 0, 1])], image, {"w0": floats(4, 4, 1, 1), "w": floats(4, 3, 3, 2), "b": floats(6)})
case("kernels", "depthwise ConvTranspose over a sequence", [node("ConvTranspose", ["x", "w"], group=3, strides=[2])], floats(2, 3, 5), {"w": floats(3, 1, 4)})
branch = lambda name, op: helper.make_graph([helper.make_node(op, ["a"], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
for size, title in ((4, "then"), (3, "else")):
    case("places", f"If, the {title} branch", [node("Relu", ["x"], ["a"]), node("Shape", ["x"], ["p"]), node("Gather", ["p", "one"], ["n"], axis=0), node("Equal", ["n", "c"], ["k"]), node("If", ["k"], ["b"], then_branch=branch("t", "Exp"), else_branch=branch("e", "Neg")), node("Add", ["b", "x"])], table, {"one": np.array(1), "c": np.array(size)})

wide = floats(2, 3, 9, 11)
dilated = dict(kernel_shape=[3, 2], dilations=[2, 3], strides=[1, 2], pads=[1, 0, 1, 1])
for title, op, attributes in (
    ("MaxPool", "MaxPool", dilated),
    ("MaxPool ceil", "MaxPool", {**dilated, "ceil_mode": 1}),
    ("AveragePool", "AveragePool", dilated),
    ("AveragePool counting pads", "AveragePool", {**dilated, "count_include_pad": 1}),
):
    case("pools", f"dilated {title}", [node(op, **attributes)], wide, opset=19)
for op in ("MaxPool", "AveragePool"):
    case("pools", f"{op} 3d with pads at one side", [node(op, kernel_shape=[2, 3, 2], strides=[2, 1, 2], pads=[0, 1, 0, 1, 1, 1])], volume)
case("pools", "LpPool", [node("LpPool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], p=3)], wide, opset=18)
case("pools", "GlobalLpPool", [node("GlobalLpPool")], wide)
for title, attributes, scales, sizes in (
    ("nearest, ties of float32", dict(mode="nearest"), (1, 1, 1.5, 0.7), None),
    ("nearest, half_pixel_symmetric", dict(mode="nearest", coordinate_transformation_mode="half_pixel_symmetric", nearest_mode="floor"), (1, 1, 1.5, 0.7), None),
    ("linear, antialias", dict(mode="linear", antialias=1), None, (2, 3, 4, 5)),
    ("cubic, antialias without outside", dict(mode="cubic", antialias=1, exclude_outside=1), None, (2, 3, 4, 14)),
    ("not larger", dict(mode="linear", axes=[2, 3], keep_aspect_ratio_policy="not_larger"), None, (20, 15)),
    ("not smaller", dict(mode="linear", axes=[3, 2], keep_aspect_ratio_policy="not_smaller"), None, (20, 15)),
):
    case("resizing-since-18", f"Resize {title}", [node("Conv", ["x", "w"], ["a"]), node("Resize", ["a", "", "k"] if scales else ["a", "", "", "k"], **attributes)], wide, {"w": floats(3, 3, 1, 1), "k": i64(*sizes) if sizes else f32(*scales)}, opset=19, shape=[2, 3, 9, 11])
case("shapes", "Pad wrap", [node("Pad", ["x", "p"], ["a"], mode="wrap"), node("MaxPool", ["a"], kernel_shape=[2, 2])], wide[:1], {"p": i64(0, 0, 10, 2, 0, 0, 2, 13)}, opset=19)
case("kernels", "ConvTranspose to a size beyond its last window", [node("ConvTranspose", ["x", "w", "b"], output_shape=[19, 24], strides=[2, 2])], wide[:1], {"w": floats(3, 2, 3, 3), "b": floats(2)})
case("kernels", "Conv after swapping height and width", [node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]), node("Conv", ["t", "w"])], wide, {"w": floats(4, 3, 3, 2)})
case("norms", "MeanVarianceNormalization of one image", [node("MeanVarianceNormalization")], wide[:1], shape=[1, 3, 9, 11])
case("norms", "MeanVarianceNormalization over the channels", [node("MeanVarianceNormalization", axes=[1])], wide)
case("norms", "RMSNormalization", [node("RMSNormalization", ["x", "g"], epsilon=0.01)], floats(2, 4, 6), {"g": floats(6)}, opset=23)
case("activations", "Selu of other numbers", [node("Selu", alpha=1.2, gamma=0.7)], wide[:1])
case("activations", "Shrink with a bias", [node("Shrink", lambd=0.4, bias=0.1)], wide[:1])
case("activations", "Swish with alpha", [node("Swish", alpha=0.7)], wide[:1], opset=24)
case("arithmetic", "Mod, fmod", [node("Mod", ["x", "d"], fmod=1)], wide[:1], {"d": np.array(0.75, np.float32)})
case("arithmetic", "Div of whole numbers", [node("Mul", ["x", "k"], ["a"]), node("Cast", ["a"], ["i"], to=TensorProto.INT32), node("Div", ["i", "d"], ["j"]), node("Cast", ["j"], to=TensorProto.FLOAT)], wide[:1], {"k": np.array(10, np.float32), "d": np.array(3, np.int32)})
case("reductions", "ReduceLogSum", [node("Abs", ["x"], ["a"]), node("ReduceLogSum", ["a", "ax"], keepdims=0)], wide, {"ax": i64(-1, 1)}, opset=18)
case("shapes", "Reshape of a fixed batch behind another axis", [node("Transpose", ["x"], ["t"], perm=[2, 0, 1, 3]), node("Reshape", ["t", "s"], ["r"]), node("Transpose", ["r"], perm=[1, 0, 2])], floats(1, 3, 4, 5), {"s": i64(4, 1, 15)}, shape=[1, 3, 4, 5])
case("arithmetic", "Cast to float16 and back", [node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16), node("Cast", ["h"], to=TensorProto.FLOAT)], floats(1, 2, 3, 5), tolerance=2e-3)
batch = {"s": floats(3), "b": floats(3), "m": floats(3), "v": np.abs(floats(3)) + np.float32(0.3)}
case("norms", "BatchNormalization by each batch", [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "mean", "var"], training_mode=1)], wide, batch, opset=15)
case("reductions", "Hardmax", [node("Hardmax", axis=1)], wide)
case("reductions", "TopK, the smallest", [node("TopK", ["x", "k"], ["y", "i"], axis=1, largest=0)], wide[:1], {"k": i64(2)})
blocks = rng.integers(-9, 9, (11, 4)).astype(np.int8)
case("quantization", "DequantizeLinear in blocks", [node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=0, block_size=4), node("MatMul", ["x", "w"])], wide[:1], {"q": blocks, "s": np.abs(floats(3, 4)), "z": rng.integers(-3, 3, (3, 4)).astype(np.int8)}, opset=21)

# Drawn cases: every attribute of the operators that have many, in combinations that nobody chose.
draw = np.random.default_rng(7)
refusals = onnxruntime.capi.onnxruntime_pybind11_state
pick = lambda *values: values[draw.integers(len(values))]
ints = lambda low, high, count: [int(v) for v in draw.integers(low, high + 1, count)]


def attempt(group, title, *rest, **more):
    """Keeps a case that ONNX Runtime takes: it refuses dilations with SAME, for one. A case of no elements is left out."""
    try:
        case(group, title, *rest, **more)
    except (refusals.InvalidArgument, refusals.RuntimeException):
        return
    if any(0 in y["shape"] for y in groups[group][-1]["y"]):
        groups[group].pop()


def sizes_of(rank):
    """Sizes that are no number of channels, so that the test can tell the axes."""
    return ints(7, 9, rank) if rank < 3 else ints(7, 8, rank)


for index in range(24):
    rank = pick(1, 2, 2, 2, 2, 3)
    group = pick(1, 1, 2, 3)
    channels = group * pick(1, 2)
    x = floats(1 if rank == 3 else 2, channels, *sizes_of(rank))
    kernel = ints(1, 3, rank)
    attributes = dict(strides=ints(1, 3, rank), dilations=ints(1, 2, rank), group=group)
    auto = pick("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if auto == "NOTSET":
        attributes["pads"] = ints(0, 2, 2 * rank)
    else:
        attributes["auto_pad"] = auto
    weights = {"w": floats(group * pick(1, 2), channels // group, *kernel)}
    weights["b"] = floats(weights["w"].shape[0])
    # The writer needs to know the sizes of these, the reader those of SAME_LOWER.
    is_fixed = rank == 3 or auto == "SAME_LOWER" or (max(attributes["strides"]) > 1 and max(attributes["dilations"]) > 1)
    fixed = list(x.shape) if is_fixed else pick(None, list(x.shape), ["n", channels, *"dhw"[:rank]])
    attempt("drawn-convolutions", f"Conv {index} {attributes} {fixed}", [node("Conv", ["x", "w", "b"], **attributes)], x, weights, shape=fixed, opset=pick(7, 11, 13, 22))
for index in range(24):
    rank = pick(1, 2, 2, 2, 3)
    group = pick(1, 1, 2)
    channels = group * 2
    x = floats(1, channels, *ints(*((5, 7) if rank < 3 else (5, 5)), rank))
    strides = ints(1, 3, rank)
    attributes = dict(strides=strides, dilations=ints(1, 2, rank), group=group)
    auto = pick("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "output_shape", "VALID")
    if auto == "NOTSET":
        attributes["pads"] = ints(0, 1, 2 * rank)
        attributes["output_padding"] = [int(draw.integers(0, s)) for s in strides]
    elif auto == "output_shape":
        attributes["output_shape"] = [int(n * s + draw.integers(0, 2)) for n, s in zip(x.shape[2:], strides)]
        if pick(0, 1):
            attributes["auto_pad"] = pick("SAME_UPPER", "SAME_LOWER")
    else:
        attributes["auto_pad"] = auto
    weights = {"w": floats(channels, pick(1, 3), *ints(2, 3 if rank < 3 else 2, rank))}
    attempt("drawn-transposed-convolutions", f"ConvTranspose {index} {attributes}", [node("ConvTranspose", ["x", "w"], **attributes)], x, weights, opset=pick(7, 11, 22))
for index in range(40):
    rank = pick(1, 2, 2, 2, 2, 3)
    op = pick("MaxPool", "AveragePool", "AveragePool", "LpPool")
    x = floats(1, 2, *sizes_of(rank)) - np.float32(3)
    kernel = ints(2, 3, rank)
    attributes = dict(kernel_shape=kernel, strides=ints(1, 3, rank), ceil_mode=pick(0, 1))
    # ONNX Runtime leaves dilations out of SAME's pads, and of the size that ONNX defines (shape inference, too).
    auto = pick("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if pick(0, 1) and not auto.startswith("SAME"):
        attributes["dilations"] = ints(1, 2, rank)
    if auto == "NOTSET":
        attributes["pads"] = [int(draw.integers(0, k)) for k in kernel + kernel]
    else:
        attributes["auto_pad"] = auto
    if op == "AveragePool":
        attributes["count_include_pad"] = pick(0, 1)
    if op == "LpPool":
        attributes["p"] = pick(1, 2, 3)
    attempt("drawn-pools", f"{op} {index} {attributes}", [node(op, **attributes)], x, opset=22)
scaled = floats(1, 2, 6, 7)
for index in range(40):
    mode = pick("nearest", "linear", "cubic")
    attributes = dict(mode=mode, coordinate_transformation_mode=pick("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"))
    if mode == "nearest":
        attributes["nearest_mode"] = pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    if mode == "cubic":
        attributes["cubic_coeff_a"] = pick(-0.75, -0.5)
        attributes["exclude_outside"] = pick(0, 1)
    if mode != "nearest" and pick(0, 0, 1):
        attributes["antialias"] = 1
    values = {}
    sizes = pick(True, False)
    values["k"] = i64(1, 2, *ints(1, 13, 2)) if sizes else f32(1, 1, pick(0.4, 0.5, 1.0, 1.7, 2.0), pick(0.6, 1.0, 1.3, 2.0, 3.0))
    inputs = ["x", "", "", "k"] if sizes else ["x", "", "k"]
    attempt("drawn-places", f"Resize {index} {attributes} {values['k'].tolist()}", [node("Resize", inputs, **attributes)], scaled, values, opset=19, shape=[1, 2, 6, 7])
for index in range(20):
    mode = pick("constant", "reflect", "edge", "wrap")
    pads = ints(-2, 3, 4)
    values = {"p": i64(0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3])}
    inputs = ["x", "p"]
    if mode == "constant" and pick(0, 1):
        values["v"] = np.array(1.5, np.float32)
        inputs.append("v")
    attempt("drawn-places", f"Pad {index} {mode} {pads}", [node("Pad", inputs, mode=mode)], scaled, values, opset=19)
for index in range(20):
    axes = [int(v) for v in draw.permutation([1, 2, 3])[: pick(1, 2, 3)]]
    steps = [pick(-3, -2, -1, 1, 2, 3) for _ in axes]
    starts = [int(draw.integers(-9, 9)) for _ in axes]
    ends = [pick(-(2**62), -9, -3, -1, 0, 2, 5, 2**62) for _ in axes]
    named = [axis - 4 if pick(0, 1) else axis for axis in axes]
    attempt("drawn-places", f"Slice {index} {starts} {ends} {named} {steps}", [node("Slice", ["x", "s", "e", "a", "t"])], floats(1, 5, 6, 7), {"s": i64(*starts), "e": i64(*ends), "a": i64(*named), "t": i64(*steps)}, opset=pick(10, 13))
for index in range(24):
    op = pick("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp")
    opset = pick(7, 11, 13, 18)
    axes = pick(None, [1], [-1, 1], [2, 3], [-2], [1, 2, 3])
    by_input = opset >= 18 or (op == "ReduceSum" and opset == 13)
    attributes = dict(keepdims=0 if axes is None else pick(0, 1))
    inputs, values = ["x"], {}
    if axes is not None and opset == 7:
        axes = [axis % 4 for axis in axes]
    if axes is not None and by_input:
        inputs, values = ["x", "a"], {"a": i64(*axes)}
    elif axes is not None:
        attributes["axes"] = axes
    elif by_input and pick(0, 1):
        attributes["noop_with_empty_axes"] = 1
    attempt("drawn-places", f"{op} {index} of {opset} {attributes} {axes}", [node(op, inputs, **attributes)], scaled, values, opset=opset, shape=[1, 2, 6, 7])
for index, (title, nodes, x, values, opset) in enumerate([
    ("Split uneven by num_outputs", [node("Split", ["x"], ["p", "q", "r"], axis=3, num_outputs=3), node("Concat", ["r", "p", "q"], axis=3)], floats(1, 2, 3, 7), {}, 18),
    ("Split of negative axis", [node("Split", ["x", "s"], ["p", "q"], axis=-2), node("Concat", ["q", "p"], axis=-2)], floats(1, 2, 5, 3), {"s": i64(1, 4)}, 13),
    ("Expand of fewer axes", [node("Expand", ["x", "s"])], floats(1, 1, 3, 1), {"s": i64(2, 1, 4)}, 13),
    ("Expand with more axes", [node("Expand", ["x", "s"])], floats(1, 3), {"s": i64(2, 1, 3)}, 13),
    ("Where of three shapes", [node("Less", ["x", "z"], ["k"]), node("Where", ["k", "a", "b"])], scaled, {"z": f32(0), "a": floats(2, 1, 1), "b": floats(6, 7)}, 16),
    ("Gather of rows by a matrix", [node("Gather", ["x", "i"], axis=-2)], scaled, {"i": i64([0, -1], [3, 2])}, 13),
    ("InstanceNormalization of a sequence", [node("InstanceNormalization", ["x", "s", "b"], epsilon=0.1)], floats(2, 3, 7), {"s": floats(3), "b": floats(3)}, 22),
    ("InstanceNormalization of a volume", [node("InstanceNormalization", ["x", "s", "b"])], floats(2, 3, 3, 2, 4), {"s": floats(3), "b": floats(3)}, 7),
    ("Einsum, implicit output", [node("Einsum", ["x", "w"], equation="nij,jk")], floats(2, 3, 4), {"w": floats(4, 5)}, 12),
    ("Einsum of a map with itself", [node("Einsum", ["x", "x"], equation="nchw,ndhw->ncd")], floats(2, 3, 4, 2), {}, 12),
    ("Flatten of axis 2", [node("Flatten", axis=2)], floats(1, 2, 3, 4), {}, 13),
    ("Flatten of axis -1", [node("Flatten", axis=-1)], floats(1, 2, 3, 4), {}, 13),
    ("Flatten of axis 0", [node("Flatten", axis=0)], floats(1, 2, 3, 4), {}, 13),
    ("Softmax of 11 over a map", [node("Softmax", axis=1)], floats(2, 2, 3, 4), {}, 11),
    ("Softmax of 11, axis 2", [node("Softmax", axis=2)], floats(2, 2, 3, 4), {}, 11),
    ("Softmax of 11, negative axis", [node("Softmax", axis=-1)], floats(2, 2, 3, 4), {}, 11),
    ("LogSoftmax of 11", [node("LogSoftmax")], floats(2, 2, 3), {}, 11),
    ("LayerNormalization over two axes", [node("LayerNormalization", ["x", "s", "b"], axis=-2, epsilon=0.1)], floats(2, 3, 4, 5), {"s": floats(4, 5), "b": floats(4, 5)}, 17),
    ("LayerNormalization over all", [node("LayerNormalization", ["x", "s"], axis=1)], floats(2, 3, 4), {"s": floats(3, 4)}, 17),
    ("GroupNormalization of 21", [node("GroupNormalization", ["x", "s", "b"], num_groups=2)], floats(2, 4, 3, 3), {"s": floats(4), "b": floats(4)}, 21),
    ("GroupNormalization of 18", [node("GroupNormalization", ["x", "s", "b"], num_groups=2)], floats(2, 4, 3, 3), {"s": floats(2), "b": floats(2)}, 18),
    ("BatchNormalization of a sequence", [node("BatchNormalization", ["x", "s", "b", "m", "v"], epsilon=0.01)], floats(2, 3, 5), {"s": floats(3), "b": floats(3), "m": floats(3), "v": np.abs(floats(3)) + np.float32(0.2)}, 9),
    ("PRelu with one slope", [node("PRelu", ["x", "s"])], scaled, {"s": f32(0.3)}, 16),
    ("PRelu of columns", [node("PRelu", ["x", "s"])], scaled, {"s": floats(7)}, 16),
    ("PRelu of rows", [node("PRelu", ["x", "s"])], scaled, {"s": floats(6, 1)}, 16),
    ("Clip by its minimum alone", [node("Clip", ["x", "a"])], scaled, {"a": np.array(-0.2, np.float32)}, 13),
    ("Clip by its maximum alone", [node("Clip", ["x", "", "b"])], scaled, {"b": np.array(0.2, np.float32)}, 13),
    ("Clip of 7", [node("Clip", min=-0.5, max=0.1)], scaled, {}, 7),
    ("Clip with the minimum above", [node("Clip", ["x", "a", "b"])], scaled, {"a": np.array(0.5, np.float32), "b": np.array(-0.2, np.float32)}, 13),
    ("HardSigmoid of other numbers", [node("HardSigmoid", alpha=0.3, beta=0.4)], scaled, {}, 7),
    ("Elu with alpha", [node("Elu", alpha=0.4)], scaled, {}, 7),
    ("LeakyRelu by default", [node("LeakyRelu")], scaled, {}, 16),
    ("ThresholdedRelu", [node("ThresholdedRelu", alpha=0.4)], scaled, {}, 10),
    ("Celu", [node("Celu", alpha=0.7)], scaled, {}, 12),
    ("Gelu by tanh", [node("Gelu", approximate="tanh")], scaled, {}, 20),
    ("Mish", [node("Mish")], scaled, {}, 18),
    ("CumSum, exclusive and reverse", [node("CumSum", ["x", "k"], exclusive=1, reverse=1)], scaled, {"k": np.array(-1, np.int64)}, 14),
    ("CumSum, exclusive", [node("CumSum", ["x", "k"], exclusive=1)], scaled, {"k": np.array(2, np.int64)}, 14),
    ("LpNormalization of 1", [node("LpNormalization", axis=-1, p=1)], scaled, {}, 22),
    ("Gemm of two inputs with factors", [node("Transpose", ["x"], ["t"], perm=[1, 0]), node("Gemm", ["x", "t", "b"], alpha=0.5, beta=0.2)], floats(3, 5), {"b": f32(0.7)}, 13),
    ("Gemm with a factor for no bias", [node("Gemm", ["x", "w", "b"], beta=0.2)], floats(3, 5), {"w": floats(5, 4), "b": floats(3, 1)}, 13),
    ("MatMul, stacked", [node("MatMul", ["x", "w"])], floats(2, 3, 4, 5), {"w": floats(3, 5, 2)}, 13),
    ("Round half to even", [node("Round")], f32(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5).reshape(1, 6), {}, 22),
    ("Sign", [node("Sign")], f32(-2.5, 0, 3).reshape(1, 3), {}, 13),
    ("Mod of negative whole numbers", [node("Cast", ["x"], ["i"], to=TensorProto.INT32), node("Mod", ["i", "d"], ["m"]), node("Cast", ["m"], to=TensorProto.FLOAT)], f32(-7, -3, 0, 4, 9).reshape(1, 5), {"d": np.array([3, -4, 3, -3, -4], np.int32)}, 13),
    ("Div of negative whole numbers", [node("Cast", ["x"], ["i"], to=TensorProto.INT32), node("Div", ["i", "d"], ["m"]), node("Cast", ["m"], to=TensorProto.FLOAT)], f32(-7, -3, 0, 4, 9).reshape(1, 5), {"d": np.array([3, -4, 3, -3, -4], np.int32)}, 14),
    ("Pow with negative bases", [node("Pow", ["x", "e"])], f32(-2, -1.5, 0, 3).reshape(1, 4), {"e": np.array(3, np.int64)}, 15),
    ("Reshape, zero kept", [node("Reshape", ["x", "s"])], floats(2, 3, 4, 5), {"s": i64(0, 0, -1)}, 13),
    ("Reshape with more axes", [node("Reshape", ["x", "s"])], floats(2, 6, 4, 5), {"s": i64(-1, 2, 3, 4, 5)}, 13),
    ("Transpose of all axes, then mean", [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("ReduceMean", ["t"], axes=[1], keepdims=0)], scaled, {}, 13),
    ("SpaceToDepth, then DepthToSpace", [node("SpaceToDepth", ["x"], ["a"], blocksize=2), node("DepthToSpace", ["a"], blocksize=2, mode="CRD")], floats(1, 2, 4, 6), {}, 13),
    ("Squeeze of all", [node("Squeeze")], floats(2, 3, 1, 1), {}, 13),
    ("TopK along the width", [node("TopK", ["x", "k"], ["y", "i"], axis=-1)], scaled, {"k": i64(3)}, 11),
    ("Dropout of 22", [node("Dropout", ["x"])], scaled, {}, 22),
    ("Identity of a pool with its places", [node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])], floats(1, 2, 4, 6), {}, 12),
    ("Affine by Mul and Add of scalars", [node("Mul", ["x", "a"], ["m"]), node("Add", ["m", "b"])], scaled, {"a": np.array(2, np.float32), "b": f32(1)}, 7),
    ("Sum of broadcast parts", [node("Sum", ["x", "a", "b"])], scaled, {"a": floats(2, 1, 1), "b": floats(6, 1)}, 13),
    ("Max of three", [node("Max", ["x", "a", "b"])], scaled, {"a": floats(2, 1, 1), "b": floats(6, 1)}, 13),
    ("OneHot at the front", [node("ArgMax", ["x"], ["a"], axis=1, keepdims=0), node("OneHot", ["a", "d", "v"], axis=-2)], floats(2, 3, 4), {"d": np.array(3), "v": f32(0, 1)}, 11),
]):
    attempt("drawn-others", title, nodes, x, values or None, opset=opset, shape=list(x.shape) if "Squeeze" in title or "no bias" in title else None)

for group, entries in groups.items():
    text = json.dumps(entries, separators=(",", ":"))
    packed = gzip.compress(text.encode(), mtime=0)
    (folder / f"{group}.json.gz").write_bytes(packed)
    print(group, len(entries), len(packed))
