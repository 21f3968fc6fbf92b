import { OptionError } from "@convkit/errors";
import { front, numbers } from "../../recording/attributes.ts";
import { all, firstTensor, only, rankOf } from "../../recording/kernel-inputs.ts";
import { isMultiple } from "../../recording/record.ts";
import type { Dim } from "../../recording/record.ts";
import type { dataTypes } from "./graph.ts";
import { cast, like } from "./kernel-writer.ts";
import type { KernelWriting, WriteKernel } from "./kernel-writer.ts";

const end = 2 ** 31 - 1;

function stridedSlice(writing: KernelWriting): string {
  const { graph, prefix, call } = writing;
  const {
    begin,
    end: stop,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  } = call.attrs as Record<string, unknown>;
  if (ellipsisMask !== 0 || newAxisMask !== 0)
    throw new OptionError("expected a slice without an ellipsis or new axes");
  const has = (mask: unknown, axis: number): boolean => (Number(mask) & (1 << axis)) !== 0;
  const axes = numbers(strides).map((_, axis) => axis);
  const steps = axes.map((axis) => (has(shrinkAxisMask, axis) ? 1 : numbers(strides)[axis]!));
  const bound = (value: unknown): number => {
    if (typeof value !== "number")
      throw new OptionError("expected the bounds of a slice that do not grow with the batch");
    return value;
  };
  const from = axes.map((axis) =>
    has(beginMask, axis) ? (steps[axis]! > 0 ? 0 : end) : bound((begin as unknown[])[axis]),
  );
  const to = axes.map((axis) => {
    if (has(shrinkAxisMask, axis)) return from[axis] === -1 ? end : from[axis]! + 1;
    // An end that grows with the batch is the end of the axis.
    const isWhole = sameMultiple((stop as Dim[])[axis], firstTensor(writing).shape[axis]);
    return has(endMask, axis) || isWhole ? (steps[axis]! > 0 ? end : -end) : bound((stop as unknown[])[axis]);
  });
  const y = graph.node(prefix, "Slice", [only(writing), ...[from, to, axes, steps].map((list) => graph.ints(list))]);
  const gone = axes.filter((axis) => has(shrinkAxisMask, axis));
  return gone.length === 0 ? y : graph.node(prefix, "Squeeze", [y, graph.ints(gone)]);
}

const sameMultiple = (a: Dim | undefined, b: Dim | undefined): boolean =>
  isMultiple(a) && isMultiple(b) && a.times === b.times;

function slice(writing: KernelWriting): string {
  const { graph, prefix, call } = writing;
  const [begin, size] = [call.attrs["begin"], call.attrs["size"]].map((value) => [value].flat() as Dim[]) as [
    Dim[],
    Dim[],
  ];
  const { shape } = firstTensor(writing);
  // A part that grows with the batch is the whole axis.
  const cut = shape.flatMap((whole, axis) => {
    const [start, length] = [begin[axis] ?? 0, size[axis] ?? -1];
    if (isMultiple(whole)) {
      const isWhole = start === 0 && (length === -1 || (isMultiple(length) && length.times === whole.times));
      if (isWhole) return [];
      if (typeof start !== "number" || typeof length !== "number")
        throw new OptionError("expected a slice that does not grow with the batch");
      return [{ axis, start, stop: length === -1 ? end : start + length }];
    }
    const from = start as number;
    return from === 0 && (length === -1 || length === whole)
      ? []
      : [{ axis, start: from, stop: length === -1 ? end : from + (length as number) }];
  });
  if (cut.length === 0) return only(writing);
  const lists = [cut.map(({ start }) => start), cut.map(({ stop }) => stop), cut.map(({ axis }) => axis)];
  return graph.node(prefix, "Slice", [only(writing), ...lists.map((list) => graph.ints(list))]);
}

/** The writers of kernels that move, choose, repeat or pad elements. */
export const shapeKernels: Readonly<Record<string, WriteKernel>> = {
  Reshape: (writing) => {
    const { shape } = writing.call.outputs[0]!;
    // ONNX infers one size.
    const isPlain = shape.filter(isMultiple).length === 1;
    const sizes = isPlain ? writing.graph.ints(shape.map((dim) => (isMultiple(dim) ? -1 : dim))) : writing.sizes(shape);
    return writing.graph.node(writing.prefix, "Reshape", [only(writing), sizes]);
  },
  ExpandDims: (writing) => {
    const axis = front(writing.call.attrs["dim"], rankOf(writing) + 1);
    return writing.graph.node(writing.prefix, "Unsqueeze", [only(writing), writing.graph.ints([axis])]);
  },
  Transpose: (writing) =>
    writing.graph.node(writing.prefix, "Transpose", [only(writing)], { perm: numbers(writing.call.attrs["perm"]) }),
  Concat: (writing) =>
    writing.graph.node(writing.prefix, "Concat", all(writing), {
      axis: front(writing.call.attrs["axis"], rankOf(writing)),
    }),
  Pack: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = front(call.attrs["axis"] ?? 0, rankOf(writing) + 1);
    const parts = all(writing).map((x) => graph.node(prefix, "Unsqueeze", [x, graph.ints([axis])]));
    return graph.node(prefix, "Concat", parts, { axis });
  },
  Unpack: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = front(call.attrs["axis"] ?? 0, rankOf(writing));
    const parts = graph.nodes(prefix, "Split", [only(writing)], call.outputs.length, { axis });
    return parts.map((part) => graph.node(prefix, "Squeeze", [part, graph.ints([axis])]));
  },
  SplitV: (writing) => {
    const { graph, prefix, call } = writing;
    const axis = front(call.attrs["axis"], rankOf(writing));
    const sizes = call.outputs.map(({ shape }) => shape[axis]!);
    return graph.nodes(prefix, "Split", [only(writing), writing.sizes(sizes)], sizes.length, { axis });
  },
  Slice: slice,
  StridedSlice: stridedSlice,
  Tile: (writing) =>
    writing.graph.node(writing.prefix, "Tile", [only(writing), writing.sizes(writing.call.attrs["reps"] as Dim[])]),
  BroadcastTo: (writing) =>
    writing.graph.node(writing.prefix, "Expand", [only(writing), writing.sizes(writing.call.outputs[0]!.shape)]),
  Reverse: (writing) => {
    const axes = numbers(writing.call.attrs["dims"]).map((axis) => front(axis, rankOf(writing)));
    if (axes.length === 0) return only(writing);
    const lists = [axes.map(() => -1), axes.map(() => -end), axes, axes.map(() => -1)];
    return writing.graph.node(writing.prefix, "Slice", [
      only(writing),
      ...lists.map((list) => writing.graph.ints(list)),
    ]);
  },
  GatherV2: ({ graph, prefix, call, input }) =>
    graph.node(prefix, "Gather", [input("x"), input("indices")], {
      axis: front(call.attrs["axis"] ?? 0, call.inputs["x"]!.shape.length),
    }),
  OneHot: (writing) => {
    const { graph, prefix, call } = writing;
    const { depth, onValue, offValue, dtype } = call.attrs as Record<string, number>;
    const values = graph.floats(prefix, [offValue ?? 0, onValue ?? 1], [2]);
    const indices = cast(writing, only(writing), "int64");
    const hot = graph.node(prefix, "OneHot", [indices, graph.ints([depth!]), values], { axis: -1 });
    const type = (dtype ?? "int32") as unknown as keyof typeof dataTypes;
    return type === "float32" ? hot : cast(writing, hot, type);
  },
  TopK: (writing) => {
    const { graph, prefix, call } = writing;
    const { k } = call.attrs;
    if (typeof k !== "number")
      throw new OptionError("expected a number of largest elements that does not grow with the batch");
    const [values, places] = graph.nodes(prefix, "TopK", [only(writing), graph.ints([k])], 2, { axis: -1 });
    return [values!, cast(writing, places!, "int32")];
  },
  PadV2: (writing) => {
    const pads = writing.call.attrs["paddings"] as readonly (readonly [number, number])[];
    const both = graphPads(pads);
    const value = like(writing, firstTensor(writing), Number(writing.call.attrs["constantValue"]));
    return writing.graph.node(writing.prefix, "Pad", [only(writing), writing.graph.ints(both), value]);
  },
  MirrorPad: (writing) => {
    if (writing.call.attrs["mode"] !== "reflect") throw new OptionError("expected a padding by reflection");
    const both = graphPads(writing.call.attrs["paddings"] as readonly (readonly [number, number])[]);
    return writing.graph.node(writing.prefix, "Pad", [only(writing), writing.graph.ints(both)], { mode: "reflect" });
  },
};

const graphPads = (pads: readonly (readonly [number, number])[]): number[] => [
  ...pads.map(([before]) => before),
  ...pads.map(([, after]) => after),
];
