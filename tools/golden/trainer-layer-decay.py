"""Rates and decays of timm's param_groups_layer_decay, for packages/trainer/test/parameter-groups.test.ts.

Run in the peers' environment: python tools/golden/trainer-layer-decay.py
"""
import json
import pathlib

import timm
from timm.models.convnext import ConvNeXt
from timm.models.resnet import BasicBlock, ResNet
from timm.optim._param_groups import param_groups_layer_decay

OUT = pathlib.Path(__file__).parents[2] / "packages/trainer/test/golden/layer-decay.json"


def scales(model):
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = param_groups_layer_decay(model, weight_decay=0.05, layer_decay=0.75)
    return {names[id(p)]: [group["lr_scale"], group["weight_decay"]] for group in groups for p in group["params"]}


models = {
    "resnet": ResNet(BasicBlock, layers=(1, 2, 1, 1), channels=(8, 16, 16, 16), num_classes=3),
    "convnext": ConvNeXt(depths=(1, 2, 1, 1), dims=(8, 16, 16, 16), num_classes=3),
}
golden = {name: scales(model) for name, model in models.items()}
OUT.write_text(json.dumps(dict(madeBy="tools/golden/trainer-layer-decay.py", timm=timm.__version__, **golden)) + "\n")
print({name: sorted(set(map(tuple, each.values()))) for name, each in golden.items()})
