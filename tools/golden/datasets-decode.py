"""Golden for packages/datasets/test/decode.test.ts: small image files, and what Keras' image_dataset_from_directory makes of
them. Run in the peers' environment: python tools/golden/datasets-decode.py"""

import base64
import io
import json
import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from skimage import data

out = pathlib.Path(__file__).parents[2] / "packages/datasets/test/golden/decode.json"
size = (9, 12)
photo = Image.fromarray(data.chelsea()).resize((38, 29), Image.BICUBIC)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


pixels = np.asarray(photo)
alpha = np.dstack([pixels, np.indices(pixels.shape[:2]).sum(0) * 3 % 256]).astype("uint8")
deep = (pixels.astype("uint16") * 257 + np.indices(pixels.shape)[1].astype("uint16") % 200).astype("uint16")
files = {
    "420.jpg": saved(photo, "JPEG", quality=85),
    "444.jpg": saved(photo, "JPEG", quality=90, subsampling=0),
    "422-progressive.jpg": saved(photo, "JPEG", quality=75, subsampling=1, progressive=True),
    "gray.jpg": saved(photo.convert("L"), "JPEG", quality=85),
    "rgb.png": saved(photo, "PNG"),
    "gray.png": saved(photo.convert("L"), "PNG"),
    "palette.png": saved(photo.quantize(32), "PNG"),
    "alpha.png": saved(Image.fromarray(alpha), "PNG"),
    "deep.png": tf.io.encode_png(deep).numpy(),
}


def tenths(values):
    return np.round(np.asarray(values, "float64") * 10).astype(int).ravel().tolist()


def by_keras(content, name, **options):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "a").mkdir()
        (pathlib.Path(folder) / "a" / name).write_bytes(content)
        images = keras.utils.image_dataset_from_directory(
            folder, labels=None, image_size=size, batch_size=1, shuffle=False, verbose=False, **options
        )
        return tenths(next(iter(images)))


cases = []
for name, content in files.items():
    case = {"name": name, "base64": base64.b64encode(content).decode(), "keras": by_keras(content, name)}
    # TensorFlow's gray of colour PNGs weighs green and blue the wrong way round; its JPEGs' is the stored luma.
    if name.endswith(".jpg"):
        case["gray"] = by_keras(content, name, color_mode="grayscale")
    cases.append(case)
crop = by_keras(files["rgb.png"], "rgb.png", crop_to_aspect_ratio=True)
bicubic = by_keras(files["rgb.png"], "rgb.png", interpolation="bicubic")
golden = {"by": "tools/golden/datasets-decode.py", "keras": keras.__version__, "size": size, "cases": cases, "crop": crop, "bicubic": bicubic}
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out.stat().st_size)
