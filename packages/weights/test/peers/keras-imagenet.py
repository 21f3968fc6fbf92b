"""keras.applications as it loads "imagenet": from a file of the published layout, with random weights, that stands in for the download.

Arguments: a folder, then application:size pairs. Writes <name>.h5, an input <name>.x.npy, and <name>.y.npy, the feature map of it.
"""
import pathlib
import sys

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

folder = pathlib.Path(sys.argv[1])
for pair in sys.argv[2:]:
    name, size = pair.split(":")
    rng = np.random.default_rng(0)
    application = getattr(keras.applications, name)
    options = {"include_top": False, "input_shape": (int(size), int(size), 3)}
    model = application(weights=None, **options)
    for weight in model.weights:
        if weight.name in ("variance", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif weight.name in ("mean", "moving_mean", "beta", "bias"):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    with h5py.File(folder / f"{name}.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    file_utils.get_file = lambda *_, **__: str(folder / f"{name}.h5")
    published = application(weights="imagenet", **options)
    x = rng.uniform(0, 255, (2, int(size), int(size), 3)).astype("float32")
    np.save(folder / f"{name}.x.npy", x)
    np.save(folder / f"{name}.y.npy", np.asarray(published(x, training=False)))
