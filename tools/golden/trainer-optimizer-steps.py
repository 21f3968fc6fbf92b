"""Twenty updates of a matrix and a list by every optimizer of Keras, step by step; lookahead by timm, on torch's SGD.

For packages/trainer/test/optimizer-steps.test.ts and the table in docs/optimizers.md. Run in the peers' environment:
python tools/golden/trainer-optimizer-steps.py
"""
import importlib.metadata
import json
import multiprocessing
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "packages/trainer/test/golden/optimizer-steps.json"
STEPS, SHAPES = 20, ((3, 2), (3,))


def hashed(index):
    h = (index ^ (index >> 16)) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & 0xFFFFFFFF
    return (h ^ (h >> 16)) / 2**31 - 1


def values(start, shape, scale=1.0):
    return np.array([hashed(start + i) * scale for i in range(int(np.prod(shape)))], "float32").reshape(shape)


def gradients(step, shapes):
    return [values(1000 * (step + 1) + 100 * k, shape, (2, 0.5)[k]) for k, shape in enumerate(shapes)]


def decoupled(make, **more):
    """The matrix decays, the list does not."""
    optimizer = make(**more)
    optimizer.exclude_from_weight_decay(var_names=["list"])
    return optimizer


def muon(O, **more):
    # Keras' second decay is that of the variables that Adam updates.
    return decoupled(lambda **m: O.Muon(0.02, **m), adam_weight_decay=more.pop("adam", 0.1), **more)


def keras_cases(O):
    return [
        (dict(name="sgd", learningRate=0.1), lambda: O.SGD(0.1)),
        (dict(name="sgd", learningRate=0.1, momentum=0.5), lambda: O.SGD(0.1, momentum=0.5)),
        (dict(name="momentum", learningRate=0.1), lambda: O.SGD(0.1, momentum=0.9)),
        (dict(name="nesterov", learningRate=0.1), lambda: O.SGD(0.1, momentum=0.9, nesterov=True)),
        (dict(name="adam", learningRate=0.01), lambda: O.Adam(0.01)),
        (dict(name="adam", learningRate=0.01, amsgrad=True), lambda: O.Adam(0.01, amsgrad=True)),
        (dict(name="adamw", learningRate=0.01, weightDecay=0.1), lambda: decoupled(O.AdamW, learning_rate=0.01, weight_decay=0.1)),
        (dict(name="adamax", learningRate=0.01), lambda: O.Adamax(0.01)),
        (dict(name="nadam", learningRate=0.01), lambda: O.Nadam(0.01)),
        (dict(name="rmsprop", learningRate=0.01), lambda: O.RMSprop(0.01)),
        (dict(name="rmsprop", learningRate=0.01, momentum=0.5, centered=True), lambda: O.RMSprop(0.01, momentum=0.5, centered=True)),
        (dict(name="adagrad", learningRate=0.1), lambda: O.Adagrad(0.1)),
        (dict(name="adadelta", learningRate=1), lambda: O.Adadelta(1.0)),
        (dict(name="lion", learningRate=0.01, weightDecay=0.1), lambda: decoupled(O.Lion, learning_rate=0.01, weight_decay=0.1)),
        (dict(name="ftrl", learningRate=0.1), lambda: O.Ftrl(0.1)),
        (
        dict(name="ftrl", learningRate=0.1, l1=0.01, l2=0.02, l2Shrinkage=0.03, beta=0.1),
        lambda: O.Ftrl(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02, l2_shrinkage_regularization_strength=0.03, beta=0.1),
    ),
        (dict(name="lamb", learningRate=0.01, weightDecay=0.1), lambda: decoupled(O.Lamb, learning_rate=0.01, weight_decay=0.1)),
        (dict(name="muon", learningRate=0.02, weightDecay=0.1), lambda: muon(O, weight_decay=0.1)),
    ]


def by_keras(make):
    import keras

    optimizer = make()
    variables = [keras.Variable(values(100 * k, shape), name=("matrix", "list")[k]) for k, shape in enumerate(SHAPES)]
    rows = []
    for step in range(STEPS):
        if step == STEPS // 2:
            optimizer.learning_rate = float(optimizer.learning_rate) / 2
        optimizer.apply(gradients(step, SHAPES), variables)
        rows.append(flat(np.asarray(v.value) for v in variables))
    return rows


def by_torch(every, share):
    import torch
    from timm.optim.lookahead import Lookahead

    variables = [torch.nn.Parameter(torch.tensor(values(100 * k, shape))) for k, shape in enumerate(SHAPES)]
    optimizer = Lookahead(torch.optim.SGD(variables, lr=0.1), alpha=share, k=every)
    for variable in variables:
        variable.grad = torch.zeros_like(variable)
    # The slow weights start as the weights, as in the paper.
    optimizer.sync_lookahead()
    rows = []
    for step in range(STEPS):
        if step == STEPS // 2:
            optimizer.param_groups[0]["lr"] /= 2
        for variable, gradient in zip(variables, gradients(step, SHAPES)):
            variable.grad = torch.tensor(gradient)
        optimizer.step()
        rows.append(flat(v.detach().numpy() for v in variables))
    return rows


def clipped_by_timm():
    """A convolution, a depthwise convolution, a dense layer and a bias, in tfjs' layouts."""
    import torch
    from timm.utils.agc import adaptive_clip_grad

    shapes = dict(kernel=(2, 2, 3, 4), depthwise_kernel=(2, 2, 3, 2), dense=(5, 3), bias=(6,))
    made = {}
    for k, (name, shape) in enumerate(shapes.items()):
        weight, gradient = values(9000 + 500 * k, shape, 0.1), values(20000 + 500 * k, shape, 0.002)
        order = (3, 2, 0, 1) if name == "kernel" else (2, 3, 0, 1) if len(shape) == 4 else (1, 0) if len(shape) == 2 else (0,)
        moved = lambda x: torch.tensor(x.transpose(order).copy())
        parameter = torch.nn.Parameter(moved(weight))
        parameter.grad = moved(gradient)
        if name == "depthwise_kernel":
            # torch has one row of filters, [channels * multiplier, 1, h, w].
            parameter = torch.nn.Parameter(moved(weight).reshape(-1, 1, 2, 2))
            parameter.grad = moved(gradient).reshape(-1, 1, 2, 2)
        adaptive_clip_grad([parameter], clip_factor=0.01)
        back = parameter.grad.reshape([shape[i] for i in order]).numpy().transpose(np.argsort(order))
        made[name] = dict(shape=shape, start=500 * k, clipped=flat([back]))
    return made


def flat(arrays):
    return [float(f"{v:.8g}") for a in arrays for v in a.reshape(-1)]


def of_keras():
    import keras

    return [dict(optimizer=options, steps=by_keras(make)) for options, make in keras_cases(keras.optimizers)]


if __name__ == "__main__":
    # TensorFlow and torch do not load into one process.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        steps, adaptive = pool.apply(by_torch, (3, 0.5)), pool.apply(clipped_by_timm)
    cases = of_keras() + [dict(optimizer=dict(name="sgd", learningRate=0.1, lookahead=dict(every=3, share=0.5)), steps=steps)]
    versions = {name: importlib.metadata.version(name) for name in ("keras", "torch", "timm")}
    golden = dict(madeBy="tools/golden/trainer-optimizer-steps.py", **versions, cases=cases, adaptiveClip=adaptive)
    OUT.write_text(json.dumps(golden) + "\n")
    print(len(cases), OUT.stat().st_size)
