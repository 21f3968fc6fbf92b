"""Writes a small network as TorchScript, by torch.export and as a whole module.

Run: <peers' python> tools/golden/weights-torch.py packages/weights/test/golden
Tensor k of the state dict, in its order, is arange(size) * 0.25 - k.
"""
import pathlib
import sys

import torch

out = pathlib.Path(sys.argv[1])
net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(12, 2)).eval()
with torch.no_grad():
    for k, weight in enumerate(net.state_dict().values()):
        weight.copy_((torch.arange(weight.numel()) * 0.25 - k).reshape(weight.shape))
image = torch.zeros(1, 2, 4, 4)
torch.jit.trace(net, image).save(out / "traced.pt")
torch.export.save(torch.export.export(net, (image,)), out / "exported.pt2")
torch.save(net, out / "whole.pth")
