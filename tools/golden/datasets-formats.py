"""Golden for packages/datasets/test/formats.test.ts: one small picture in many image formats, and what Pillow reads of each.
Run in the peers' environment: python tools/golden/datasets-formats.py"""

import base64
import io
import json
import pathlib

import numpy as np
import PIL
from PIL import Image, ImageOps

out = pathlib.Path(__file__).parents[2] / "packages/datasets/test/golden/formats.json"
h, w = 5, 7
y, x = np.mgrid[0:h, 0:w]
image = Image.fromarray(np.stack([x * 36, y * 60, (x * 31 + y * 45) % 256], -1).astype("uint8"))
gray16 = Image.fromarray(np.array(image.convert("L")).astype("uint16") * 257)
cases = []


def record(name, picture, form, **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    read = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue())))
    if read.mode.startswith("I;16"):
        read = Image.fromarray((np.array(read) >> 8).astype("uint8"))
    pixels = np.array(read.convert("RGB"))
    cases.append({"name": name, "base64": base64.b64encode(file.getvalue()).decode(), "shape": pixels.shape, "pixels": pixels.ravel().tolist()})


for mode in ("1", "L", "P", "RGB", "RGBA"):
    record(f"{mode}.bmp", image.convert(mode), "BMP")
record("cmyk.jpg", image.convert("CMYK"), "JPEG", quality=95)
record("cmyk.tiff", image.convert("CMYK"), "TIFF")
record("la.png", image.convert("LA"), "PNG")
record("palette.png", image.convert("P", palette=Image.ADAPTIVE), "PNG")
record("gray16.png", gray16, "PNG")
record("gray16.tiff", gray16, "TIFF")
record("bilevel.tiff", image.convert("1"), "TIFF")
record("lzw.tiff", image, "TIFF", compression="tiff_lzw")
record("animation.gif", image, "GIF", save_all=True, append_images=[image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
for orientation in range(2, 9):
    exif = Image.Exif()
    exif[0x112] = orientation
    record(f"exif{orientation}.png", image, "PNG", exif=exif)
    record(f"exif{orientation}.webp", image, "WEBP", lossless=True, exif=exif)
    record(f"exif{orientation}.tiff", image, "TIFF", exif=exif)
    # Gray, so that no chroma is made smaller: every decoder has the same bytes.
    record(f"exif{orientation}.jpg", image.convert("L"), "JPEG", quality=100, exif=exif)
golden = {"by": "tools/golden/datasets-formats.py", "pillow": PIL.__version__, "cases": cases}
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out.stat().st_size)
