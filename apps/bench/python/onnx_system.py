"""ONNX Runtime: prediction with the graph that PyTorch exports of the same network."""

import os
import tempfile
import time
import warnings

import numpy as np
import onnxruntime
import torch

import formula
from measuring import measure
from torch_layers import StridedSameConv
from torch_networks import NETWORKS
from torch_system import load_formula

OPSET = 17


def versions() -> dict:
    return {"onnxruntime": onnxruntime.__version__}


class Probabilities(torch.nn.Module):
    def __init__(self, model: torch.nn.Module, classes: int):
        super().__init__()
        self.model, self.classes = model, classes

    def forward(self, x):
        y = self.model(x)
        return y.softmax(1) if self.classes > 1 else torch.sigmoid(y)


class System:
    def __init__(self, options: dict):
        self.settings = onnxruntime.SessionOptions()
        self.settings.intra_op_num_threads = options["threads"]
        self.exported = None
        self.folder = tempfile.TemporaryDirectory()

    def export(self, network: dict, batch: int) -> tuple[str, dict]:
        if self.exported is None or self.exported[0] != network["name"]:
            model = NETWORKS[network["name"]](tuple(network["input"]), network["classes"])
            total, trainable = load_formula(model, network["gain"])
            for module in model.modules():
                if isinstance(module, StridedSameConv):
                    module.exact = True
            self.exported = network["name"], model, {"params": total, "trainable": trainable}
        _, model, counts = self.exported
        height, width, channels = network["input"]
        path = os.path.join(self.folder.name, "model.onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Probabilities(model, network["classes"]).eval(),
                (torch.zeros(batch, channels, height, width),),
                path,
                dynamo=False,
                opset_version=OPSET,
                input_names=["images"],
                output_names=["probabilities"],
            )
        return path, counts

    def open(self, path: str, x: np.ndarray):
        """Loads a model; returns a function that predicts the batch `x`."""
        session = onnxruntime.InferenceSession(path, self.settings, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {"images": x})[0]

    def predict(self, network: dict, batch: int) -> dict:
        path, counts = self.export(network, batch)
        x = images(network, batch)
        start = time.perf_counter()
        run = self.open(path, x)
        outputs = run()
        first_step = (time.perf_counter() - start) * 1000
        self.steps = lambda n: [run() for _ in range(n)]
        return {**counts, "outputs": outputs.flatten()[:64].tolist(), "firstStep": first_step}

    def measure(self, seconds: float, count: int) -> dict:
        return {"times": measure(self.steps, seconds, count)}

    def load(self, network: dict, count: int) -> dict:
        """From a .onnx file to the first prediction."""
        path, counts = self.export(network, 1)
        x = images(network, 1)
        times = []
        for _ in range(count):
            start = time.perf_counter()
            outputs = self.open(path, x)()
            times.append((time.perf_counter() - start) * 1000)
        return {**counts, "outputs": outputs.flatten()[:64].tolist(), "times": times}


def images(network: dict, batch: int) -> np.ndarray:
    """A batch, channels first."""
    x = formula.images(0, (batch, *network["input"]), network["scale"])
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
