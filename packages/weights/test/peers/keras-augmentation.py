"""keras-augmentation.py FOLDER: a model of each random layer as .keras, and what Keras' training mode gives on many copies of one image."""
import json, os, sys
import numpy as np
import keras

folder = sys.argv[1]
L = keras.layers
# A layer without a seed of its own draws one when it is made, and the file keeps it.
keras.utils.set_random_seed(5)
layers = {
    "flip": L.RandomFlip("horizontal"),
    "flip-both": L.RandomFlip(),
    "rotation": L.RandomRotation(0.1, fill_mode="constant", fill_value=7.0),
    "rotation-nearest": L.RandomRotation([-0.05, 0.2], fill_mode="wrap", interpolation="nearest"),
    "zoom": L.RandomZoom(0.3, fill_mode="nearest"),
    "zoom-two": L.RandomZoom((-0.3, 0.1), (0.0, 0.4), fill_mode="reflect"),
    "translation": L.RandomTranslation(0.2, (0.0, 0.3), fill_mode="constant"),
    "shear": L.RandomShear(0.3, 0.1),
    "brightness": L.RandomBrightness(0.3),
    "brightness-one": L.RandomBrightness((0.1, 0.4), value_range=(0, 1)),
    "contrast": L.RandomContrast(0.4),
    "contrast-two": L.RandomContrast((0.5, 0.2), value_range=(0, 255)),
    "hue": L.RandomHue(0.4),
    "saturation": L.RandomSaturation((0.3, 0.5)),
    "erasing": L.RandomErasing(factor=0.9, scale=(0.1, 0.4), fill_value=3),
}
h, w, copies = 7, 6, 3000
y, x = np.mgrid[0:h, 0:w]
image = np.stack([20 + 30 * x + 3 * y, 200 - 20 * y - x, 60 + 10 * x + 12 * y], -1).astype("float32")
told = {"image": image.ravel().tolist(), "shape": image.shape, "copies": copies, "layers": {}}
for name, layer in layers.items():
    keras.utils.set_random_seed(5)
    scale = 1 / 255 if name == "brightness-one" else 1
    inputs = keras.Input((h, w, 3))
    model = keras.Model(inputs, layer(inputs))
    model.save(os.path.join(folder, f"{name}.keras"))
    out = np.asarray(layer(np.repeat(image[None] * scale, copies, 0), training=True), "float64")
    if name.startswith("flip-both"):
        continue
    told["layers"][name] = {
        "scale": scale,
        "mean": out.mean(0).ravel().tolist(),
        "deviation": out.std(0).ravel().tolist(),
        "low": out.min(0).ravel().tolist(),
        "high": out.max(0).ravel().tolist(),
    }
json.dump(told, open(os.path.join(folder, "statistics.json"), "w"))
