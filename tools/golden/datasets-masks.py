"""PNG files of masks as Pillow writes them, with their values, for packages/datasets/test/golden/masks.json.

Run: python tools/golden/datasets-masks.py > packages/datasets/test/golden/masks.json
"""

import base64
import io
import json

import numpy as np
from PIL import Image

rng = np.random.default_rng(5)
h, w = 7, 13
files = []


def add(name, image, values, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    files.append(dict(name=name, png=base64.b64encode(buffer.getvalue()).decode(), values=np.asarray(values).reshape(-1).tolist()))


areas = (np.arange(h)[:, None] // 3 + np.arange(w)[None, :] // 5).astype("uint8")
drawn = rng.integers(0, 256, (h, w)).astype("uint8")
add("gray, 8 bits", Image.fromarray(drawn), drawn)
add("gray, areas", Image.fromarray(areas), areas)
add("gray, 16 bits", Image.fromarray(drawn.astype("uint16")), drawn)
add("gray, 1 bit", Image.fromarray(areas % 2 == 1), areas % 2)
for bits in (1, 2, 4, 8):
    values = (drawn.astype(int) % 2**bits).astype("uint8")
    image = Image.fromarray(values, "P")
    # Equal colors at several places of the palette: the colors do not tell the index.
    image.putpalette([0, 0, 0, 128, 0, 0] * 2 ** (bits - 1))
    add(f"palette, {bits} bits", image, values, bits=bits)
    add(f"palette, {bits} bits, one of them transparent", image, values, bits=bits, transparency=0)
rgb = np.stack([areas * 60] * 3, -1)
add("RGB, gray", Image.fromarray(rgb), areas * 60)
add("gray and alpha", Image.fromarray(np.stack([drawn, np.full_like(drawn, 255)], -1), "LA"), drawn)
print(json.dumps(dict(shape=[h, w], files=files)))
