"""Networks of other libraries with random weights: of each its file, an input and its logits.

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
    for weight in model.weights:
        path, shape = getattr(weight, "path", weight.name), weight.shape
        if "moving_mean" in path or path.endswith(("beta", "beta:0", "bias", "bias:0")):
            weight.assign(rng.normal(0, 0.1, shape))
        elif "variance" in path or "gamma" in path:
            weight.assign(rng.uniform(0.5, 1.2, shape))
    logits = np.asarray(model(image, training=False))
    model.save(f"{stem}.keras" if library == "keras" else f"{stem}.h5")
    return logits


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
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.2)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(image).permute(0, 3, 1, 2)).numpy()
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    safetensors.torch.save_file(state, f"{stem}.safetensors")
    torch.save(state, f"{stem}.pth")
    return logits


def make(word):
    library, name, height, width = word.split(":")
    rng = np.random.default_rng(5)
    stem = str(folder / f"{library}-{name}")
    image = rng.uniform(-1, 1, (2, int(height), int(width), 3)).astype("float32")
    logits = of_keras(library, name, image, stem, rng) if "keras" in library else of_torch(library, name, image, stem)
    np.save(f"{stem}.x.npy", image)
    np.save(f"{stem}.y.npy", logits.astype("float32"))
    return f"{library}:{name}"


for word in sys.argv[2:]:
    make(word)
for word in sys.stdin if len(sys.argv) == 2 else ():
    try:
        print(f"made {make(word.strip())}", flush=True)
    except Exception as error:
        print(f"failed {type(error).__name__}: {error}".replace("\n", " "), flush=True)
