"""Attributions of two small networks by pytorch-grad-cam and captum, for packages/inspect/test/attributions.test.ts.

Needs torch, grad-cam and captum. Run from the root of the repository: python tools/golden/inspect-attributions.py
Weights and images follow from `values`, which the test computes alike, so that the files contain results only.
"""

import json
from pathlib import Path

import captum.attr as attr
import numpy as np
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, GuidedBackpropReLUModel, ScoreCAM
from inspect_networks import HEIGHT, WIDTH, Branches, Flat, values
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget


def image_like(array):
    return np.asarray(array).transpose(1, 2, 0).reshape(-1)


def results(model, wanted):
    model.eval()
    image = values(0.7, (HEIGHT, WIDTH, 3), 1)
    x = torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32)
    found = {"class": wanted, "logits": model(x).detach().numpy()[0]}
    targets = [ClassifierOutputTarget(wanted)]
    for name, method in {"gradCam": GradCAM, "gradCamPlusPlus": GradCAMPlusPlus, "scoreCam": ScoreCAM}.items():
        with method(model=model, target_layers=[model.last]) as cam:
            found[name] = cam(input_tensor=x, targets=targets)[0].reshape(-1)
    x.requires_grad_()
    found["saliency"] = image_like(attr.Saliency(model).attribute(x, target=wanted, abs=False).detach()[0])
    found["integratedGradients"] = image_like(
        attr.IntegratedGradients(model).attribute(x, target=wanted, n_steps=20).detach()[0]
    )
    baseline = torch.full_like(x, 0.25)
    drops = attr.Occlusion(model).attribute(
        x, target=wanted, sliding_window_shapes=(3, 5, 5), strides=(3, 3, 3), baselines=baseline
    )
    # The same for each channel, since the window covers all.
    found["occlusion"] = drops.detach().numpy()[0][0].reshape(-1)
    # Last, since it replaces the model's ReLUs.
    found["guidedBackprop"] = GuidedBackpropReLUModel(model=model)(x.detach(), wanted).reshape(-1)
    return found


def rounded(value):
    return value if isinstance(value, int) else [float(f"{number:.6g}") for number in value]


folder = Path("packages/inspect/test/golden")
folder.mkdir(exist_ok=True)
for name, model, wanted in [("branches", Branches(), 2), ("flat", Flat(), 3)]:
    found = {key: rounded(value) for key, value in results(model, wanted).items()}
    path = folder / f"attributions-{name}.json"
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, found["logits"])
