"""Attributions of two small networks by pytorch-grad-cam and captum, for packages/inspect/test/attributions.test.ts.

Needs torch, grad-cam and captum. Run from the root of the repository: python tools/golden/inspect-attributions.py
Weights and images follow from `values`, which the test computes alike, so that the files contain results only.
"""

import json
from pathlib import Path

import captum.attr as attr
import numpy as np
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, GuidedBackpropReLUModel, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

torch.set_default_dtype(torch.float32)
HEIGHT, WIDTH = 16, 20


def values(seed, shape, scale):
    """Numbers from -scale to scale, in the order and layout of tfjs."""
    count = int(np.prod(shape))
    places = np.arange(1, count + 1)
    parts = np.modf(np.sin(places * 12.9898 + seed * 78.233) * 43758.5453)[0]
    return (parts * scale).reshape(shape)


def conv(seed, kernel, inputs, outputs, **options):
    layer = nn.Conv2d(inputs, outputs, kernel, **options)
    weights = values(seed, (kernel, kernel, inputs, outputs), (3 / (kernel * kernel * inputs)) ** 0.5)
    layer.weight.data = torch.tensor(weights.transpose(3, 2, 0, 1), dtype=torch.float32)
    layer.bias.data = torch.tensor(values(seed + 0.5, (outputs,), 0.1), dtype=torch.float32)
    return layer


def linear(seed, inputs, outputs, order=None):
    layer = nn.Linear(inputs, outputs)
    weights = values(seed, (inputs, outputs), (3 / inputs) ** 0.5)
    weights = weights if order is None else weights[order]
    layer.weight.data = torch.tensor(weights.T.copy(), dtype=torch.float32)
    layer.bias.data = torch.tensor(values(seed + 0.5, (outputs,), 0.1), dtype=torch.float32)
    return layer


class Branches(nn.Module):
    """Two branches, a shortcut, batch norm, global average pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv(1, 3, 3, 6, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.left = nn.Sequential(conv(2, 1, 6, 4), nn.ReLU())
        self.right = nn.Sequential(conv(3, 3, 6, 4, padding=1), nn.ReLU())
        self.norm = nn.BatchNorm2d(8)
        self.norm.weight.data = 1 + torch.tensor(values(4, (8,), 0.2), dtype=torch.float32)
        self.norm.bias.data = torch.tensor(values(4.25, (8,), 0.2), dtype=torch.float32)
        self.norm.running_mean.data = torch.tensor(values(4.5, (8,), 0.1), dtype=torch.float32)
        self.norm.running_var.data = 1 + torch.tensor(values(4.75, (8,), 0.2), dtype=torch.float32)
        self.after = conv(5, 3, 8, 8, padding=1)
        self.relu = nn.ReLU()
        self.last = nn.Identity()
        self.head = linear(6, 8, 4)

    def forward(self, x):
        x = self.stem(x)
        x = self.norm(torch.cat([self.left(x), self.right(x)], 1))
        x = self.last(self.relu(self.after(x) + x))
        return self.head(x.mean((2, 3)))


class Flat(nn.Module):
    """A chain with a stride, flattened, two dense layers."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(11, 3, 3, 5), nn.ReLU(), nn.AvgPool2d(2), conv(12, 3, 5, 6, stride=2))
        self.relu = nn.ReLU()
        self.last = nn.Identity()
        rows, columns = 3, 4
        # Row i of the weights belongs to value i of [h, w, c], torch flattens [c, h, w].
        order = np.arange(rows * columns * 6).reshape(rows, columns, 6).transpose(2, 0, 1).reshape(-1)
        self.hidden = linear(13, rows * columns * 6, 7, order)
        self.hidden_relu = nn.ReLU()
        self.head = linear(14, 7, 5)

    def forward(self, x):
        x = self.last(self.relu(self.body(x)))
        return self.head(self.hidden_relu(self.hidden(torch.flatten(x, 1))))


def image_like(array):
    return np.asarray(array).transpose(1, 2, 0).reshape(-1)


def results(model, wanted):
    model.eval()
    image = values(0.7, (HEIGHT, WIDTH, 3), 1)
    x = torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32)
    found = {"class": wanted, "logits": model(x).detach().numpy()[0]}
    targets = [ClassifierOutputTarget(wanted)]
    for name, method in {"gradCam": GradCAM, "gradCamPlusPlus": GradCAMPlusPlus, "scoreCam": ScoreCAM}.items():
        with method(model=model, target_layers=[model.last]) as cam:
            found[name] = cam(input_tensor=x, targets=targets)[0].reshape(-1)
    x.requires_grad_()
    found["saliency"] = image_like(attr.Saliency(model).attribute(x, target=wanted, abs=False).detach()[0])
    found["integratedGradients"] = image_like(
        attr.IntegratedGradients(model).attribute(x, target=wanted, n_steps=20).detach()[0]
    )
    baseline = torch.full_like(x, 0.25)
    drops = attr.Occlusion(model).attribute(
        x, target=wanted, sliding_window_shapes=(3, 5, 5), strides=(3, 3, 3), baselines=baseline
    )
    # The same for each channel, since the window covers all.
    found["occlusion"] = drops.detach().numpy()[0][0].reshape(-1)
    # Last, since it replaces the model's ReLUs.
    found["guidedBackprop"] = GuidedBackpropReLUModel(model=model)(x.detach(), wanted).reshape(-1)
    return found


def rounded(value):
    return value if isinstance(value, int) else [float(f"{number:.6g}") for number in value]


folder = Path("packages/inspect/test/golden")
folder.mkdir(exist_ok=True)
for name, model, wanted in [("branches", Branches(), 2), ("flat", Flat(), 3)]:
    found = {key: rounded(value) for key, value in results(model, wanted).items()}
    path = folder / f"attributions-{name}.json"
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, found["logits"])
