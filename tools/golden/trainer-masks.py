"""Losses and metrics of masks with pixels that are not judged, of Keras and scikit-learn, for packages/trainer/test/golden/masks.json.

Run: python tools/golden/trainer-masks.py > packages/trainer/test/golden/masks.json
"""

import json
import os

# TensorFlow and PyTorch cannot share a process (two copies of LLVM): Keras computes on PyTorch here.
os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from sklearn import metrics as S

rng = np.random.default_rng(33)
n, h, w, k, ignore = 4, 3, 5, 3, 255
classes = rng.integers(0, k, (n, h, w))
masks = np.where(rng.random((n, h, w)) < 0.3, ignore, classes).astype("int64")
logits = (rng.normal(size=(n, h, w, k)) * 2).astype("float32")
image_weights = np.array([0.5, 2, 0, 1], "float32")
class_weights = np.array([1, 3, 0.5], "float32")


def listed(x):
    return [float(f"{float(v):.7g}") for v in np.asarray(x).reshape(-1)]


losses = []
for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
    for images in (False, True):
        for by_class in (False, True):
            x = torch.tensor(logits, requires_grad=True)
            # Keras weighs by classes with a weight for each pixel, which divides a mean by the sum of weights.
            if by_class and reduction == "mean_with_sample_weight":
                continue
            weights = np.ones((n, h, w), "float32")
            if images:
                weights = weights * image_weights[:, None, None]
            if by_class:
                weights = weights * class_weights[np.where(masks == ignore, 0, masks)]
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignore, reduction=reduction)
            value = loss(torch.tensor(masks), x, torch.tensor(weights) if images or by_class else None)
            value.backward()
            losses.append(dict(reduction=reduction.replace("_", "-"), images=images, byClass=by_class, value=float(value.detach()), gradient=listed(x.grad)))

guess = logits.argmax(-1)
judged = masks != ignore
truth, predicted = masks[judged], guess[judged]
iou = keras.metrics.MeanIoU(num_classes=k, ignore_class=ignore)
iou.update_state(masks, guess)
np.testing.assert_allclose(float(iou.result()), S.jaccard_score(truth, predicted, average="macro"), rtol=1e-6)
metrics = [
    (dict(name="mean-iou"), float(iou.result())),
    (dict(name="mean-iou", average="none"), S.jaccard_score(truth, predicted, average=None)),
    (dict(name="accuracy"), S.accuracy_score(truth, predicted)),
    *[
        (dict(name=name, average=average), fn(truth, predicted, average=None if average == "none" else average))
        for name, fn in (("precision", S.precision_score), ("recall", S.recall_score), ("f1", S.f1_score))
        for average in ("macro", "micro", "none")
    ],
]
print(
    json.dumps(
        dict(
            versions=dict(keras=keras.__version__),
            shape=[n, h, w],
            classes=k,
            ignore=ignore,
            masks=masks.reshape(-1).tolist(),
            logits=listed(logits),
            imageWeights=listed(image_weights),
            classWeights=listed(class_weights),
            losses=losses,
            confusion=S.confusion_matrix(truth, predicted).tolist(),
            metrics=[dict(plan=plan, values=listed(value)) for plan, value in metrics],
        )
    )
)
