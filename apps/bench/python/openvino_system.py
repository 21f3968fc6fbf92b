"""OpenVINO: prediction with the graph that PyTorch exports of the same network."""

import numpy as np
import openvino

import onnx_system


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

    def open(self, path: str, x: np.ndarray):
        request = self.core.compile_model(path, "CPU", self.properties).create_infer_request()
        # Tensors are kept from call to call, as OpenVINO's guide to fast predictions says.
        request.set_input_tensor(openvino.Tensor(x))

        def run():
            request.infer()
            return request.get_output_tensor().data.copy()

        return run
