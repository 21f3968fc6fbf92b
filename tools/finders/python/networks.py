"""Networks for image classes of torchvision and timm, with a hash of the sizes of their kernels; nothing is drawn.

Arguments: libraries; of timm also one of its families, `timm/resnet`. Prints a JSON document: {"timm:resnet18": {"family": "resnet", "kernels": "1f0a…"}}.
"""
import hashlib
import json
import re
import sys

import torch

# timm's files of networks that consist of convolutions: no attention, no state spaces, no mixing of all places.
CONVOLUTIONAL = """byobnet convmixer convnext cspnet cspnext densenet dla dpn efficientnet fasternet ghostnet hardcorenas hgnet hrnet
inception_next inception_resnet_v2 inception_v3 inception_v4 lcnetv2 mobilenetv3 nasnet nfnet pnasnet rdnet regnet repghost res2net
resnest resnet resnetv2 rexnet selecsls senet sknet starnet tresnet vgg vovnet xception xception_aligned""".split()
# torchvision's networks with attention.
ATTENTION = re.compile("vit|swin")


def builders(library):
    library, _, only = library.partition("/")
    if library == "timm":
        import timm

        for family in [only] if only else CONVOLUTIONAL:
            for name in timm.list_models(module=family):
                yield name, family, lambda name=name: timm.create_model(name, num_classes=10)
    else:
        import torchvision
        from torchvision.models.regnet import BlockParams

        # The widths of RegNets are computed, which needs tensors with numbers.
        computed = BlockParams.from_init_params

        def with_numbers(*args, **more):
            with torch.device("cpu"):
                return computed(*args, **more)

        BlockParams.from_init_params = with_numbers
        for name in torchvision.models.list_models(module=torchvision.models):
            if ATTENTION.search(name):
                continue
            extra = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
            family = torchvision.models.get_model_builder(name).__module__.rsplit(".", 1)[1]
            yield name, family, lambda name=name, extra=extra: torchvision.models.get_model(name, num_classes=10, **extra)


found = {}
for library in sys.argv[1:]:
    for name, family, build in builders(library):
        with torch.device("meta"):
            kernels = sorted(weight.numel() for weight in build().parameters() if weight.numel() > max(weight.shape, default=1))
        found[f"{library.partition('/')[0]}:{name}"] = {"family": family, "kernels": hashlib.sha1(repr(kernels).encode()).hexdigest()[:12]}
print(json.dumps(found))
