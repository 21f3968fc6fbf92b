import { broadcast_util, util, type TensorInfo } from "@tensorflow/tfjs-core";

import { input, output, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

/** `[..., c] -> [..., c]`, `x` for positive x, else `alpha x`. Alpha broadcasts, for shared axes. */
export function prelu(inputs: Inputs, _attrs: Attrs, context: Context): TensorInfo {
  const [x, alpha] = [input(inputs, "x"), input(inputs, "alpha")];
  const shape = broadcast_util.assertAndGetBroadcastShape(x.shape, alpha.shape);
  const out = output(context, shape);
  const { backend } = context;
  const [to, from, slopes] = [out, x, alpha].map((tensor) => backend.typedArrayFromHeap(tensor)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [steps, slopeSteps] = [broadcastSteps(x.shape, shape), broadcastSteps(alpha.shape, shape)];
  const position = shape.map(() => 0);
  let [place, slope] = [0, 0];
  for (let i = 0; i < to.length; i++) {
    const value = from[place]!;
    to[i] = value < 0 ? value * slopes[slope]! : value;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += steps[axis]!;
      slope += slopeSteps[axis]!;
      position[axis]!++;
      if (position[axis]! < shape[axis]!) break;
      place -= steps[axis]! * shape[axis]!;
      slope -= slopeSteps[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
  return out;
}

/** Strides of a tensor that is broadcast to `shape`: 0 along repeated axes. */
function broadcastSteps(given: readonly number[], shape: readonly number[]): number[] {
  const padded = [...Array<number>(shape.length - given.length).fill(1), ...given];
  const strides = [...util.computeStrides(padded), 1];
  return padded.map((length, axis) => (length === 1 ? 0 : strides[axis]!));
}
