"""One state of torchvision's squeezenet1_1, saved in the ways of training scripts. Argument: a folder. Prints the names as JSON."""
import argparse
import collections
import json
import pathlib
import sys

import numpy as np
import safetensors.torch
import torch
import torchvision

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(3)
model = torchvision.models.squeezenet1_1(weights=None)
state = model.state_dict()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
model(torch.zeros(1, 3, 64, 64)).sum().backward()
optimizer.step()
state = {name: value.detach().clone() for name, value in model.state_dict().items()}
parallel = {f"module.{name}": value for name, value in state.items()}
flat = torch.cat([value.flatten() for value in state.values()])
parts = dict(zip(state, flat.split([value.numel() for value in state.values()])))


def reversed_axes(value):
    axes = tuple(reversed(range(value.dim())))
    return value.permute(axes).contiguous().permute(axes)


states = {
    "plain": state,
    "data-parallel": torch.nn.DataParallel(model).state_dict(),
    "compiled": {f"module._orig_mod.{name}": value for name, value in state.items()},
    "averaged": torch.optim.swa_utils.AveragedModel(model).state_dict(),
    "lightning": {"epoch": 1, "state_dict": {f"model.{name}": value for name, value in state.items()}, "optimizer_states": []},
    "imagenet-example": {
        "epoch": 3,
        "arch": "squeezenet1_1",
        "state_dict": parallel,
        "best_acc1": torch.tensor(71.3),
        "optimizer": optimizer.state_dict(),
    },
    "loss-beside": {"model_state_dict": state, "loss": torch.tensor(0.3), "optimizer": optimizer.state_dict()},
    "average-beside": {"state_dict": state, "state_dict_ema": {name: value * 2 for name, value in state.items()}},
    "own-name": {"generator": state, "step": 3},
    "arguments": {
        "model": state,
        "args": argparse.Namespace(lr=0.1, device=torch.device("cpu"), dtype=torch.float32),
        "best": np.float64(3.5),
        "seen": collections.defaultdict(int, a=1),
    },
    "parameters": collections.OrderedDict((name, torch.nn.Parameter(value)) for name, value in state.items()),
    "channels-last": {name: value.to(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in state.items()},
    "reversed-axes": {name: reversed_axes(value) for name, value in state.items()},
    "views": {name: parts[name].view(value.shape) for name, value in state.items()},
    "expanded": {**state, "classifier.1.bias": state["classifier.1.bias"][:1].expand(1000)},
}
for name, value in states.items():
    torch.save(value, folder / f"{name}.pth")
    torch.save(value, folder / f"{name}-legacy.pth", _use_new_zipfile_serialization=False)
safetensors.torch.save_file(parallel, folder / "data-parallel.safetensors")
print(json.dumps([f"{name}.pth" for name in states] + [f"{name}-legacy.pth" for name in states] + ["data-parallel.safetensors"]))
torch.save({"left": state, "right": state}, folder / "two.pth")
torch.save(model, folder / "whole.pth")
