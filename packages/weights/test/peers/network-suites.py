"""Networks of other libraries with random weights: of each its file, an input and its logits.

Batch norms have the statistics of the input, so that the logits depend on every layer, and an offset that lets most values pass ReLU:
without it a deep network makes rounding errors a thousand times larger.

Arguments: a folder, then library:name:height:width for each network; without any, reads one a line from the standard input and answers
when it is made. The libraries are keras, tf_keras, torchvision and timm.
"""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])


def of_keras(library, name, image, stem, rng):
    if library == "keras":
        import keras
    else:
        import tf_keras as keras
    make = getattr(keras.applications, name)
    model = make(weights=None, input_shape=image.shape[1:], classes=10, classifier_activation=None)
    layers = keras.layers
    # These scale pixels themselves.
    if any(isinstance(layer, (layers.Rescaling, layers.Normalization)) for layer in model.layers):
        image = 127.5 * image + 127.5
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    offsets = {id(norm.beta) for norm in norms if norm.center}
    for weight in (weight for layer in model.layers if not isinstance(layer, layers.Normalization) for weight in layer.weights):
        kind = getattr(weight, "path", weight.name).split("/")[-1].split(":")[0]
        shape = tuple(weight.shape)
        if kind.endswith("kernel"):
            fan_in = np.prod(shape[:2] if kind.startswith("depthwise") else shape[:-1])
            weight.assign(rng.normal(0, np.sqrt(2 / fan_in), shape))
        elif id(weight) in offsets:
            weight.assign(rng.normal(0.6, 0.2, shape))
        elif kind in ("beta", "bias"):
            weight.assign(rng.normal(0, 0.1, shape))
        elif kind == "gamma":
            weight.assign(rng.uniform(0.5, 1.2, shape))
    # One call that takes over the statistics of these images, by norms alone: dropout stays off.
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        norm.call = lambda x, call=norm.call, **more: call(x, training=True)
    model(image)
    for norm, momentum in zip(norms, momenta):
        del norm.call
        norm.momentum = momentum
    logits = np.asarray(model(image, training=False))
    model.save(f"{stem}.keras" if library == "keras" else f"{stem}.h5")
    return image, logits


def of_torch(library, name, image, stem):
    import safetensors.torch
    import torch

    torch.manual_seed(5)
    if library == "timm":
        import timm

        model = timm.create_model(name, pretrained=False, num_classes=10)
    else:
        import torchvision

        extra = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        if name == "googlenet":
            extra["transform_input"] = False
        model = getattr(torchvision.models, name)(weights=None, num_classes=10, **extra)
    for path, weight in model.named_parameters():
        if weight.numel() == max(weight.shape, default=1):
            bias = path.endswith("bias")
            torch.nn.init.normal_(weight, 0, 0.1) if bias else torch.nn.init.uniform_(weight, 0.5, 1.2)
        else:
            torch.nn.init.kaiming_normal_(weight)
    x = torch.from_numpy(image).permute(0, 3, 1, 2)
    norms = [module for module in model.eval().modules() if isinstance(module, torch.nn.BatchNorm2d)]
    # One call that takes over the statistics of these images, by norms alone: dropout stays off.
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
        torch.nn.init.normal_(norm.bias, 0.6, 0.2)
    with torch.no_grad():
        model(x)
        logits = model.eval()(x).numpy()
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    safetensors.torch.save_file(state, f"{stem}.safetensors")
    torch.save(state, f"{stem}.pth")
    return image, logits


def make(word):
    library, name, height, width = word.split(":")
    rng = np.random.default_rng(5)
    stem = str(folder / f"{library}-{name}")
    image = rng.uniform(-1, 1, (2, int(height), int(width), 3)).astype("float32")
    image, logits = of_keras(library, name, image, stem, rng) if "keras" in library else of_torch(library, name, image, stem)
    # Deep networks with small weights give the same logits for every image, and then most of their layers could be wrong.
    spread, largest = np.abs(logits[0] - logits[1]).max(), np.abs(logits).max()
    if not (np.isfinite(largest) and spread > 0.02 * largest > 0):
        raise ValueError(f"the logits hardly depend on the image: they differ by {spread}, the largest is {largest}")
    np.save(f"{stem}.x.npy", image.astype("float32"))
    np.save(f"{stem}.y.npy", logits.astype("float32"))
    return f"{library}:{name}"


for word in sys.argv[2:]:
    make(word)
for word in sys.stdin if len(sys.argv) == 2 else ():
    try:
        print(f"made {make(word.strip())}", flush=True)
    except Exception as error:
        print(f"failed {type(error).__name__}: {error}".replace("\n", " "), flush=True)
