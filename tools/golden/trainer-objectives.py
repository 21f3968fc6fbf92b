"""Values and gradients of Keras' losses, and metrics of Keras and scikit-learn, for packages/trainer/test/golden/objectives.json.

Run: python tools/golden/trainer-objectives.py > packages/trainer/test/golden/objectives.json
The triplet losses are plain loops over the definition of TensorFlow Addons, which does not install beside Keras 3.
"""

import json
import os

# TensorFlow and PyTorch cannot share a process (two copies of LLVM): Keras computes on PyTorch here.
os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

rng = np.random.default_rng(21)
n, k = 6, 4
L = keras.losses


def listed(x):
    # Keras has no gradient of a vector of length 0: NaN becomes null.
    return [None if np.isnan(v) else float(f"{float(v):.7g}") for v in np.asarray(x).reshape(-1)]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


logits = (rng.normal(size=(n, k)) * 3).astype("float32")
extreme = (rng.choice([-1, 1], size=(n, k)) * rng.uniform(30, 80, (n, k))).astype("float32")
labels = np.array([0, 2, 1, 1, 3, 0])
one_hot = np.eye(k, dtype="float32")[labels]
hot = rng.integers(0, 2, (n, k)).astype("float32")
numbers = (rng.normal(size=(n, k)) * 2).astype("float32")
distributions = softmax(rng.normal(size=(n, k)))
outputs = dict(
    logits=logits,
    extreme=extreme,
    probabilities=softmax(logits),
    sigmoid=(1 / (1 + np.exp(-logits))).astype("float32"),
    numbers=(numbers + rng.normal(size=(n, k)) * [0.1, 1, 3, 0]).astype("float32"),
    zero=np.where(np.arange(n)[:, None] == 2, 0, numbers[::-1]).astype("float32"),
)
weights = dict(drawn=np.array([0.5, 2, 0, 1, 0, 3], "float32"), none=None, zeros=np.zeros(n, "float32"))
targets = dict(labels=labels, hot=hot, numbers=numbers, distributions=distributions)


def pairwise(x):
    return [[torch.sqrt(((x[a] - x[b]) ** 2).sum() + (1e-16 if a == b else 0)) for b in range(n)] for a in range(n)]


def triplet_semi_hard(x, margin):
    d = pairwise(x)
    total, pairs = torch.zeros(()), 0
    for a in range(n):
        for p in range(n):
            if a == p or labels[a] != labels[p]:
                continue
            negatives = [d[a][c] for c in range(n) if labels[c] != labels[a]]
            farther = [v for v in negatives if v > d[a][p]]
            chosen = min(farther) if farther else max(negatives)
            total = total + torch.relu(d[a][p] - chosen + margin)
            pairs += 1
    return total / pairs


def triplet_hard(x, margin):
    d = pairwise(x)
    total = torch.zeros(())
    for a in range(n):
        positives = [d[a][p] for p in range(n) if p != a and labels[p] == labels[a]]
        negatives = [d[a][c] for c in range(n) if labels[c] != labels[a]]
        # Without a positive example, the masked maximum is the least distance of the row: that to itself.
        farthest = max(positives) if positives else torch.zeros(())
        total = total + torch.relu(farthest - min(negatives) + margin)
    return total / n


def losses():
    cases = []

    def add(plan, kind, target, output, fn, own_weights="none", end=None):
        x = torch.tensor(outputs[output], requires_grad=True)
        w = weights[own_weights]
        y = targets[target]
        value = fn(y, x, w)
        value.backward()
        cases.append(
            dict(plan=plan, kind=kind, target=target, output=output, end=end, weights=own_weights,
                 value=float(value.detach()), gradient=listed(x.grad))
        )  # fmt: skip

    def keras_loss(cls, target=None, **given):
        made = cls(**given)
        return lambda y, x, w: made(torch.tensor(one_hot if target == "one-hot" else y), x, None if w is None else torch.tensor(w))

    R = dict(drawn=["sum_over_batch_size", "sum", "mean_with_sample_weight"], none=["sum_over_batch_size"], zeros=["mean_with_sample_weight"])
    for w, reductions in R.items():
        for reduction in reductions:
            extra = {} if reduction == "sum_over_batch_size" else dict(reduction=reduction.replace("_", "-"))
            for output in ("logits", "extreme", "probabilities") if w == "none" else ("logits",):
                from_logits = output != "probabilities"
                end = "softmax" if from_logits else None
                t = dict(from_logits=from_logits, reduction=reduction)
                add(dict(name="sparse-categorical-crossentropy", **extra), "class", "labels", output, keras_loss(L.SparseCategoricalCrossentropy, **t), w, end)
                add(dict(name="categorical-crossentropy", labelSmoothing=0.1, **extra), "class", "labels", output, keras_loss(L.CategoricalCrossentropy, "one-hot", label_smoothing=0.1, **t), w, end)
                # From logits, Keras' focal losses go through probabilities cut at 1e-7, which extreme logits exceed.
                if output != "extreme":
                    add(dict(name="focal", gamma=1.5, alpha=0.3, **extra), "class", "labels", output, keras_loss(L.CategoricalFocalCrossentropy, "one-hot", gamma=1.5, alpha=0.3, **t), w, end)
            for output in ("logits", "extreme", "sigmoid") if w == "none" else ("logits",):
                from_logits = output != "sigmoid"
                end = "sigmoid" if from_logits else None
                t = dict(from_logits=from_logits, reduction=reduction)
                for smoothing in (0, 0.1):
                    s = dict(labelSmoothing=smoothing) if smoothing else {}
                    add(dict(name="binary-crossentropy", **s, **extra), "labels", "hot", output, keras_loss(L.BinaryCrossentropy, label_smoothing=smoothing, **t), w, end)
                if output != "extreme":
                    add(dict(name="focal", gamma=2, alpha=0.3, classBalancing=True, **extra), "labels", "hot", output, keras_loss(L.BinaryFocalCrossentropy, gamma=2, alpha=0.3, apply_class_balancing=True, **t), w, end)
            t = dict(reduction=reduction)
            add(dict(name="mse", **extra), "numbers", "numbers", "numbers", keras_loss(L.MeanSquaredError, **t), w)
            add(dict(name="mae", **extra), "numbers", "numbers", "numbers", keras_loss(L.MeanAbsoluteError, **t), w)
            add(dict(name="huber", delta=0.7, **extra), "numbers", "numbers", "numbers", keras_loss(L.Huber, delta=0.7, **t), w)
            add(dict(name="cosine-similarity", **extra), "numbers", "numbers", "numbers", keras_loss(L.CosineSimilarity, **t), w)
            add(dict(name="kl-divergence", **extra), "numbers", "distributions", "probabilities", keras_loss(L.KLDivergence, **t), w)
    add(dict(name="cosine-similarity"), "numbers", "numbers", "zero", keras_loss(L.CosineSimilarity))
    for margin in (1.0, 5.0):
        add(dict(name="triplet-semi-hard", margin=margin), "class", "labels", "numbers", lambda y, x, w: triplet_semi_hard(x, margin))
        add(dict(name="triplet-hard", margin=margin), "class", "labels", "numbers", lambda y, x, w: triplet_hard(x, margin))
    return dict(
        shape=[n, k],
        outputs={name: listed(x) for name, x in outputs.items()},
        targets={name: listed(x) for name, x in targets.items()},
        weights={name: None if x is None else listed(x) for name, x in weights.items()},
        cases=cases,
    )


def metrics():
    from sklearn import metrics as S

    m = 60
    M = keras.metrics
    truth = rng.integers(0, 3, m)
    # Rounded, so that many scores are equal.
    scores = np.round(softmax(rng.normal(size=(m, 3)) + 1.2 * np.eye(3)[truth]), 2).astype("float32")
    hot = rng.integers(0, 2, (m, 3)).astype("float32")
    hot_scores = np.round(np.clip(hot * 0.3 + rng.random((m, 3)) * 0.7, 0, 1), 2).astype("float32")
    y = rng.normal(size=(m, 2)).astype("float32") * [1, 30] + [0, 1000]
    p = (y + rng.normal(size=(m, 2)) * [0.5, 20]).astype("float32")
    y = y.astype("float32")
    masks, mask_scores = rng.integers(0, 3, (4, 3, 5)), softmax(rng.normal(size=(4, 3, 5, 3)))
    guess, hot_guess = scores.argmax(-1), hot_scores > 0.5

    def by_keras(metric, a, b):
        metric.update_state(a, b)
        return listed(metric.result())

    def curve(a, b):
        precision, recall, _ = S.precision_recall_curve(a, b)
        return S.auc(recall, precision)

    c, h, r = "class", "labels", "numbers"
    cases = [
        (c, dict(name="accuracy"), by_keras(M.SparseCategoricalAccuracy(), truth, scores)),
        (c, dict(name="top-k", k=2), by_keras(M.SparseTopKCategoricalAccuracy(k=2), truth, scores)),
        *[(c, dict(name=name, average=average), fn(truth, guess, average=None if average == "none" else average)) for name, fn in (("precision", S.precision_score), ("recall", S.recall_score), ("f1", S.f1_score)) for average in ("macro", "micro", "none")],
        (c, dict(name="auc"), np.mean([S.roc_auc_score(truth == i, scores[:, i]) for i in range(3)])),
        (c, dict(name="mean-average-precision"), np.mean([S.average_precision_score(truth == i, scores[:, i]) for i in range(3)])),
        (c, dict(name="mean-iou"), by_keras(M.MeanIoU(num_classes=3), truth, guess)),
        (h, dict(name="binary-accuracy"), by_keras(M.BinaryAccuracy(), hot, hot_scores)),
        (h, dict(name="binary-accuracy", threshold=0.3), by_keras(M.BinaryAccuracy(threshold=0.3), hot, hot_scores)),
        (h, dict(name="exact-match"), S.accuracy_score(hot, hot_guess)),
        *[(h, dict(name=name, average=average), fn(hot, hot_guess, average=None if average == "none" else average)) for name, fn in (("precision", S.precision_score), ("recall", S.recall_score), ("f1", S.f1_score)) for average in ("macro", "micro", "none")],
        (h, dict(name="f1", threshold=0.3), by_keras(M.F1Score(average="macro", threshold=0.3), hot, hot_scores)),
        *[(h, dict(name="auc", average=average), S.roc_auc_score(hot, hot_scores, average=None if average == "none" else average)) for average in ("macro", "micro", "none")],
        (h, dict(name="auc", curve="pr"), np.mean([curve(hot[:, i], hot_scores[:, i]) for i in range(3)])),
        *[(h, dict(name="mean-average-precision", average=average), S.average_precision_score(hot, hot_scores, average=None if average == "none" else average)) for average in ("macro", "micro", "none")],
        (r, dict(name="mae"), by_keras(M.MeanAbsoluteError(), y, p)),
        (r, dict(name="mse"), by_keras(M.MeanSquaredError(), y, p)),
        (r, dict(name="rmse"), by_keras(M.RootMeanSquaredError(), y, p)),
        (r, dict(name="r2"), S.r2_score(y, p)),
        (r, dict(name="r2", average="none"), S.r2_score(y, p, multioutput="raw_values")),
        ("mask", dict(name="mean-iou"), by_keras(M.MeanIoU(num_classes=3), masks, mask_scores.argmax(-1))),
        ("mask", dict(name="accuracy"), by_keras(M.SparseCategoricalAccuracy(), masks, mask_scores)),
    ]
    return dict(
        data={
            "class": dict(shape=[m], truth=truth.tolist(), predicted=[m, 3], scores=listed(scores)),
            "labels": dict(shape=[m, 3], truth=listed(hot), predicted=[m, 3], scores=listed(hot_scores)),
            "numbers": dict(shape=[m, 2], truth=listed(y), predicted=[m, 2], scores=listed(p)),
            "mask": dict(shape=[4, 3, 5], truth=masks.reshape(-1).tolist(), predicted=[4, 3, 5, 3], scores=listed(mask_scores)),
        },
        cases=[dict(kind=kind, plan=plan, values=listed(value)) for kind, plan, value in cases],
    )


print(json.dumps(dict(versions=dict(keras=keras.__version__), losses=losses(), metrics=metrics())))
