"""Writes packages/datasets/test/golden/parquet.json: image sets as Hugging Face's `datasets` and pyarrow write them.

pip install datasets==5.2.0 pyarrow==26.0.1 numpy pillow
python tools/golden/datasets-parquet.py
"""

import base64, gzip, io, json, os, tempfile

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

random = np.random.RandomState(0)


def picture(height=5, width=4):
    buffer = io.BytesIO()
    Image.fromarray(random.randint(0, 255, (height, width, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


names = ["cat", "dog", "größe"]
images = [picture() for _ in range(7)]
labels = [0, 2, 1, 1, 0, 2, 2]
cases = []


def case(name, path, **more):
    with open(path, "rb") as file:
        content = file.read()
    cases.append({"name": name, "parquet": base64.b64encode(gzip.compress(content, mtime=0)).decode(), **more})


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "a.parquet")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    rows = {"image": [{"bytes": each, "path": f"{i}.png"} for i, each in enumerate(images)], "label": labels}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path, batch_size=3)
    case("datasets", path, classes=names, row_groups=pq.ParquetFile(path).num_row_groups)

    struct = pa.array([{"bytes": each, "path": None} for each in images], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    for compression in ["NONE", "SNAPPY", "GZIP", "BROTLI", "LZ4", "ZSTD"]:
        table = pa.table({"img": struct, "fine": pa.array(labels, pa.int64()), "class": [names[i] for i in labels]})
        path = os.path.join(folder, f"{compression}.parquet")
        pq.write_table(table, path, compression=compression, row_group_size=3, data_page_version="2.0" if compression == "ZSTD" else "1.0")
        case(compression, path, classes=names, row_groups=3)

bad = {}
with tempfile.TemporaryDirectory() as folder:
    def write(name, table):
        path = os.path.join(folder, "x.parquet")
        pq.write_table(table, path)
        with open(path, "rb") as file:
            bad[name] = base64.b64encode(gzip.compress(file.read(), mtime=0)).decode()

    one = struct.slice(0, 2)
    write("null label", pa.table({"image": one, "label": pa.array([1, None], pa.int64())}))
    write("unlabelled", pa.table({"image": one, "label": pa.array([1, -1], pa.int64())}))
    write("no bytes", pa.table({"image": pa.array([{"bytes": None, "path": "a.png"}] * 2, struct.type), "label": [0, 1]}))
    write("no image", pa.table({"text": ["a", "b"], "label": [0, 1]}))
    write("two labels", pa.table({"image": one, "label": [0, 1], "class": ["a", "b"]}))
    write("no rows", pa.table({"image": struct.slice(0, 0), "label": pa.array([], pa.int64())}))

with open(os.path.join(os.path.dirname(__file__), "../../packages/datasets/test/golden/parquet.json"), "w") as file:
    golden = {"images": [base64.b64encode(each).decode() for each in images], "labels": labels, "cases": cases, "bad": bad}
    json.dump(golden, file, indent=1)
    file.write("\n")
