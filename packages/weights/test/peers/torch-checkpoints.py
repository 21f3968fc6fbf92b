"""One state of torchvision's squeezenet1_1, saved in the ways of training scripts. Argument: a folder. Prints the names as JSON."""
import argparse
import collections
import dataclasses
import json
import pathlib
import pickle
import sys
import zipfile

import numpy as np
import safetensors.torch
import torch
import torchvision

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(3)
model = torchvision.models.squeezenet1_1(weights=None)
state = model.state_dict()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
model(torch.zeros(1, 3, 64, 64)).sum().backward()
optimizer.step()
state = {name: value.detach().clone() for name, value in model.state_dict().items()}
parallel = {f"module.{name}": value for name, value in state.items()}
flat = torch.cat([value.flatten() for value in state.values()])
parts = dict(zip(state, flat.split([value.numel() for value in state.values()])))


def reversed_axes(value):
    axes = tuple(reversed(range(value.dim())))
    return value.permute(axes).contiguous().permute(axes)


states = {
    "plain": state,
    "data-parallel": torch.nn.DataParallel(model).state_dict(),
    "compiled": {f"module._orig_mod.{name}": value for name, value in state.items()},
    "averaged": torch.optim.swa_utils.AveragedModel(model).state_dict(),
    "lightning": {"epoch": 1, "state_dict": {f"model.{name}": value for name, value in state.items()}, "optimizer_states": []},
    "imagenet-example": {
        "epoch": 3,
        "arch": "squeezenet1_1",
        "state_dict": parallel,
        "best_acc1": torch.tensor(71.3),
        "optimizer": optimizer.state_dict(),
    },
    "loss-beside": {"model_state_dict": state, "loss": torch.tensor(0.3), "optimizer": optimizer.state_dict()},
    "average-beside": {"state_dict": state, "state_dict_ema": {name: value * 2 for name, value in state.items()}},
    "own-name": {"generator": state, "step": 3},
    "arguments": {
        "model": state,
        "args": argparse.Namespace(lr=0.1, device=torch.device("cpu"), dtype=torch.float32),
        "best": np.float64(3.5),
        "seen": collections.defaultdict(int, a=1),
    },
    "parameters": collections.OrderedDict((name, torch.nn.Parameter(value)) for name, value in state.items()),
    "channels-last": {name: value.to(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in state.items()},
    "reversed-axes": {name: reversed_axes(value) for name, value in state.items()},
    "views": {name: parts[name].view(value.shape) for name, value in state.items()},
    "expanded": {**state, "classifier.1.bias": state["classifier.1.bias"][:1].expand(1000)},
}


@dataclasses.dataclass
class Config:
    lr: float = 0.1


nested = {}
for name, value in state.items():
    *keys, last = name.split(".")
    inner = nested
    for key in keys:
        inner = inner.setdefault(key, {})
    inner[last] = value
model.load_state_dict(state)
arrays = {name: value.numpy() for name, value in state.items()}
zeros = {name: value * 0 for name, value in state.items()}
head = "classifier.1."


def prefixed(prefix, tensors):
    return {prefix + name: value for name, value in tensors.items()}


states |= {
    "whole": model,
    "whole-in-dict": {"ema": torch.nn.DataParallel(model), "model": model, "epoch": 3},
    "numpy": arrays,
    "numpy-fortran": {"model": {name: np.asfortranarray(value) for name, value in arrays.items()}},
    "numpy-big-endian": {name: value.astype(">f4") for name, value in arrays.items()},
    "nested": {"model": nested},
    "pairs": list(state.items()),
    "objects": {"model": state, "config": Config(), "path": pathlib.PurePosixPath("/a"), "counts": collections.Counter("aab")},
    "head-outside": {name if name.startswith(head) else f"encoder.{name}": value for name, value in state.items()},
    "net-and-ema": {**prefixed("net.", state), **prefixed("net_ema.", zeros)},
    "other-part": {"generator": state, "discriminator": {"conv.weight": torch.ones(3, 3)}},
    "other-types": {
        **state,
        **{f"spare_{kind}": torch.ones(2).to(getattr(torch, kind)) for kind in ("int64", "bool", "complex64")},
        "spare_sparse": torch.eye(3).to_sparse(),
        "spare_quantized": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    },
}
for name, value in states.items():
    torch.save(value, folder / f"{name}.pth")
    torch.save(value, folder / f"{name}-legacy.pth", _use_new_zipfile_serialization=False)
safetensors.torch.save_file(parallel, folder / "data-parallel.safetensors")
(folder / "pickled.pkl").write_bytes(pickle.dumps({"model": arrays}, protocol=5))
(folder / "pickled-tensors.pkl").write_bytes(pickle.dumps(state, protocol=4))
torch.jit.save(torch.jit.script(model), folder / "script.pt")
torch.export.save(torch.export.export(model.eval(), (torch.zeros(1, 3, 64, 64),)), folder / "exported.pt2")
others = ["data-parallel.safetensors", "pickled.pkl", "pickled-tensors.pkl", "script.pt", "exported.pt2", "packed-again.pth", "big-endian.pth"]
with zipfile.ZipFile(folder / "plain.pth") as source:
    with zipfile.ZipFile(folder / "packed-again.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in source.namelist():
            packed.writestr(f"outer/{entry}", source.read(entry))
    with zipfile.ZipFile(folder / "big-endian.pth", "w") as packed:
        for entry in source.namelist():
            data = source.read(entry)
            if "/data/" in entry:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            packed.writestr(entry, b"big" if entry.endswith("/byteorder") else data)
print(json.dumps([f"{name}.pth" for name in states] + [f"{name}-legacy.pth" for name in states] + others))
torch.save({"left": state, "right": state}, folder / "two.pth")
torch.save(torch.ones(3), folder / "one-tensor.pth")
torch.save(list(state.values()), folder / "list.pth")

# Sparse and quantized tensors, beside the plain ones that they stand for.
conv = torch.arange(36.0).reshape(4, 1, 3, 3).fmod(5)
uncoalesced = torch.sparse_coo_tensor([[0, 0, 2]], torch.tensor([1.5, 2.0, -1.0]), (4,), check_invariants=True)
matrix = torch.tensor([[0.0, 1.5, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, -3.0], [0.0, 0.0, 4.0, 0.5]])
bsr, bsc = matrix.to_sparse_bsr((2, 2)), matrix.to_sparse_bsc((2, 2))
sparse = {
    "coo": conv.to_sparse(),
    "hybrid": conv.to_sparse(2),
    "half": conv.half().to_sparse(),
    "uncoalesced": uncoalesced,
    "csr": matrix.to_sparse_csr(),
    "csc": matrix.to_sparse_csc(),
    "bsr": bsr,
    "bsc": bsc,
}
sparse |= {f"{name}_dense": value.to_dense().contiguous() for name, value in sparse.items()}
torch.save(sparse, folder / "sparse.pth")
torch.save({"w": torch.sparse_coo_tensor([[2]], [1.0], (3,)).half(), "v": torch.sparse_coo_tensor([[0], [0]], [1.0], (1 << 20, 1 << 20))}, folder / "sparse-large.pth")
scales, offsets = torch.tensor([0.1, 0.03, 0.5, 0.2], dtype=torch.float64), torch.tensor([0, 3, -2, 1])
quantized = {
    "tensor": torch.quantize_per_tensor(conv, 0.05, 10, torch.quint8),
    "channel": torch.quantize_per_channel(conv, scales, offsets, 0, torch.qint8),
    "axis": torch.quantize_per_channel(matrix, scales, offsets, 1, torch.qint8),
    "floats": torch.quantize_per_channel(matrix, scales.float(), offsets.float() + 0.5, 0, torch.quint8),
    "int32": torch.quantize_per_tensor(matrix, 0.001, 0, torch.qint32),
}
quantized |= {f"{name}_plain": value.dequantize() for name, value in quantized.items()}
quantized |= {
    "fc.scale": torch.tensor(0.1),
    "fc.zero_point": torch.tensor(3),
    "fc._packed_params.dtype": torch.qint8,
    "fc._packed_params._packed_params": (quantized["tensor"], torch.ones(4)),
}
torch.save(quantized, folder / "quantized.pth")
safetensors.torch.save_file({"classifier.1.qweight": torch.ones(4, 4, dtype=torch.int32), "classifier.1.scales": torch.ones(1, 4)}, folder / "gptq.safetensors")
torch.jit.save(torch.jit.freeze(torch.jit.script(model.eval())), folder / "frozen.pt")
torch.save({"state_dict": state, "state_dict_ema": zeros}, folder / "average-beside-zero.pth")
