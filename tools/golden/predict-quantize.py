"""Writes a small network and what onnxruntime.quantization makes of it, for the tests of quantize.

Run: <peers' python> tools/golden/predict-quantize.py
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

folder = Path(__file__).parents[2] / "packages/predict/test/golden"
draw = np.random.default_rng(5)


def weight(name, *shape):
    fan = int(np.prod(shape[1:])) if len(shape) > 1 else 20
    return numpy_helper.from_array((draw.normal(size=shape) / np.sqrt(fan)).astype(np.float32), name)


def network():
    """Convolutions with and without a bias, a shortcut, a depthwise convolution, both kinds of pools, a dense layer."""
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "w1", "b1"], ["c1"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", ["c1"], ["r1"]),
        node("Conv", ["r1", "w2", "b2"], ["c2"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Add", ["c2", "r1"], ["sum"]),
        node("Relu", ["sum"], ["r2"]),
        node("MaxPool", ["r2"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["p", "w3", "b3"], ["c3"], kernel_shape=[3, 3], group=8),
        node("Clip", ["c3", "zero", "six"], ["r3"]),
        node("Conv", ["r3", "w4"], ["c4"], kernel_shape=[1, 1]),
        node("Relu", ["c4"], ["r4"]),
        node("GlobalAveragePool", ["r4"], ["g"]),
        node("Flatten", ["g"], ["f"], axis=1),
        node("Gemm", ["f", "w5", "b5"], ["scores"]),
    ]
    weights = [
        weight("w1", 8, 3, 3, 3),
        weight("b1", 8),
        weight("w2", 8, 8, 3, 3),
        weight("b2", 8),
        weight("w3", 8, 1, 3, 3),
        weight("b3", 8),
        weight("w4", 12, 8, 1, 1),
        weight("w5", 12, 5),
        weight("b5", 5),
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.float32(6), "six"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 12, 10])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 5])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def images(count, start):
    """The images that the test makes, too."""
    i = np.arange(count * 360) + start * 360
    return (((i * 131 + (i >> 5) * 17 + (i // 360) * 29) % 256) / 255 * 2 - 1).astype(np.float32).reshape(count, 3, 12, 10)


class Reader(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"image": images(16, 0)}])

    def get_next(self):
        return next(self.batches, None)


def run(path, batch):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": batch})[0]


with tempfile.TemporaryDirectory() as made:
    path = Path(made) / "float.onnx"
    onnx.save(network(), path)
    out = Path(made) / "int8.onnx"
    quantize_static(
        path,
        out,
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )
    quantized = onnx.load(out)
    constants = {each.name: numpy_helper.to_array(each) for each in quantized.graph.initializer}
    scales = {}
    for each in quantized.graph.node:
        if each.op_type == "QuantizeLinear":
            scales[each.input[0]] = [float(constants[each.input[1]]), int(constants[each.input[2]])]
    weights = {
        name.removesuffix("_quantized"): [
            constants[f"{name.removesuffix('_quantized')}_scale"].reshape(-1).tolist(),
            int(values.astype(np.int64).sum()),
        ]
        for name, values in constants.items()
        if name.startswith("w") and name.endswith("_quantized")
    }
    tests = images(64, 16)
    # The same operators: onnx' reference has DequantizeLinear from 19 on.
    quantized.opset_import[0].version = 19
    golden = {
        "by": f"tools/golden/predict-quantize.py, onnxruntime {onnxruntime.__version__}",
        "scales": scales,
        "weights": weights,
        "float32": run(path, tests).reshape(-1).tolist(),
        # By the definition of the operators: what ONNX Runtime gives depends on the processor, since sums of two products of bytes
        # overflow where it has no VNNI.
        "int8": ReferenceEvaluator(quantized).run(None, {"image": tests})[0].reshape(-1).tolist(),
    }
    folder.mkdir(exist_ok=True)
    (folder / "quantize.onnx").write_bytes(path.read_bytes())
    (folder / "quantize.json").write_text(json.dumps(golden))
