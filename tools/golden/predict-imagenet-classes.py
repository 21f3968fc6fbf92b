"""Writes packages/predict/src/imagenet-classes.ts: ImageNet's 1,000 classes as torchvision's weights name them (meta["categories"]).

    ~/.cache/convkit/peers/bin/python tools/golden/predict-imagenet-classes.py

The order is that of the sorted WordNet ids, as in the weights of Keras, torchvision and timm.
"""

from pathlib import Path

from torchvision.models import ResNet50_Weights

names = ResNet50_Weights.IMAGENET1K_V1.meta["categories"]
assert len(names) == len(set(names)) == 1000 and not any("|" in name or "`" in name for name in names)
target = Path(__file__).parents[2] / "packages/predict/src/imagenet-classes.ts"
lines = [""]
for name in names:
    if len(lines[-1]) + len(name) > 118:
        lines.append("")
    lines[-1] += name + "|"
text = "\n".join(lines).removesuffix("|")
target.write_text(
    "// Written by tools/golden/predict-imagenet-classes.py.\n"
    "/** Names of ImageNet's 1,000 classes, in the order of the outputs of networks trained on it; from torchvision's weights (BSD-3). */\n"
    f"export const imagenetClasses: readonly string[] = `\n{text}\n`\n  .replaceAll(\"\\n\", \"\")\n  .split(\"|\");\n"
)
