"""Totals by torchinfo, for packages/inspect/test/costs.test.ts.

Needs torch and torchinfo. Run from the root of the repository: python tools/golden/inspect-costs.py
No layer has a bias: torchinfo counts biases as multiply-adds, convkit and the literature do not.
"""

import json
from pathlib import Path

from torch import nn
from torchinfo import summary

model = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
    nn.ReLU(),
    nn.Conv2d(8, 12, (1, 5), bias=False),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False),
    nn.Flatten(),
    nn.Linear(12 * 8 * 8, 10, bias=False),
)
found = summary(model, (1, 3, 32, 40), verbose=0)
layers = [
    {"type": each.class_name, "output": each.output_size, "params": each.num_params, "macs": each.macs}
    for each in found.summary_list
    if each.is_leaf_layer
]
golden = {
    "params": found.total_params,
    "macs": found.total_mult_adds,
    # Outputs of layers with weights, twice: forward and backward.
    "outputBytes": found.total_output_bytes,
    "layers": layers,
}
path = Path("packages/inspect/test/golden/costs.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
print(path.read_text())
