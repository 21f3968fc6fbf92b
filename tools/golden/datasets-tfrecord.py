"""Writes packages/datasets/test/golden/tfrecord.json: TFRecord files as TensorFlow writes them.
Run in the peers' environment: python tools/golden/datasets-tfrecord.py"""

import base64, gzip, io, json, os, tempfile

import numpy as np
import tensorflow as tf
from PIL import Image

random = np.random.RandomState(0)
names = ["cat", "dog", "größe"]
labels = [0, 2, 1, 1, 0]


def picture(i, height=5, width=4):
    buffer = io.BytesIO()
    Image.fromarray(random.randint(0, 255, (height, width, 3), dtype=np.uint8)).save(buffer, ["PNG", "JPEG"][i % 2])
    return buffer.getvalue()


images = [picture(i) for i in range(len(labels))]
of_bytes = lambda *values: tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
of_ints = lambda *values: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
of_floats = lambda *values: tf.train.Feature(float_list=tf.train.FloatList(value=values))


def packed(examples, compression=None):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.tfrecord")
        with tf.io.TFRecordWriter(path, tf.io.TFRecordOptions(compression_type=compression) if compression else None) as writer:
            for example in examples:
                writer.write(example if isinstance(example, bytes) else example.SerializeToString(deterministic=True))
        with open(path, "rb") as file:
            return base64.b64encode(file.read()).decode()


def example(**features):
    return tf.train.Example(features=tf.train.Features(feature={k.replace("__", "/"): v for k, v in features.items()}))


slim = [
    example(
        image__encoded=of_bytes(images[i]),
        image__class__label=of_ints(labels[i]),
        image__class__text=of_bytes(names[labels[i]].encode()),
        image__height=of_ints(5),
        box=of_floats(0.5, -1.0),
        many=of_ints(1, -2, 3_000_000_000),
    )
    for i in range(len(labels))
]
golden = {
    "images": [base64.b64encode(each).decode() for each in images],
    "labels": labels,
    "names": names,
    "plain": packed(slim),
    "gzip": packed(slim, "GZIP"),
    "bad": {
        "no label": packed([example(image=of_bytes(images[0]))]),
        "no image": packed([example(label=of_ints(1))]),
        "two labels": packed([example(image=of_bytes(images[0]), label=of_ints(1, 2))]),
        "a float label": packed([example(image=of_bytes(images[0]), label=of_floats(1.0))]),
        "a negative label": packed([example(image=of_bytes(images[0]), label=of_ints(each)) for each in (1, -1)]),
        "no example": packed([b"\x0a\xff\xff"]),
        "an empty image": packed([example(image=of_bytes(b""), label=of_ints(1))]),
    },
}
with open(os.path.join(os.path.dirname(__file__), "../../packages/datasets/test/golden/tfrecord.json"), "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
