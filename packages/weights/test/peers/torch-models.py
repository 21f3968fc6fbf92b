"""torchvision's networks with random weights, an input and their logits; or, with "check", what they say to the weights we wrote.

Arguments: make or check, a folder, then name:size pairs.
"""
import json
import pathlib
import sys

import numpy as np
import safetensors.torch
import timm
import torch
import torchvision

mode, folder = sys.argv[1], pathlib.Path(sys.argv[2])
result = {}
# timm names these networks' weights as torchvision does.
same_in_timm = ("resnet18", "resnet50", "resnext50_32x4d", "densenet121")


def make(name):
    torch.manual_seed(1)
    extra = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if name == "googlenet":
        extra["transform_input"] = False
    model = getattr(torchvision.models, name)(weights=None, **extra)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.2)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return model.eval()


for pair in sys.argv[3:]:
    name, size = pair.split(":")
    model = make(name)
    with torch.no_grad():
        if mode == "make":
            x = torch.rand(2, 3, int(size), int(size)) * 2 - 1
            np.save(folder / f"{name}.x.npy", x.permute(0, 2, 3, 1).contiguous().numpy())
            np.save(folder / f"{name}.y.npy", model(x).numpy())
            safetensors.torch.save_file(model.state_dict(), folder / f"{name}.safetensors")
            torch.save(model.state_dict(), folder / f"{name}.pth")
        else:
            for weight in model.parameters():
                weight.zero_()
            state = safetensors.torch.load_file(folder / f"{name}.ours.safetensors")
            model.load_state_dict(state, strict=True)
            x = torch.from_numpy(np.load(folder / f"{name}.x.npy")).permute(0, 3, 1, 2)
            y = torch.from_numpy(np.load(folder / f"{name}.y.npy"))
            result[name] = float((model(x) - y).abs().max())
            if name in same_in_timm:
                other = timm.create_model(name, pretrained=False).eval()
                other.load_state_dict(state, strict=True)
                result[f"timm {name}"] = float((other(x) - y).abs().max())
print(json.dumps(result))
