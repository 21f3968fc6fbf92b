"""The measured networks as a PyTorch user writes them: logits out, and a module's path is the name it has in convkit."""

import torch
from torch import nn
from torch.nn import functional as F

from torch_imagenet import GoogLeNet, InceptionV3, Vgg16, Vgg16Inception, resnet50, resnet50_small, resnet152
from torch_layers import Flatten, SeparableConv, StridedSameConv, batch_norm, named


class LeNet5(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.flatten = Flatten(16, 5, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(self.flatten(x)))
        return self.fc3(F.relu(self.fc2(x)))


class SimpleCnn(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5)
        self.flatten = Flatten(32, 12, 12)
        self.predictions = nn.Linear(4608, classes)

    def forward(self, x):
        return self.predictions(self.flatten(F.max_pool2d(self.conv1(x), 2)))


class InceptionCifar10(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.a = nn.Conv2d(3, 16, 1, 2)
        self.b = named(reduce=nn.Conv2d(3, 16, 1), relu=nn.ReLU(), conv=StridedSameConv(16, 16, 3))
        self.c = named(reduce=nn.Conv2d(3, 16, 1), relu=nn.ReLU(), conv=StridedSameConv(16, 16, 5))
        self.d = named(pool=nn.MaxPool2d(3, 2, ceil_mode=True), conv=nn.Conv2d(3, 16, 1))
        self.flatten = Flatten(64, 16, 16)
        self.fc1 = nn.Linear(16_384, 512)
        self.predictions = nn.Linear(512, classes)

    def forward(self, x):
        x = F.relu(torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], 1))
        return self.predictions(F.relu(self.fc1(self.flatten(x))))


class ResidualSame(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        convs = {f"conv{index}": nn.Conv2d(3, 3, 3, padding=1) for index in (1, 2, 3)}
        self.residual = nn.ModuleDict({"body": nn.ModuleDict(convs)})
        self.flatten = Flatten(3, 32, 32)
        self.fc1 = nn.Linear(3072, 128)
        self.predictions = nn.Linear(128, classes)

    def forward(self, x):
        y = x
        for conv in self.residual["body"].values():
            y = F.relu(conv(y))
        return self.predictions(F.relu(self.fc1(self.flatten(y + x))))


class ResidualDifferent(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 6, 3, padding=1)
        self.residual = named(body=nn.Conv2d(6, 6, 1))
        self.flatten = Flatten(6, 16, 16)
        self.fc1 = nn.Linear(1536, 128)
        self.predictions = nn.Linear(128, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = x + self.residual(x)
        return self.predictions(F.relu(self.fc1(self.flatten(x))))


class ResidualStack(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        channels = 3
        for index, filters in enumerate((32, 64, 128), 1):
            main = named(
                conv1=nn.Conv2d(channels, filters, 3, padding=1),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(filters, filters, 3, padding=1),
                relu2=nn.ReLU(),
                pool=nn.MaxPool2d(2) if index < 3 else nn.Identity(),
            )
            shortcut = nn.Conv2d(channels, filters, 1, 2 if index < 3 else 1)
            setattr(self, f"block{index}", nn.ModuleDict({"main": main, "shortcut": shortcut}))
            channels = filters
        self.predictions = nn.Linear(channels, classes)

    def forward(self, x):
        x = x * (1 / 255)
        for block in (self.block1, self.block2, self.block3):
            x = block["main"](x) + block["shortcut"](x)
        return self.predictions(x.mean((2, 3)))


class MiniXception(nn.Module):
    """Without augmentation and dropout, which draw random numbers: losses must be comparable."""

    def __init__(self, shape, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 5, bias=False)
        channels, height = 32, shape[0] - 4
        for index, size in enumerate((32, 64, 128, 256, 512), 1):
            # On an odd map TensorFlow pads both sides, on an even one only the end: as ceil mode does.
            pool = nn.MaxPool2d(3, 2, 1) if height % 2 else nn.MaxPool2d(3, 2, ceil_mode=True)
            main = named(
                bn1=batch_norm(channels), relu1=nn.ReLU(), sep1=SeparableConv(channels, size),
                bn2=batch_norm(size), relu2=nn.ReLU(), sep2=SeparableConv(size, size), pool=pool,
            )
            shortcut = nn.Conv2d(channels, size, 1, 2, bias=False)
            setattr(self, f"block{index}", nn.ModuleDict({"main": main, "shortcut": shortcut}))
            channels, height = size, (height + 1) // 2
        self.predictions = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.conv(x * (1 / 255))
        for block in (self.block1, self.block2, self.block3, self.block4, self.block5):
            x = block["main"](x) + block["shortcut"](x)
        return self.predictions(x.mean((2, 3)))


NETWORKS = {
    "lenet5": LeNet5,
    "simple-cnn": SimpleCnn,
    "inception-cifar10": InceptionCifar10,
    "residual-same": ResidualSame,
    "residual-different": ResidualDifferent,
    "resnet50-small": resnet50_small,
    "residual-stack": ResidualStack,
    "mini-xception": MiniXception,
    "vgg16-inception": Vgg16Inception,
    "googlenet": GoogLeNet,
    "vgg16": Vgg16,
    "inception-v3": InceptionV3,
    "resnet50": resnet50,
    "resnet152": resnet152,
}
