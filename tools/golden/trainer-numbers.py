"""Losses, AUC and learning-rate schedules of Keras 3 and PyTorch, for packages/trainer/test/golden/numbers.json.

Run: python tools/golden/trainer-numbers.py > packages/trainer/test/golden/numbers.json
"""

import json
import os

# TensorFlow and PyTorch cannot share a process (two copies of LLVM): Keras computes on PyTorch here.
os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

rng = np.random.default_rng(1)


def listed(x):
    return [round(float(v), 7) for v in np.asarray(x).reshape(-1)]


def losses():
    n, k = 6, 4
    logits = (rng.normal(size=(n, k)) * 3).astype("float32")
    exp = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = (exp / exp.sum(-1, keepdims=True)).astype("float32")
    labels = rng.integers(0, k, n)
    one_hot = np.eye(k, dtype="float32")[labels]
    yes = rng.integers(0, 2, (n, k)).astype("float32")
    sigmoid = (1 / (1 + np.exp(-logits))).astype("float32")
    cases = []
    for smoothing in (0.0, 0.1):
        for from_logits in (True, False):
            tail = dict(from_logits=from_logits, label_smoothing=smoothing, reduction=None)
            options = dict(fromLogits=from_logits, labelSmoothing=smoothing)
            soft = logits if from_logits else probabilities
            hard = logits if from_logits else sigmoid
            add = lambda name, value, extra={}: cases.append(dict(name=name, options=options | extra, values=listed(value)))
            add("categoricalCrossentropy", keras.losses.CategoricalCrossentropy(**tail)(one_hot, soft))
            if smoothing == 0:
                add("sparseCategoricalCrossentropy", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits, reduction=None)(labels, soft))
            add("binaryCrossentropy", keras.losses.BinaryCrossentropy(**tail)(yes, hard))
            add("categoricalFocal", keras.losses.CategoricalFocalCrossentropy(alpha=0.3, gamma=1.5, **tail)(one_hot, soft), dict(alpha=0.3, gamma=1.5))
            add("binaryFocal", keras.losses.BinaryFocalCrossentropy(gamma=1.5, **tail)(yes, hard), dict(gamma=1.5))
    return dict(
        shape=[n, k],
        logits=listed(logits),
        probabilities=listed(probabilities),
        sigmoid=listed(sigmoid),
        labels=labels.tolist(),
        yes=listed(yes),
        cases=cases,
    )


def auc():
    labels = rng.integers(0, 2, 300)
    scores = np.clip(labels * 0.3 + rng.random(300) * 0.7, 0, 1).astype("float32")
    metric = keras.metrics.AUC()
    metric.update_state(labels, scores)
    return dict(labels=labels.tolist(), scores=listed(scores), value=float(metric.result()))


def schedules():
    """Factors of a base rate of 1, over 10 epochs of 10 steps where a case says no other."""
    steps = list(range(0, 100, 3))
    S = keras.optimizers.schedules
    made = [
        (dict(name="exponential", rate=0.8), S.ExponentialDecay(1.0, 10, 0.8)),
        (dict(name="exponential", rate=0.8, staircase=True), S.ExponentialDecay(1.0, 10, 0.8, staircase=True)),
        (dict(name="polynomial", power=2, end=0.1), S.PolynomialDecay(1.0, 100, end_learning_rate=0.1, power=2.0)),
        (dict(name="cosine", min=0.05), S.CosineDecay(1.0, 100, alpha=0.05)),
        (dict(name="cosine", warmup=2), S.CosineDecay(0.0, 80, warmup_target=1.0, warmup_steps=20)),
        (dict(name="cosine", restarts=2, multiply=2, decay=0.9, min=0.01), S.CosineDecayRestarts(1.0, 20, t_mul=2.0, m_mul=0.9, alpha=0.01)),
        (dict(name="step", at=[3, 6], factor=0.1), S.PiecewiseConstantDecay([29, 59], [1.0, 0.1, 0.01])),
    ]
    cases = [dict(schedule=s, steps=steps, values=listed([keras.ops.convert_to_numpy(f(i)) for i in steps])) for s, f in made]

    for epochs, per_epoch, rise in ((10, 10, 0.3), (1, 3, 0.3), (2, 5, 0.3), (3, 4, 0.5), (1, 1, 0.3)):
        total = epochs * per_epoch
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=total, pct_start=rise, cycle_momentum=False)
        values = []
        for step in range(total):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if step + 1 < total:
                one_cycle.step()
        schedule = dict(name="one-cycle", rise=rise)
        cases.append(dict(schedule=schedule, epochs=epochs, stepsPerEpoch=per_epoch, steps=list(range(total)), values=listed(values)))
    return cases


print(json.dumps(dict(losses=losses(), auc=auc(), schedules=schedules())))
