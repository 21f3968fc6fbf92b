"""Small networks of the scripts for packages/inspect/test; the same as in its small-networks.ts."""

import numpy as np
import torch
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
