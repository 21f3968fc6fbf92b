import type { Builder } from "../builder.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";

export type Pair = [number, number];

/** A convolution's constants, from a node or from the quantized tensors that stand for them. */
export interface Kernel {
  readonly weight: Constant;
  readonly bias: Constant | undefined;
}

/**
 * The kernel of a node, and the nodes after it that are part of it: a factor and a sum for each channel, as they are left
 * of batch normalization.
 */
export function kernelOf(builder: Builder, node: OnnxNode): Kernel & { readonly joined: readonly OnnxNode[] } {
  let [weight, bias] = [builder.constant(node, 1), builder.optionalConstant(node, 2)];
  const isPlain = node.op === "Conv";
  const channels = isPlain ? weight.shape[0]! : weight.shape[1]! * builder.number(node, "group", 1);
  const joined: OnnxNode[] = [];
  for (let last = node; ;) {
    const user = builder.onlyUser(last.outputs[0] ?? "");
    const other =
      user === undefined ? undefined : channelConstant(builder, user, last.outputs[0]!, channels, weight.shape.length);
    if (user === undefined || other === undefined) break;
    if (user.op === "Add") bias = bias === undefined ? other : zipped(bias, other, (a, b) => a + b);
    else if (user.op === "Mul" && isPlain) {
      weight = scaled(weight, other);
      bias = bias === undefined ? undefined : zipped(bias, other, (a, b) => a * b);
    } else break;
    joined.push(user);
    last = user;
  }
  return { weight, bias, joined };
}

/** The constant operand of a node, if it has one number for each channel of the other operand. */
export function channelConstant(
  builder: Builder,
  { domain, inputs }: OnnxNode,
  output: string,
  channels: number,
  rank: number,
): Constant | undefined {
  if (domain !== "" || inputs.length !== 2) return undefined;
  const name = inputs[0] === output ? inputs[1]! : inputs[0]!;
  const other = builder.values.get(name) ?? builder.onnx.constants.get(name);
  if (other?.kind !== "constant" || other.type !== "float" || other.shape.length > rank) return undefined;
  const full = [...Array.from({ length: rank - other.shape.length }, () => 1), ...other.shape];
  return full.every((size, axis) => size === (axis === 1 ? channels : 1)) ? other : undefined;
}

function zipped(a: Constant, b: Constant, run: (a: number, b: number) => number): Constant {
  const others = b.read();
  const values = Float32Array.from(a.read(), (value, index) => run(value, others[index]!));
  return constantOf(a.shape, "float", values, `${a.name} ${b.name}`);
}

/** A kernel times a factor for each filter. */
function scaled(weight: Constant, factors: Constant): Constant {
  const read = (): Float32Array => {
    const [values, all] = [weight.read(), factors.read()];
    const part = values.length / all.length;
    return Float32Array.from(values, (value, index) => value * all[Math.floor(index / part)]!);
  };
  return { ...weight, name: `${weight.name} ${factors.name}`, read };
}

export function checkKernelShape(builder: Builder, node: OnnxNode, kernel: readonly number[]): void {
  const stated = builder.ints(node, "kernel_shape");
  if (stated !== undefined && String(stated) !== String(kernel))
    builder.refuse(node, `states a kernel of [${stated.join(", ")}], its weight has [${kernel.join(", ")}]`);
}
