"""Golden for packages/datasets/test/resize.test.ts: what torchvision's preprocessing of images (resize with Pillow's antialiased
bilinear filter, crop of the center) makes of one picture. Run in the peers' environment: python tools/golden/datasets-torchvision.py"""

import json
import pathlib

import numpy as np
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Resize

out = pathlib.Path(__file__).parents[2] / "packages/datasets/test/golden/torchvision.json"
rng = np.random.default_rng(11)
pictures = []
for height, width in ((31, 45), (24, 17)):
    source = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    fits = []
    # The shorter side is a seventh more than the crop, as 256 for 224; the last enlarges a picture.
    for size in (7, 14, 28):
        fitted = Compose([Resize(size * 8 // 7), CenterCrop(size)])(Image.fromarray(source))
        fits.append({"size": size, "pixels": np.asarray(fitted).ravel().tolist()})
    pictures.append({"shape": source.shape, "source": source.ravel().tolist(), "fits": fits})
out.write_text(json.dumps({"by": "tools/golden/datasets-torchvision.py", "torchvision": torchvision.__version__, "pictures": pictures}, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
