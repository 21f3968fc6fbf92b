"""Golden for packages/trainer/test/jensen-shannon.test.ts: timm's loss of AugMix on drawn logits.
Run in the peers' environment: python tools/golden/trainer-jsd.py"""

import json
import pathlib

import torch
from timm.loss import JsdCrossEntropy

out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/golden/jensen-shannon.json"
torch.manual_seed(3)
cases = []
for scale, alpha in ((1, 12), (8, 12), (3, 2.5)):
    logits = (torch.randn(12, 5) * scale).requires_grad_()
    labels = torch.tensor([0, 3, 4, 1])
    loss = JsdCrossEntropy(num_splits=3, alpha=alpha, smoothing=0)(logits, labels)
    loss.backward()
    cases.append({
        "logits": logits.tolist(), "labels": labels.tolist(), "alpha": alpha,
        "loss": loss.item(), "gradient": logits.grad.tolist(),
    })
out.write_text(json.dumps(cases) + "\n")
