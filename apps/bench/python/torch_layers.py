"""The layers that the measured PyTorch networks share."""

from collections import OrderedDict

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


class SeparableConv(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, filters, 1, bias=False)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))
