"""OpenVINO: prediction with the graph that PyTorch exports of the same network."""

import time

import numpy as np
import openvino

import formula
import onnx_system
from measuring import measure


def versions() -> dict:
    return {"openvino": openvino.__version__.split("-")[0]}


class System(onnx_system.System):
    def __init__(self, options: dict):
        super().__init__(options)
        self.core = openvino.Core()
        self.properties = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": options["threads"],
            "NUM_STREAMS": 1,
        }

    def open(self, path: str):
        return self.core.compile_model(path, "CPU", self.properties).create_infer_request()

    def predict(self, network: dict, batch: int) -> dict:
        path, counts = self.export(network, batch)
        x = formula.images(0, (batch, *network["input"]), network["scale"]).transpose(0, 3, 1, 2)
        start = time.perf_counter()
        request = self.open(path)
        # Tensors are kept from call to call, as OpenVINO's guide to fast predictions says.
        request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(x)))
        request.infer()
        outputs = request.get_output_tensor().data
        first_step = (time.perf_counter() - start) * 1000

        def steps(n):
            for _ in range(n):
                request.infer()
                request.get_output_tensor().data.copy()

        self.steps = steps
        return {**counts, "outputs": outputs.flatten()[:64].tolist(), "firstStep": first_step}

    def measure(self, seconds: float, count: int) -> dict:
        return {"times": measure(self.steps, seconds, count)}

    def load(self, network: dict, count: int) -> dict:
        """From a .onnx file to the first prediction."""
        path, counts = self.export(network, 1)
        x = formula.images(0, (1, *network["input"]), network["scale"]).transpose(0, 3, 1, 2)
        times = []
        for _ in range(count):
            start = time.perf_counter()
            request = self.open(path)
            request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(x)))
            request.infer()
            outputs = request.get_output_tensor().data
            times.append((time.perf_counter() - start) * 1000)
        return {**counts, "outputs": outputs.flatten()[:64].tolist(), "times": times}
