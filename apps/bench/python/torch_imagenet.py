"""The large measured networks as a PyTorch user writes them; see `torch_networks.py`."""

import re

import torch
from torch import nn
from torch.nn import functional as F

from torch_layers import Flatten, StridedSameConv, batch_norm, named


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


class ResNet(nn.Module):
    """The notebook's and Keras': `names` gives the names of a unit's layers, which are those of the notebook or of Keras."""

    def __init__(self, classes, stem_padding, epsilon, names, counts=(3, 4, 6, 3)):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 64, 7, 2, stem_padding[0]), batch_norm(64, epsilon)
        self.pool = nn.MaxPool2d(3, 2, stem_padding[1])
        self.aliases = {"stem": names["stem"], "norm": names["norm"], "fc": names["fc"]}
        units, channels = [], 64
        for stage, (filters, count) in enumerate(zip((64, 128, 256, 512), counts), 2):
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

    return ResNet(classes, (0, 0), 1e-3, {"stem": "conv1", "norm": "bn_conv1", "fc": f"fc{classes}", "unit": unit})


def resnet152(shape, classes):
    return resnet50(shape, classes, (3, 8, 36, 3))


def resnet50(shape, classes, counts=(3, 4, 6, 3)):
    def unit(stage, index, part):
        kind = "conv" if part.startswith("conv") else "bn"
        return f"conv{stage}_block{index + 1}_{part[-1]}_{kind}"

    names = {"stem": "conv1_conv", "norm": "conv1_bn", "fc": "predictions", "unit": unit}
    return ResNet(classes, (3, 1), 1.001e-5, names, counts)


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


class Vgg16(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        channels = shape[2]
        for block, (filters, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
            for index in range(1, count + 1):
                setattr(self, f"block{block}_conv{index}", nn.Conv2d(channels, filters, 3, padding=1))
                channels = filters
        self.flatten = Flatten(512, 7, 7)
        self.fc1 = nn.Linear(25_088, 4096)
        self.fc2 = nn.Linear(4096, 4096)
        self.predictions = nn.Linear(4096, classes)

    def forward(self, x):
        for block, count in enumerate((2, 2, 3, 3, 3), 1):
            for index in range(1, count + 1):
                x = F.relu(getattr(self, f"block{block}_conv{index}")(x))
            x = F.max_pool2d(x, 2)
        x = F.relu(self.fc1(self.flatten(x)))
        return self.predictions(F.relu(self.fc2(x)))


class ConvRelu(nn.Conv2d):
    def __init__(self, channels, filters, kernel):
        super().__init__(channels, filters, kernel, padding=kernel // 2)

    def forward(self, x):
        return F.relu(super().forward(x))


class GoogLeNet(nn.Module):
    """The paper's: biases, local response normalisation, true 5x5; as at inference, without the auxiliary heads."""

    table = {
        "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
        "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
    }

    def __init__(self, shape, classes):
        super().__init__()
        self.conv1 = StridedSameConv(3, 64, 7)
        self.conv2 = named(reduce=ConvRelu(64, 64, 1), conv=ConvRelu(64, 192, 3))
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.norm = nn.LocalResponseNorm(5)
        channels = 192
        for name, (b1, r2, b2, r3, b3, b4) in self.table.items():
            module = nn.Module()
            module.b1 = ConvRelu(channels, b1, 1)
            module.b2 = named(reduce=ConvRelu(channels, r2, 1), conv=ConvRelu(r2, b2, 3))
            module.b3 = named(reduce=ConvRelu(channels, r3, 1), conv=ConvRelu(r3, b3, 5))
            module.b4 = named(pool=nn.MaxPool2d(3, 1, 1), project=ConvRelu(channels, b4, 1))
            self.add_module(name, module)
            channels = b1 + b2 + b3 + b4
        self.predictions = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.norm(self.pool(F.relu(self.conv1(x))))
        x = self.pool(self.norm(self.conv2(x)))
        for name in self.table:
            module = getattr(self, name)
            x = torch.cat([module.b1(x), module.b2(x), module.b3(x), module.b4(x)], 1)
            if name in ("3b", "4e"):
                x = self.pool(x)
        return self.predictions(x.mean((2, 3)))


class Branches(nn.Module):
    """Side by side, joined by channels."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class InceptionV3(nn.Module):
    """Keras': no gamma, means that do not count padding. Its layers are numbered in the order in which they are made."""

    def __init__(self, shape, classes):
        super().__init__()
        numbered = []

        def unit(channels, filters, kernel, stride=1, padding=None):
            kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
            same = (kernel[0] // 2, kernel[1] // 2)
            conv = nn.Conv2d(channels, filters, kernel, stride, same if padding is None else padding, bias=False)
            made = named(conv=conv, bn=batch_norm(filters, scale=False), relu=nn.ReLU(inplace=True))
            numbered.append(made)
            return made

        def row(channels, *layers):
            made = []
            for filters, *rest in layers:
                made.append(unit(channels, filters, *rest))
                channels = filters
            return nn.Sequential(*made)

        def mean(channels, filters):
            return nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), unit(channels, filters, 1))

        def a(channels, pool):
            return Branches(
                unit(channels, 64, 1),
                row(channels, (48, 1), (64, 5)),
                row(channels, (64, 1), (96, 3), (96, 3)),
                mean(channels, pool),
            )

        def c(width):
            return Branches(
                unit(768, 192, 1),
                row(768, (width, 1), (width, (1, 7)), (192, (7, 1))),
                row(768, (width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)), (192, (1, 7))),
                mean(768, 192),
            )

        def e(channels):
            def fork():
                return Branches(unit(384, 384, (1, 3)), unit(384, 384, (3, 1)))

            return Branches(
                unit(channels, 320, 1),
                nn.Sequential(unit(channels, 384, 1), fork()),
                nn.Sequential(row(channels, (448, 1), (384, 3)), fork()),
                mean(channels, 192),
            )

        pool, valid = nn.MaxPool2d(3, 2), 0
        self.body = nn.Sequential(
            row(3, (32, 3, 2, valid), (32, 3, 1, valid), (64, 3)), pool,
            row(64, (80, 1), (192, 3, 1, valid)), pool,
            a(192, 32), a(256, 64), a(288, 64),
            Branches(unit(288, 384, 3, 2, valid), row(288, (64, 1), (96, 3), (96, 3, 2, valid)), pool),
            c(128), c(160), c(160), c(192),
            Branches(
                row(768, (192, 1), (320, 3, 2, valid)),
                row(768, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, valid)),
                pool,
            ),
            e(1280), e(2048),
        )  # fmt: skip
        self.predictions = nn.Linear(2048, classes)
        paths = {module: path for path, module in self.named_modules()}
        self.aliases = {}
        for index, made in enumerate(numbered):
            number = f"_{index}" if index > 0 else ""
            self.aliases[f"{paths[made]}.conv"] = f"conv2d{number}"
            self.aliases[f"{paths[made]}.bn"] = f"batch_normalization{number}"

    def canonical(self, path):
        return self.aliases.get(path, path)

    def forward(self, x):
        return self.predictions(self.body(x).mean((2, 3)))
