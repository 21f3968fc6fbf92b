"""Writes packages/datasets/test/golden/audit.json: OpenCV's Laplacians and cleanlab's label issues.

pip install cleanlab==2.9.0 opencv-python-headless==5.0.0.93 numpy
python tools/golden/datasets-audit.py
"""

import json, os

import cv2
import numpy as np
from cleanlab.filter import find_label_issues

# numpy's default order of equal numbers depends on the processor; cleanlab rounds counts, among which many are equal.
sort = np.argsort
np.argsort = lambda values, *rest, **options: sort(values, *rest, **{"kind": "stable", **options})

random = np.random.RandomState(0)
images = []
for height, width in [(7, 5), (1, 6), (2, 2), (12, 9)]:
    rgb = random.randint(0, 256, (height, width, 3), dtype=np.uint8)
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    images.append(
        {
            "shape": [height, width, 3],
            "pixels": rgb.ravel().tolist(),
            "brightness": float(gray.mean()),
            "contrast": float(gray.std()),
            "sharpness": float(cv2.Laplacian(gray, cv2.CV_64F).var()),
        }
    )

issues = []
for classes, count, noise, missing in [(3, 60, 0.2, False), (5, 120, 0.35, False), (4, 50, 0.5, True), (2, 60, 0.4, False), (10, 150, 0.3, False)]:
    truth = random.randint(0, classes, count)
    labels = np.where(random.rand(count) < noise, random.randint(0, classes, count), truth)
    if missing:
        labels = np.where(labels == 2, 1, labels)
    logits = random.randn(count, classes) + 2.5 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = probabilities.round(5)
    found = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    issues.append({"classes": classes, "labels": labels.tolist(), "probabilities": probabilities.ravel().tolist(), "issues": found.tolist()})

with open(os.path.join(os.path.dirname(__file__), "../../packages/datasets/test/golden/audit.json"), "w") as file:
    json.dump({"images": images, "issues": issues}, file)
    file.write("\n")
