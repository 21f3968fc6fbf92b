"""Golden for packages/core/test/random-depth.test.ts and packages/models/test/random-depth.test.ts: timm's DropBlock on
drawn seeds, and where its ResNets drop paths and blocks. Run in the peers' environment: python tools/golden/core-random-depth.py"""

import json
import pathlib

import timm
import torch
from timm.layers import DropBlock2d, DropPath
from timm.layers.drop import drop_block_2d

packages = pathlib.Path(__file__).parents[2] / "packages"
torch.manual_seed(4)
blocks = []
for (n, h, w, c), size, rate, scale in (((2, 9, 7, 2), 3, 0.3, 1.0), ((1, 8, 8, 2), 5, 0.4, 0.25), ((2, 6, 5, 1), 4, 0.3, 1.0), ((2, 2, 3, 2), 7, 0.2, 1.0)):
    x = torch.randn(n, c, h, w).round(decimals=3).requires_grad_()
    drawn = torch.rand(n, 1, h, w).round(decimals=3)
    original = torch.Tensor.bernoulli_
    torch.Tensor.bernoulli_ = lambda self, gamma: self.copy_(drawn < gamma)
    y = drop_block_2d(x, rate, size, scale)
    torch.Tensor.bernoulli_ = original
    y.sum().backward()
    last = lambda t: t.detach().permute(0, 2, 3, 1).flatten().tolist()
    blocks.append({"shape": [n, h, w, c], "size": size, "rate": rate, "scale": scale, "x": last(x), "drawn": last(drawn), "y": last(y), "gradient": last(x.grad)})

nets = []
for name in ("resnet18", "resnet50"):
    model = timm.create_model(name, drop_path_rate=0.2, drop_block_rate=0.1)
    paths = [getattr(m.drop_path, "drop_prob", 0) or 0 for m in model.modules() if hasattr(m, "drop_path")]
    dropped = [[n, m.drop_prob, m.block_size, m.gamma_scale] for n, m in model.named_modules() if isinstance(m, DropBlock2d)]
    nets.append({"name": name, "paths": paths, "blocks": dropped})
(packages / "core/test/golden/drop-block.json").write_text(json.dumps(blocks) + "\n")
(packages / "models/test/depth/random-depth.json").write_text(json.dumps(nets) + "\n")
