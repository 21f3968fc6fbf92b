"""keras-augmentation-back.py FOLDER: reads NAME.back.keras of each layer, and prints its class and configuration, and whether it predicts its input."""
import glob, json, os, sys
import numpy as np
import keras

out = {}
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.back.keras"))):
    model = keras.models.load_model(path)
    layer = model.layers[1]
    x = np.random.default_rng(0).uniform(0, 255, (2, 7, 6, 3)).astype("float32")
    config = layer.get_config()
    for key in ("name", "dtype", "trainable", "seed"):
        config.pop(key)
    out[os.path.basename(path)[: -len(".back.keras")]] = [type(layer).__name__, config, bool((model.predict(x, verbose=0) == x).all())]
print(json.dumps(out))
