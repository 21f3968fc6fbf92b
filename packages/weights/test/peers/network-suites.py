"""Networks of other libraries with random weights: of each its file, an input and its logits.

Batch norms have the statistics of the input, so that the logits depend on every layer, and an offset that lets most values pass ReLU:
without it a deep network makes rounding errors a thousand times larger.

Arguments: a folder, then library:name:height:width for each network; without any, reads one a line from the standard input and answers
when it is made. A .pth file beside the .safetensors is written for networks that are arguments. The libraries are keras, tf_keras,
torchvision, timm, and torchvision-onnx: torchvision's networks as PyTorch's exporter writes them.
"""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])


class Drawn:
    """Four million normal numbers: each kernel takes those after the last one's, since drawing takes longer than a network's run."""

    # A prime, so that no two rows of a kernel are the same.
    length = 4_194_301

    def __init__(self, rng):
        self.numbers = rng.standard_normal(self.length, dtype="float32")
        self.at = 0

    def kernel(self, shape, fan_in):
        size = int(np.prod(shape))
        first = self.numbers[self.at : self.at + size]
        values = np.concatenate([first, np.resize(self.numbers, size - first.size)])
        self.at = (self.at + size) % self.length
        return (values * np.float32(np.sqrt(2 / fan_in))).reshape(shape)


def of_keras(library, name, image, stem, rng):
    drawn = Drawn(rng)
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
            weight.assign(drawn.kernel(shape, fan_in))
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


def undrawn():
    """A context in which PyTorch draws no initial weights: all are drawn after it, and the first draw takes longer than a network's run."""
    from torch.overrides import TorchFunctionMode

    class Undrawn(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            drawn = getattr(func, "__name__", "") in ("normal_", "uniform_", "erfinv_")
            return (args[0] if args else kwargs["tensor"]) if drawn else func(*args, **kwargs)

    return Undrawn()


def of_torch(library, name, image, stem, rng):
    import safetensors.torch
    import torch

    torch.manual_seed(5)
    if library == "timm":
        import timm

        with undrawn():
            model = timm.create_model(name, pretrained=False, num_classes=10)
    else:
        import torchvision

        extra = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        if name == "googlenet":
            extra["transform_input"] = False
        with undrawn():
            model = getattr(torchvision.models, name)(weights=None, num_classes=10, **extra)
    drawn = Drawn(rng)
    for path, weight in model.named_parameters():
        if weight.numel() == max(weight.shape, default=1):
            bias = path.endswith("bias")
            torch.nn.init.normal_(weight, 0, 0.1) if bias else torch.nn.init.uniform_(weight, 0.5, 1.2)
        else:
            # As torch.nn.init.kaiming_normal_ does.
            weight.data.copy_(torch.from_numpy(drawn.kernel(tuple(weight.shape), weight[0].numel())))
    x = torch.from_numpy(image).permute(0, 3, 1, 2)
    norms = [module for module in model.eval().modules() if isinstance(module, torch.nn.BatchNorm2d)]
    # One call that takes over the statistics of these images, by norms alone: dropout stays off.
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
        torch.nn.init.normal_(norm.bias, 0.6, 0.2)
    with torch.no_grad():
        if norms:
            model(x)
        logits = model.eval()(x).numpy()
    if library == "torchvision-onnx":
        names = {"input_names": ["image"], "output_names": ["logits"], "dynamic_axes": {"image": {0: "n"}, "logits": {0: "n"}}}
        torch.onnx.export(model, (x,), f"{stem}.onnx", dynamo=False, **names)
        return image, logits
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    safetensors.torch.save_file(state, f"{stem}.safetensors")
    if len(sys.argv) > 2:
        torch.save(state, f"{stem}.pth")
    return image, logits


def make(word):
    library, name, height, width = word.split(":")
    rng = np.random.default_rng(5)
    stem = str(folder / f"{library}-{name}")
    image = rng.uniform(-1, 1, (2, int(height), int(width), 3)).astype("float32")
    image, logits = of_keras(library, name, image, stem, rng) if "keras" in library else of_torch(library, name, image, stem, rng)
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
