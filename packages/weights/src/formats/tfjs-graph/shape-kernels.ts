import { OptionError } from "@convkit/errors";
import { front, numbers } from "../../recording/attributes.ts";
import { all, firstTensor, only, rankOf } from "../../recording/kernel-inputs.ts";
import { isMultiple } from "../../recording/record.ts";
import type { Dim } from "../../recording/record.ts";
import { attr } from "./graph.ts";
import { typed } from "./kernel-writer.ts";
import type { GraphWriting, WriteKernel } from "./kernel-writer.ts";

/** The writers of kernels that move, choose, repeat or pad elements. */
export const shapeWriters: Readonly<Record<string, WriteKernel>> = {
  Reshape: (writing) => {
    const { shape } = writing.call.outputs[0]!;
    // TensorFlow infers one size.
    const isPlain = shape.filter(isMultiple).length === 1;
    const sizes = isPlain ? writing.graph.ints(shape.map((dim) => (isMultiple(dim) ? -1 : dim))) : writing.sizes(shape);
    return writing.graph.node("Reshape", [only(writing), sizes], typed(writing));
  },
  ExpandDims: (writing) =>
    writing.graph.node(
      "ExpandDims",
      [only(writing), writing.graph.ints(front(writing.call.attrs["dim"], rankOf(writing) + 1))],
      typed(writing),
    ),
  Transpose: (writing) =>
    writing.graph.node(
      "Transpose",
      [only(writing), writing.graph.ints(numbers(writing.call.attrs["perm"]))],
      typed(writing),
    ),
  Concat: (writing) => {
    const axis = writing.graph.ints(front(writing.call.attrs["axis"], rankOf(writing)));
    return writing.graph.node("ConcatV2", [...all(writing), axis], {
      ...typed(writing),
      N: attr.int(all(writing).length),
    });
  },
  Pack: (writing) =>
    writing.graph.node("Pack", all(writing), {
      ...typed(writing),
      N: attr.int(all(writing).length),
      axis: attr.int(front(writing.call.attrs["axis"] ?? 0, rankOf(writing) + 1)),
    }),
  Unpack: (writing) => {
    const node = writing.graph.node("Unpack", [only(writing)], {
      ...typed(writing),
      num: attr.int(writing.call.outputs.length),
      axis: attr.int(front(writing.call.attrs["axis"] ?? 0, rankOf(writing))),
    });
    return several(node, writing.call.outputs.length);
  },
  SplitV: (writing) => {
    const axis = front(writing.call.attrs["axis"], rankOf(writing));
    const parts = writing.call.outputs.map(({ shape }) => shape[axis]!);
    const inputs = [only(writing), writing.sizes(parts), writing.graph.ints(axis)];
    return several(
      writing.graph.node("SplitV", inputs, { ...typed(writing), num_split: attr.int(parts.length) }),
      parts.length,
    );
  },
  Slice: (writing) => {
    const [begin, size] = ["begin", "size"].map((key) => [writing.call.attrs[key]].flat() as Dim[]) as [Dim[], Dim[]];
    const { shape } = firstTensor(writing);
    const starts = shape.map((_, axis) => begin[axis] ?? 0);
    // A part that grows with the batch is the rest of the axis.
    const lengths = shape.map((whole, axis) =>
      isMultiple(whole) && starts[axis] === 0 && isMultiple(size[axis]) ? -1 : (size[axis] ?? -1),
    );
    return writing.graph.node("Slice", [only(writing), writing.sizes(starts), writing.sizes(lengths)], typed(writing));
  },
  StridedSlice: (writing) => {
    const { begin, end, strides, ...masks } = writing.call.attrs;
    const lists = [begin, end, strides].map((list) => writing.sizes(list as Dim[]));
    return writing.graph.node("StridedSlice", [only(writing), ...lists], {
      ...typed(writing),
      begin_mask: attr.int(Number(masks["beginMask"] ?? 0)),
      end_mask: attr.int(Number(masks["endMask"] ?? 0)),
      ellipsis_mask: attr.int(Number(masks["ellipsisMask"] ?? 0)),
      new_axis_mask: attr.int(Number(masks["newAxisMask"] ?? 0)),
      shrink_axis_mask: attr.int(Number(masks["shrinkAxisMask"] ?? 0)),
    });
  },
  Tile: (writing) =>
    writing.graph.node("Tile", [only(writing), writing.sizes(writing.call.attrs["reps"] as Dim[])], typed(writing)),
  BroadcastTo: (writing) =>
    writing.graph.node("BroadcastTo", [only(writing), writing.sizes(writing.call.outputs[0]!.shape)], typed(writing)),
  Reverse: (writing) => {
    const axes = numbers(writing.call.attrs["dims"]).map((axis) => front(axis, rankOf(writing)));
    return writing.graph.node("ReverseV2", [only(writing), writing.graph.ints(axes)], typed(writing));
  },
  GatherV2: ({ graph, call, input }) => {
    const axis = graph.ints(front(call.attrs["axis"] ?? 0, call.inputs["x"]!.shape.length));
    return graph.node("GatherV2", [input("x"), input("indices"), axis], { batch_dims: attr.int(0) });
  },
  OneHot: (writing) => {
    const { depth, onValue, offValue, dtype } = writing.call.attrs as Record<string, number>;
    const type = (dtype ?? "int32") as unknown as "float32";
    const values = [onValue ?? 1, offValue ?? 0].map((value) => writing.graph.number(value, type));
    return writing.graph.node("OneHot", [only(writing), writing.graph.ints(depth!), ...values], {
      T: attr.type(type),
      axis: attr.int(-1),
    });
  },
  TopK: (writing) => {
    const { k, sorted } = writing.call.attrs;
    if (typeof k !== "number")
      throw new OptionError("expected a number of largest elements that does not grow with the batch");
    const node = writing.graph.node("TopKV2", [only(writing), writing.graph.ints(k)], {
      ...typed(writing),
      sorted: attr.bool(sorted !== false),
    });
    return several(node, 2);
  },
  PadV2: (writing) => {
    const dtype = firstTensor(writing).dtype as "float32";
    const value = writing.graph.number(Number(writing.call.attrs["constantValue"]), dtype);
    return writing.graph.node("PadV2", [only(writing), paddings(writing), value], typed(writing));
  },
  MirrorPad: (writing) =>
    writing.graph.node("MirrorPad", [only(writing), paddings(writing)], {
      ...typed(writing),
      mode: attr.string(String(writing.call.attrs["mode"]).toUpperCase()),
    }),
  DepthToSpace: (writing) =>
    writing.graph.node("DepthToSpace", [only(writing)], {
      ...typed(writing),
      block_size: attr.int(Number(writing.call.attrs["blockSize"])),
      data_format: attr.string("NHWC"),
    }),
};

const several = (node: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? node : `${node}:${index}`));

function paddings({ graph, call }: GraphWriting): string {
  const pads = call.attrs["paddings"] as readonly (readonly [number, number])[];
  const read = (): Int32Array => Int32Array.from(pads.flat());
  return graph.constant({ name: "paddings", shape: [pads.length, 2], dtype: "int32", read });
}
