"""PyTorch: contiguous (its default), channels last, and torch.compile; on a GPU with automatic mixed precision."""

import contextlib
import os
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import formula
from measuring import measure, measure_stream, read_mnist
from torch_layers import Flatten, SeparableConv, StridedSameConv
from torch_networks import NETWORKS

BATCHES = 8
ROLES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def versions() -> dict:
    return {"torch": torch.__version__}


def load_formula(model: nn.Module, gain: float) -> tuple[int, int]:
    """Writes the formula's weights, whose layout is Keras', and counts all and the trainable ones."""
    total = trainable = 0
    flattened = None
    canonical = getattr(model, "canonical", str)

    def put(tensor, layer, role, shape, permute=lambda value: value, learned=True):
        nonlocal total, trainable
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(permute(formula.weight(layer, role, shape, gain)))))
        total += tensor.numel()
        trainable += tensor.numel() if learned else 0

    for path, module in model.named_modules():
        name = canonical(path)
        if isinstance(module, Flatten):
            flattened = module.map
        elif isinstance(module, SeparableConv):
            channels, filters = module.pointwise.in_channels, module.pointwise.out_channels
            put(module.depthwise.weight, name, "depthwise_kernel", (3, 3, channels, 1), lambda k: k.transpose(2, 3, 0, 1))
            put(module.pointwise.weight, name, "pointwise_kernel", (1, 1, channels, filters), lambda k: k.transpose(3, 2, 0, 1))
        elif isinstance(module, nn.Conv2d) and not path.endswith((".depthwise", ".pointwise")):
            shape = (*module.kernel_size, module.in_channels, module.out_channels)
            put(module.weight, name, "kernel", shape, lambda k: k.transpose(3, 2, 0, 1))
            if module.bias is not None:
                put(module.bias, name, "bias", (module.out_channels,))
        elif isinstance(module, nn.Linear):
            size = flattened

            def permute(k, size=size):
                if size is None:
                    return k.T
                return k.reshape(*size, -1).transpose(3, 2, 0, 1).reshape(k.shape[1], -1)

            put(module.weight, name, "kernel", (module.in_features, module.out_features), permute)
            put(module.bias, name, "bias", (module.out_features,))
            flattened = None
        elif isinstance(module, nn.BatchNorm2d):
            for key, role in ROLES.items():
                if role != "gamma" or module.weight.requires_grad:
                    put(getattr(module, key), name, role, (module.num_features,), learned=not role.startswith("moving"))
    return total, trainable


def optimizer(name: str, model: nn.Module, rate: float) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if name == "sgd":
        return torch.optim.SGD(parameters, rate, fused=True)
    if name == "adam":
        return torch.optim.Adam(parameters, rate, eps=1e-7, fused=True)
    return torch.optim.RMSprop(parameters, rate, alpha=0.9, eps=1e-7)


class System:
    def __init__(self, options: dict):
        torch.set_num_threads(options["threads"])
        torch.set_num_interop_threads(options["threads"])
        self.variant = options["variant"]
        self.predicted = None
        self.second_step = 0
        self.threads = options["threads"]
        self.device = torch.device(options["device"])
        self.dtype = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[options["precision"]]
        self.layout = torch.contiguous_format if self.variant == "contiguous" else torch.channels_last

    def made(self, network: dict) -> tuple[nn.Module, dict]:
        model = NETWORKS[network["name"]](tuple(network["input"]), network["classes"])
        total, trainable = load_formula(model, network["gain"])
        model = model.to(self.device, memory_format=self.layout)
        return model, {"params": total, "trainable": trainable}

    def images(self, network: dict, index: int, batch: int) -> torch.Tensor:
        x = formula.images(index, (batch, *network["input"]), network["scale"]).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.device, memory_format=self.layout)

    def autocast(self):
        if self.dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def train(self, network: dict, batch: int, optimizer: str) -> dict:
        model, counts = self.made(network)
        self.prepare_step(model, network, optimizer)
        self.batches = [self.batch(network, index, batch) for index in range(BATCHES)]
        start = time.perf_counter()
        first = self.step(*self.batches[0])
        self.synchronize()
        first_step = (time.perf_counter() - start) * 1000
        self.second_step = 0
        if any(isinstance(module, StridedSameConv) for module in model.modules()):
            losses = self.exact_losses(network, optimizer)
        else:
            start = time.perf_counter()
            losses = [first, self.step(*self.batches[0])]
            self.second_step = time.perf_counter() - start
        return {**counts, "losses": losses, "firstStep": first_step}

    def batch(self, network: dict, index: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.from_numpy(formula.labels(index, size, network["classes"])).to(self.device)
        return self.images(network, index, size), y.float()[:, None] if network["classes"] == 1 else y.long()

    def exact_losses(self, network: dict, optimizer: str) -> list[float]:
        """The losses of two steps on batch 0 with TensorFlow's padding, by a second model; the timed one stays as it is."""
        timed = self.step, self.steps
        model, _ = self.made(network)
        for module in model.modules():
            if isinstance(module, StridedSameConv):
                module.exact = True
        self.prepare_step(model, network, optimizer)
        losses = [self.step(*self.batches[0]) for _ in range(2)]
        self.step, self.steps = timed
        return losses

    def prepare_step(self, model: nn.Module, network: dict, name: str, rate: float | None = None) -> None:
        model.train()
        forward = torch.compile(model) if self.variant == "compile" else model
        update = optimizer(name, model, rate or (network.get("rate", 0.01) if name == "sgd" else 1e-4))
        criterion = F.binary_cross_entropy_with_logits if network["classes"] == 1 else F.cross_entropy
        scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

        def step(x, y) -> float:
            update.zero_grad(set_to_none=True)
            with self.autocast():
                loss = criterion(forward(x), y)
            scaler.scale(loss).backward()
            scaler.step(update)
            scaler.update()
            return loss.item()

        self.step = step
        self.steps = lambda n: [step(*self.batches[index % BATCHES]) for index in range(n)]

    def measure(self, seconds: float, count: int) -> dict:
        if self.variant in ("loader", "workers"):
            return {"times": measure_stream(lambda: self.loader, seconds, count)}
        return {"times": measure(self.steps, seconds, count, self.second_step)}

    def predict(self, network: dict, batch: int) -> dict:
        if self.predicted is None or self.predicted[0] != network["name"]:
            self.predicted = network["name"], *self.made(network)
        _, model, counts = self.predicted
        activation = (lambda y: y.softmax(1)) if network["classes"] > 1 else torch.sigmoid
        x = self.images(network, 0, batch)

        def probabilities(forward) -> np.ndarray:
            with torch.inference_mode(), self.autocast():
                return activation(forward(x)).float().cpu().numpy()

        strided = [module for module in model.eval().modules() if isinstance(module, StridedSameConv)]
        for module in strided:
            module.exact = True
        outputs = probabilities(model)
        for module in strided:
            module.exact = False
        forward = torch.compile(model, dynamic=False) if self.variant == "compile" else model
        start = time.perf_counter()
        probabilities(forward)
        first_step = (time.perf_counter() - start) * 1000
        self.steps = lambda n: [probabilities(forward) for _ in range(n)]
        return {**counts, "outputs": outputs.flatten()[:64].tolist(), "firstStep": first_step}

    def load(self, network: dict, count: int) -> dict:
        """From a .safetensors file to the first prediction."""
        from safetensors.torch import load_file, save_file

        model, counts = self.made(network)
        activation = (lambda y: y.softmax(1)) if network["classes"] > 1 else torch.sigmoid
        x = self.images(network, 0, 1)
        with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
            path = os.path.join(folder, "model.safetensors")
            save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
            times = []
            for _ in range(count):
                start = time.perf_counter()
                with torch.device("meta"):
                    fresh = NETWORKS[network["name"]](tuple(network["input"]), network["classes"])
                fresh.load_state_dict(load_file(path), assign=True)
                outputs = activation(fresh.eval()(x)).numpy()
                times.append((time.perf_counter() - start) * 1000)
        return {**counts, "outputs": outputs.flatten()[:64].tolist(), "times": times}

    def build(self, network: dict) -> dict:
        """With fresh weights, PyTorch's own initialisation."""
        start = time.perf_counter()
        model = NETWORKS[network["name"]](tuple(network["input"]), network["classes"])
        times = [(time.perf_counter() - start) * 1000]
        tensors = [*model.parameters(), *(buffer for buffer in model.buffers() if buffer.is_floating_point())]
        return {"params": sum(tensor.numel() for tensor in tensors), "times": times}

    def data(self, source: str, folder: str, batch: int) -> dict:
        """`DataLoader` over tensors or over torchvision's ImageFolder, in this process or with worker processes."""
        from torchvision import datasets, transforms

        if source == "mnist":
            images, labels = (torch.from_numpy(part) for part in read_mnist(folder, "train"))
            data = torch.utils.data.TensorDataset(images[:, None].float(), labels.long())
        else:
            resize = transforms.Resize((180, 180), antialias=False)
            to_float = transforms.Lambda(lambda x: x.float())
            data = datasets.ImageFolder(folder, transforms.Compose([transforms.PILToTensor(), resize, to_float]))
        workers = {"num_workers": self.threads, "persistent_workers": True} if self.variant == "workers" else {}
        self.loader = torch.utils.data.DataLoader(data, batch, shuffle=True, multiprocessing_context=None, **workers)
        return {"outputs": [float(np.mean([x.mean().item() for x, _ in self.loader]))]}

    def accuracy(self, network: dict, batch: int, folder: str, target: float, epochs: int) -> dict:
        """A plain loop with Adam over MNIST's tensors until so many of the test images are classified right."""
        (x, y), (test_x, test_y) = ((torch.from_numpy(i), torch.from_numpy(l)) for i, l in (read_mnist(folder, part) for part in ("train", "t10k")))
        x, test_x = x[:, None].float() / 255, test_x[:, None].float() / 255
        y, test_y = y.long(), test_y.long()
        model, counts = self.made(network)
        self.prepare_step(model, network, "adam", 1e-3)
        for epoch in range(epochs):
            model.train()
            for part in torch.randperm(len(x)).split(batch):
                self.step(x[part], y[part])
            model.eval()
            with torch.inference_mode():
                right = sum((model(i).argmax(1) == l).sum().item() for i, l in zip(test_x.split(1000), test_y.split(1000)))
            if right / len(test_x) >= target:
                return {**counts, "epochs": epoch + 1}
        raise RuntimeError(f"it reached {right / len(test_x):.4f} in {epochs} epochs, the target is {target}")
