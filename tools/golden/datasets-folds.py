"""Numbers of each class in scikit-learn's folds and splits, for packages/datasets/test/golden/folds.json.

Run: pip install scikit-learn && python tools/golden/datasets-folds.py > packages/datasets/test/golden/folds.json
"""

import json

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, StratifiedShuffleSplit

labels = np.array([2, 0, 1, 0, 2, 2, 1, 0, 0, 2, 2, 2, 1, 0, 2, 1, 1, 2, 2, 0, 0, 2, 2])


def counts(images):
    return np.bincount(labels[images], minlength=3).tolist()


folds = [
    {
        "count": count,
        "stratified": [counts(fold) for _, fold in StratifiedKFold(count).split(labels, labels)],
        "plain": [len(fold) for _, fold in KFold(count).split(labels)],
    }
    for count in (2, 3, 4, 5)
]
# Parts without ties between fractions, which scikit-learn rounds at random.
splits = [
    {"part": part, "held": counts(next(StratifiedShuffleSplit(1, test_size=part).split(labels, labels))[1])}
    for part in (5, 7, 10, 0.3)
]
print(json.dumps({"labels": labels.tolist(), "folds": folds, "splits": splits}))
