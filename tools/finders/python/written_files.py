"""Reads what write-files.ts wrote, each format by its own program. Arguments: the folder, names of cases. Prints a line a fault, then counts."""
import collections
import json
import os
import pathlib
import re
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

folder = pathlib.Path(sys.argv[1])
only = set(sys.argv[2:])
report = json.loads((folder / "written.json").read_text())
counts = collections.defaultdict(collections.Counter)
kinds = collections.defaultdict(collections.Counter)


def arrays(name, batch, kind, about):
    found = []
    index = 0
    while (path := folder / f"{name}.b{batch}.{kind}{index}.npy").exists():
        value = np.load(path)
        if kind == "x" and about["inputs"][index]["dtype"] == "int32":
            value = value.astype("int32")
        found.append(value)
        index += 1
    return found


def compare(found, wanted, tolerance):
    if len(found) != len(wanted):
        return f"{len(found)} outputs, wanted {len(wanted)}"
    for a, b in zip(found, wanted):
        a = np.asarray(a).astype("float32")
        if a.shape != b.shape:
            return f"shape {a.shape}, wanted {b.shape}"
        if not np.allclose(a, b, atol=tolerance * max(1.0, float(np.abs(b).max(initial=0))), rtol=0, equal_nan=True):
            return f"off by {np.abs(a - b).max():.2g} of {np.abs(b).max():.2g}"
    return None


def flat(y):
    values = y if isinstance(y, (list, tuple)) else [y[k] for k in sorted(y)] if isinstance(y, dict) else [y]
    return [np.asarray(v) for v in values]


def by_keras(path, about):
    import keras

    keras.backend.clear_session()
    model = keras.models.load_model(path, compile=False)
    return lambda xs: flat(model(xs[0] if len(xs) == 1 else xs, training=False))


def by_onnx(path, about):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    kinds = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(int64)": "int64"}
    types = [kinds[i.type] for i in session.get_inputs()]
    return lambda xs: session.run(None, {n: x.astype(t) for n, x, t in zip(names, xs, types)})


def by_tensorflow(path, about):
    import tensorflow as tf

    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    given = serve.structured_input_signature[1]
    order = [n for n in given]
    named = [re.sub(r"\W", "_", i["name"]) for i in about["inputs"]]
    if len(order) > 1 and set(named) == set(order):
        order = named

    def run(xs):
        results = serve(**{n: tf.cast(x, given[n].dtype) for n, x in zip(order, xs)})
        if len(results) == 1:
            return flat(next(iter(results.values())))
        return {n: np.asarray(v) for n, v in results.items()}

    return run


readers = {"keras": (".keras", by_keras), "h5": (".h5", by_keras), "onnx": (".onnx", by_onnx), "savedmodel": (".savedmodel", by_tensorflow)}

for name, about in report.items():
    if only and name not in only:
        continue
    if "notRead" in about:
        counts["read"]["refused"] += 1
        continue
    counts["read"]["ok"] += 1
    for kind, verdict in about["written"].items():
        text = verdict
        if verdict == "written" and kind in readers:
            suffix, reader = readers[kind]
            try:
                run = reader(folder / f"{name}{suffix}", about)
                text = "ok"
                for batch in (1, 2, 7):
                    wanted = arrays(name, batch, "y", about)
                    found = run(arrays(name, batch, "x", about))
                    if isinstance(found, dict):
                        # Outputs of a SavedModel have names without an order: any matching will do.
                        values = list(found.values())
                        wrong = None if len(values) == len(wanted) and all(any(compare([v], [w], max(1e-4, about["tolerance"])) is None for v in values) for w in wanted) else f"{len(values)} outputs do not match {len(wanted)}"
                    else:
                        wrong = compare(found, wanted, max(1e-4, about["tolerance"]))
                    if wrong:
                        text = f"WRONG batch {batch}: {wrong}"
                        break
            except Exception as error:
                text = f"unread {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        elif verdict == "written":
            if kind.startswith("tfjs"):
                continue
            text = "ok"
        counts[kind][text.split()[0]] += 1
        if text != "ok":
            print(f"{name} {kind}: {text[:420]}", flush=True)
for kind, count in counts.items():
    print(kind, dict(count))
