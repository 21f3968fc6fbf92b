import { attr } from "../ir/attrs.ts";
import { firstOutput, makeNode, placeholderNode, constNode } from "../ir/builder.ts";
import { makeNative, takeHost } from "../native/tensor.ts";
import { tensorflow } from "../native/c-api.ts";
import { DT } from "../values/dtypes.ts";
import { openSession } from "./open.ts";

let known: boolean | undefined;

/** True if this TensorFlow's fused ReLU turns NaN into 0, as oneDNN's does; tested once per process. */
export function losesNan(): boolean {
  known ??= probe();
  return known;
}

/** Runs relu(NaN * 1 + 1), which TensorFlow fuses. It would remove a bias of zeros. */
function probe(): boolean {
  const T = attr.type(DT.float32);
  const output = { dtype: DT.float32, shape: [4, 4] };
  const x = placeholderNode("x", DT.float32, [4, 4]);
  const ones = constNode("ones", DT.float32, [4, 4], new Float32Array(16).fill(1));
  const bias = constNode("bias", DT.float32, [4], new Float32Array(4).fill(1));
  const inputs = [x, ones].map(firstOutput);
  const product = makeNode("product", "MatMul", { inputs, attrs: { T }, outputs: [output] });
  const sum = makeNode("sum", "BiasAdd", {
    inputs: [product, bias].map(firstOutput),
    attrs: { T },
    outputs: [output],
  });
  const relu = makeNode("relu", "Relu", { inputs: [firstOutput(sum)], attrs: { T }, outputs: [output] });
  const result = makeNode("result", "Identity", { inputs: [firstOutput(relu)], attrs: { T }, outputs: [output] });
  const session = openSession({ isPlain: true });
  try {
    session.import([x, ones, bias, product, sum, relu, result]);
    const plan = session.plan([{ name: "x", index: 0 }], [{ name: "result", index: 0 }], []);
    const feed = makeNative(DT.float32, [4, 4], new Float32Array(16).fill(Number.NaN));
    const [fetched] = session.runSync(plan, [feed]).map(takeHost);
    tensorflow().TF_DeleteTensor(feed);
    return !Number.isNaN(fetched?.data[0]);
  } finally {
    session.close();
  }
}
