"""Writes packages/datasets/test/golden/shards.json: tar shards as Python's `webdataset` writes and reads them.

pip install webdataset==1.0.2 numpy pillow
python tools/golden/datasets-shards.py
"""

import base64, gzip, hashlib, io, json, os, tarfile, tempfile

import numpy as np
import webdataset as wds
from PIL import Image

random = np.random.RandomState(0)


def picture(ending, height=9, width=11):
    buffer = io.BytesIO()
    pixels = Image.fromarray(random.randint(0, 255, (height, width, 3), dtype=np.uint8))
    pixels.save(buffer, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[ending])
    return buffer.getvalue()


def samples(path):
    read = wds.WebDataset(path, shardshuffle=False)
    return [
        {
            "key": sample["__key__"],
            "parts": {k: hashlib.sha256(v).hexdigest() for k, v in sample.items() if not k.startswith("__")},
        }
        for sample in read
    ]


def packed(path):
    with open(path, "rb") as file:
        return base64.b64encode(gzip.compress(file.read(), mtime=0)).decode()


cases = []
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "writer.tar")
    with wds.TarWriter(path, mtime=0) as writer:
        for i in range(8):
            ending = ["jpg", "png", "webp"][i % 3]
            writer.write(
                {
                    "__key__": f"part.{i % 2}/n{i:04d}".replace("part.", "part"),
                    ending: picture(ending),
                    "cls": i % 3,
                    "json": {"annotation": {"class": ["cat", "dog", "emu"][i % 3]}},
                    "txt": f"a picture of {i}",
                    "seg.png": picture("png", 3, 3),
                }
            )
    cases.append({"name": "TarWriter", "tar": packed(path), "samples": samples(path)})

    for name, form in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
        path = os.path.join(folder, f"{name}.tar")
        with tarfile.open(path, "w", format=form) as archive:

            def add(entry, data=b"", **fields):
                info = tarfile.TarInfo(entry)
                info.size, info.mode = len(data), 0o644
                for field, value in fields.items():
                    setattr(info, field, value)
                archive.addfile(info, io.BytesIO(data))

            add("__meta__", b"left out")
            add("folder", type=tarfile.DIRTYPE)
            add("folder/README", b"no dot")
            for i, stem in enumerate(["0", "folder/x" * 12 + "/" + "n" * 60, "v1.2/n3"] + (["größe/é"] if name != "ustar" else [])):
                add(f"{stem}.PNG", picture("png", 4, 5))
                add(f"{stem}.cls", str(i).encode())
            add("link.png", type=tarfile.SYMTYPE, linkname="0.PNG")
        cases.append({"name": name, "tar": packed(path), "samples": samples(path)})

    # What writeShards is to give, as tarfile writes it: no owner, no time, blocks of ustar.
    contents = [picture("png", 4, 5) for _ in range(3)]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for i, content in enumerate(contents):
            for entry, data in [(f"{i:09d}.png", content), (f"{i:09d}.cls", str(i % 2).encode())]:
                info = tarfile.TarInfo(entry)
                info.size, info.mode = len(data), 0o644
                archive.addfile(info, io.BytesIO(data))
    written = {
        "images": [base64.b64encode(content).decode() for content in contents],
        "tar": base64.b64encode(gzip.compress(buffer.getvalue(), mtime=0)).decode(),
    }

with open(os.path.join(os.path.dirname(__file__), "../../packages/datasets/test/golden/shards.json"), "w") as file:
    json.dump({"cases": cases, "written": written}, file, indent=1)
    file.write("\n")
