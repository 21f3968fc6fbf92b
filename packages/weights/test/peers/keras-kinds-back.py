"""keras-kinds-back.py FOLDER: reads NAME.back.keras and NAME.back.h5 of each kind, and prints what differs from NAME.y*.npy."""
import glob, json, os, sys
import keras
import numpy as np

wrong = {}
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.back.*"))):
    file = os.path.basename(path)
    kind = os.path.join(sys.argv[1], file.split(".back.")[0])
    arrays = lambda letter: [np.load(p) for p in sorted(glob.glob(f"{kind}.{letter}[0-9].npy"))]
    try:
        model = keras.models.load_model(path, compile=False)
        given = [keras.ops.cast(x, t.dtype) for x, t in zip(arrays("x"), model.inputs)]
        found = keras.tree.flatten(model(given[0] if len(given) == 1 else given))
        wanted = arrays("y")
        assert len(found) == len(wanted), f"{len(found)} outputs"
        worst = max(float(np.abs(np.asarray(a, "float32") - b).max()) if tuple(a.shape) == b.shape else float("inf") for a, b in zip(found, wanted))
        if not worst < 1e-4:
            wrong[file] = f"off by {worst}"
    except Exception as error:
        wrong[file] = f"{type(error).__name__}: {str(error)[:300]}"
print(json.dumps(wrong))
