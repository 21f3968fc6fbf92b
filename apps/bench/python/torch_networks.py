"""The measured networks as a PyTorch user writes them: logits out, and a module's path is the name it has in convkit."""

import re
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


def named(**modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(modules))


def batch_norm(channels: int, epsilon: float = 1e-3, scale: bool = True) -> nn.BatchNorm2d:
    """Keras' constants; without `scale` gamma stays one."""
    norm = nn.BatchNorm2d(channels, eps=epsilon, momentum=0.01)
    norm.weight.requires_grad_(scale)
    return norm


class StridedSameConv(nn.Conv2d):
    """A strided "same" convolution. PyTorch pads both sides alike, TensorFlow the end first: `exact` pads as TensorFlow
    does, for the comparison of losses; timed is PyTorch's own padding, which spares it a copy."""

    exact = False

    def __init__(self, channels: int, filters: int, kernel: int):
        super().__init__(channels, filters, kernel, 2, kernel // 2)

    def forward(self, x):
        if not self.exact:
            return super().forward(x)
        total = self.kernel_size[0] - 2
        before = total // 2
        x = F.pad(x, (before, total - before, before, total - before))
        return F.conv2d(x, self.weight, self.bias, 2)


class Flatten(nn.Flatten):
    """Remembers the map that it flattens: the kernel of the dense layer behind it is stored in another order."""

    def __init__(self, channels: int, height: int, width: int):
        super().__init__()
        self.map = (height, width, channels)


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


class Bottleneck(nn.Module):
    """Stride on the first 1x1 and biases, as the notebook and Keras have it."""

    def __init__(self, channels, filters, stride, project, epsilon):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, filters, 1, stride), batch_norm(filters, epsilon)
        self.conv2, self.bn2 = nn.Conv2d(filters, filters, 3, padding=1), batch_norm(filters, epsilon)
        self.conv3, self.bn3 = nn.Conv2d(filters, 4 * filters, 1), batch_norm(4 * filters, epsilon)
        if project:
            self.conv0, self.bn0 = nn.Conv2d(channels, 4 * filters, 1, stride), batch_norm(4 * filters, epsilon)
        self.project = project

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (self.bn0(self.conv0(x)) if self.project else x))


class ResNet50(nn.Module):
    """Both of them: `names` gives the names of a unit's layers, which are those of the notebook or of Keras."""

    def __init__(self, classes, stem_padding, epsilon, names):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 64, 7, 2, stem_padding[0]), batch_norm(64, epsilon)
        self.pool = nn.MaxPool2d(3, 2, stem_padding[1])
        self.aliases = {"stem": names["stem"], "norm": names["norm"], "fc": names["fc"]}
        units, channels = [], 64
        for stage, (filters, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
            for index in range(count):
                stride = 2 if index == 0 and stage > 2 else 1
                for part in ("conv0", "bn0", "conv1", "bn1", "conv2", "bn2", "conv3", "bn3"):
                    self.aliases[f"units.{len(units)}.{part}"] = names["unit"](stage, index, part)
                units.append(Bottleneck(channels, filters, stride, index == 0, epsilon))
                channels = 4 * filters
        self.units = nn.Sequential(*units)
        self.fc = nn.Linear(2048, classes)

    def canonical(self, path):
        return self.aliases.get(path, path)

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.stem(x))))
        x = self.units(x)
        return self.fc(x.mean((2, 3)))


def resnet50_small(shape, classes):
    def unit(stage, index, part):
        kind = "res" if part.startswith("conv") else "bn"
        branch = {"0": "1", "1": "2a", "2": "2b", "3": "2c"}[part[-1]]
        return f"{kind}{stage}{'abcdef'[index]}_branch{branch}"

    return ResNet50(classes, (0, 0), 1e-3, {"stem": "conv1", "norm": "bn_conv1", "fc": f"fc{classes}", "unit": unit})


def resnet50(shape, classes):
    def unit(stage, index, part):
        kind = "conv" if part.startswith("conv") else "bn"
        return f"conv{stage}_block{index + 1}_{part[-1]}_{kind}"

    names = {"stem": "conv1_conv", "norm": "conv1_bn", "fc": "predictions", "unit": unit}
    return ResNet50(classes, (3, 1), 1.001e-5, names)


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


class SeparableConv(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, filters, 1, bias=False)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


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


def conv_bn(channels, filters, kernel):
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (kernel[0] // 2, kernel[1] // 2)
    conv = nn.Conv2d(channels, filters, kernel, padding=padding, bias=False)
    return named(conv=conv, bn=batch_norm(filters, scale=False), relu=nn.ReLU(inplace=True))


class Inception(nn.Module):
    def __init__(self, channels, widths, factorised):
        super().__init__()
        (b1, (r2, w2), (r3, w3), w4) = widths

        def branch(reduce, filters, size):
            if not factorised:
                return named(reduce=conv_bn(channels, reduce, 1), conv=conv_bn(reduce, filters, size))
            return named(
                reduce=conv_bn(channels, reduce, 1),
                row=conv_bn(reduce, filters, (1, size)),
                column=conv_bn(filters, filters, (size, 1)),
            )

        self.b1 = conv_bn(channels, b1, 1)
        self.b2, self.b3 = branch(r2, w2, 3), branch(r3, w3, 5)
        self.b4 = named(pool=nn.MaxPool2d(3, 1, 1), project=conv_bn(channels, w4, 1))

    def forward(self, x):
        return torch.cat([self.b1(x), self.b2(x), self.b3(x), self.b4(x)], 1)


class Vgg16Inception(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        pool = nn.MaxPool2d(2)
        narrow, wide = (64, (96, 128), (16, 32), 32), (128, (192, 256), (32, 64), 64)
        self.block1 = named(conv1=conv_bn(shape[2], 64, 3), conv2=conv_bn(64, 64, 3), pool=pool)
        self.block2 = named(conv1=conv_bn(64, 128, 3), conv2=conv_bn(128, 128, 3), pool=pool)
        self.block3 = named(
            inception1=Inception(128, narrow, False), inception2=Inception(256, narrow, False),
            inception3=Inception(256, narrow, False), pool=pool,
        )
        self.block4 = named(conv1=conv_bn(256, 512, 3), conv2=conv_bn(512, 512, 3), conv3=conv_bn(512, 512, 3), pool=pool)
        self.block5 = named(
            inception1=Inception(512, wide, True), inception2=Inception(512, wide, True),
            inception3=Inception(512, wide, True), pool=pool,
        )
        self.flatten = Flatten(512, 7, 7)
        self.fc1 = nn.Linear(25_088, 4096)
        self.fc2 = nn.Linear(4096, 4096)
        self.predictions = nn.Linear(4096, classes)

    @staticmethod
    def canonical(path):
        """convkit keeps the notebook's names: `block3_i1.b2.reduce_conv`, `block1_conv1_bn`."""
        path = re.sub(r"^(block\d)\.(?:inception(\d)|(conv\d))", lambda m: f"{m[1]}_{m[3] or 'i' + m[2]}", path)
        return re.sub(r"\.(conv|bn)$", r"_\1", path)

    def forward(self, x):
        x = self.block5(self.block4(self.block3(self.block2(self.block1(x)))))
        x = F.relu(self.fc1(self.flatten(x)))
        return self.predictions(F.relu(self.fc2(x)))


NETWORKS = {
    "lenet5": LeNet5,
    "inception-cifar10": InceptionCifar10,
    "residual-same": ResidualSame,
    "residual-different": ResidualDifferent,
    "resnet50-small": resnet50_small,
    "residual-stack": ResidualStack,
    "mini-xception": MiniXception,
    "vgg16-inception": Vgg16Inception,
    "resnet50": resnet50,
}
