"""Calibration errors by torchmetrics and netcal, and the best temperature by torch, for packages/inspect/test/calibration.test.ts.

Needs torch, torchmetrics and netcal. Run from the root of the repository: python tools/golden/inspect-calibration.py
Logits and labels follow from `pseudo`, which the test computes alike.
"""

import json
from pathlib import Path

import numpy as np
import torch
from netcal.metrics import ECE, MCE
from torchmetrics.functional.classification import multiclass_calibration_error

IMAGES, CLASSES = 400, 5


def pseudo(seed, count):
    return np.modf(np.sin(np.arange(1, count + 1) * 12.9898 + seed * 78.233) * 43758.5453)[0]


labels = np.floor(np.abs(pseudo(1, IMAGES)) * CLASSES).astype(int)
logits = 4 * pseudo(2, IMAGES * CLASSES).reshape(IMAGES, CLASSES)
logits[np.arange(IMAGES), labels] += 2.5
x, y = torch.tensor(logits), torch.tensor(labels)
found = {"accuracy": float((x.argmax(1) == y).double().mean()), "nll": float(torch.nn.functional.cross_entropy(x, y))}
probabilities = x.softmax(1)
for bins in (10, 15):
    for name, norm, peer in (("ece", "l1", ECE), ("mce", "max", MCE)):
        ours = float(multiclass_calibration_error(probabilities, y, CLASSES, n_bins=bins, norm=norm))
        theirs = float(peer(bins).measure(probabilities.numpy(), labels))
        assert abs(ours - theirs) < 1e-6, (name, bins, ours, theirs)
        found[f"{name}{bins}"] = theirs
inverse = torch.ones(1, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.LBFGS([inverse], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-14, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(x * inverse, y)
    loss.backward()
    return loss


optimizer.step(closure)
found["temperature"] = float(1 / inverse)
found["nllAfter"] = float(closure())
path = Path("packages/inspect/test/golden/calibration.json")
path.write_text(json.dumps(found, indent=2) + "\n")
print(path.read_text())
