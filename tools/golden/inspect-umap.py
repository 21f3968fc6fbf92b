"""How well umap-learn keeps neighbors on a flat map of digits, for packages/inspect/test/embedding-map.test.ts.

Needs scikit-learn and umap-learn. Run from the root of the repository: python tools/golden/inspect-umap.py
"""

import json
from pathlib import Path

import numpy as np
import umap
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

images, labels = load_digits(return_X_y=True)
images, labels = images[:150].astype(int), labels[:150]
plane = images[:, [20, 43]] + np.arange(150)[:, None] / 1000
seeds = range(1, 6)
maps = [umap.UMAP(n_neighbors=15, min_dist=0.1, random_state=seed).fit_transform(images) for seed in seeds]


def agreement(points):
    """The share of points whose nearest other point on the map has the same label."""
    distances = ((points[:, None] - points[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(1)] == labels).mean())


found = {
    "images": ["".join(chr(97 + value) for value in image) for image in images],
    "labels": labels.tolist(),
    # Two pixels of each image as a map, to check the test's own measure.
    "plane": trustworthiness(images, plane, n_neighbors=10),
    "trustworthiness": [float(trustworthiness(images, each, n_neighbors=10)) for each in maps],
    "agreement": [agreement(each) for each in maps],
}
path = Path("packages/inspect/test/golden/umap.json")
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, found["plane"], found["trustworthiness"], found["agreement"])
