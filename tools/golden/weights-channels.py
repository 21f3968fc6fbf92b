"""Writes a state of PyTorch with a stem for three channels, and that stem for other channels by timm's adapt_input_conv.

Run: <peers' python> tools/golden/weights-channels.py packages/weights/test/golden
"""
import json
import pathlib
import sys

import torch
from timm.models import adapt_input_conv

out = pathlib.Path(sys.argv[1])
torch.manual_seed(3)
state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, (3, 2)), torch.nn.Conv2d(4, 3, 1)).state_dict()
torch.save(state, out / "channels.pth")
# The kernels in TensorFlow's order: height, width, channels, filters.
stems = {n: adapt_input_conv(n, state["0.weight"].clone()).permute(2, 3, 1, 0) for n in (1, 2, 4, 5, 7)}
golden = {n: [float(f"{value:.8g}") for value in stem.flatten().tolist()] for n, stem in stems.items()}
(out / "channels.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
