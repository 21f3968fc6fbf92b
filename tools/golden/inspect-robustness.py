"""Adversarial images, for packages/inspect/test/robustness.test.ts.

Needs numpy, torch and torchattacks. Run from the root of the repository: python tools/golden/inspect-robustness.py
"""

import json
from pathlib import Path

import torch
import torchattacks
from inspect_networks import Branches, values

found = {}
model = Branches().eval()
image = torch.tensor((values(0.7, (16, 20, 3), 0.5) + 0.5).transpose(2, 0, 1)[None], dtype=torch.float32)
label = torch.tensor([1])
attacks = {
    "fgsm": torchattacks.FGSM(model, eps=0.05),
    "pgd": torchattacks.PGD(model, eps=0.05, alpha=0.02, steps=5, random_start=False),
}
for name, method in attacks.items():
    made = method(image, label).detach().numpy()[0].transpose(1, 2, 0).reshape(-1)
    found[name] = [float(f"{value:.6g}") for value in made]
path = Path("packages/inspect/test/golden/robustness.json")
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
