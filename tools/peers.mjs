// Makes the Python environment of the peers (Keras, PyTorch, ONNX Runtime …), as `pnpm bench setup` does.
process.argv.splice(2, Infinity, "setup");
await import("../apps/bench/bin/convkit-bench.js");
