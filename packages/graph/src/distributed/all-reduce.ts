import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import { attr } from "../ir/attrs.ts";
import { outputOf } from "../ir/graph-node.ts";
import { firstOutput } from "../ir/builder.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { activeTrace } from "../trace/active-trace.ts";
import type { Trace } from "../trace/trace.ts";
import { DT, sizeOf, widthOf } from "../values/dtypes.ts";
import { activeWorker } from "./active-worker.ts";
import { OP_GRACE_S } from "./guard.ts";
import type { ActiveWorker } from "./active-worker.ts";

/** Bytes in one packet: few collective ops, of which the first start while later gradients are being computed. */
const PACKET_BYTES = 4 << 20;

/** The group of all workers, which TensorFlow knows by a number. */
const GROUP = 1;

/** How tensors are summed. */
export interface AllReduceOptions {
  /** Whether the tensor at a place is sent in float32 whatever `wire` says, such as a count; false by default. */
  readonly exact?: ((place: number) => boolean) | undefined;
}

/**
 * The sums of tensors over all workers of the cluster, inside a compiled function; the tensors themselves in a process that works alone.
 * All workers must call it with the same shapes, in functions that they run in the same order. The tensors are packed in their order
 * and sent as `distribute`'s `wire` says; int32 tensors are sent as they are. Throws GraphError outside of a compiled function.
 */
export function allReduce<T extends tf.Tensor>(
  tensors: readonly T[],
  { exact = () => false }: AllReduceOptions = {},
): T[] {
  const worker = activeWorker();
  if (worker === undefined || worker.members.length === 1) return tensors.map((tensor) => tf.clone(tensor));
  const trace = activeTrace();
  if (trace === undefined)
    throw new GraphError("allReduce: expected to be called inside a compiled function, got a call outside of any.");
  const [first] = tensors;
  if (first === undefined) return [];
  const wrong = tensors.find(({ dtype }) => dtype !== first.dtype || (dtype !== "float32" && dtype !== "int32"));
  if (wrong !== undefined)
    throw new GraphError(
      `allReduce: expected tensors of one type, float32 or int32, got ${first.dtype} and ${wrong.dtype}.`,
    );
  const isRounded = (place: number) => first.dtype === "float32" && worker.wire === "bfloat16" && !exact(place);
  const places = [...tensors.keys()];
  const made = [false, true].flatMap((rounded) => {
    const own = places.filter((place) => isRounded(place) === rounded);
    return packets(own.map((place) => ({ place, ref: trace.ref(tensors[place]!) }))).map((packet) => {
      const refs = packet.map(({ ref }) => ref);
      return { packet, refs, sum: reduceVector(trace, worker, packed(trace, refs), rounded) };
    });
  });
  // A run that fails on the sums would break off ops that other workers still need, so the sums wait for all ops.
  const ops = made.map(({ sum }) => sum.node);
  const sums = new Map<number, T>();
  for (const { packet, refs, sum } of made)
    for (const [index, ref] of unpacked(trace, refs, sum, ops).entries())
      sums.set(packet[index]!.place, trace.tensor(ref) as T);
  return places.map((place) => sums.get(place)!);
}

/** A tensor to send, and its place in the list. */
interface Sent {
  readonly place: number;
  readonly ref: Ref;
}

/** Cuts a list into packets of at most `PACKET_BYTES`; larger tensors are sent alone, since packing copies twice. */
function packets(all: readonly Sent[]): Sent[][] {
  const made: Sent[][] = [];
  let [open, bytes]: [Sent[], number] = [[], Infinity];
  for (const each of all) {
    const { dtype, shape } = outputOf(each.ref);
    const own = sizeOf(shape) * widthOf(dtype);
    if (own >= PACKET_BYTES) {
      made.push([each]);
      continue;
    }
    if (bytes + own > PACKET_BYTES) {
      made.push((open = []));
      bytes = 0;
    }
    open.push(each);
    bytes += own;
  }
  return made;
}

/** One vector of the tensors of a packet. */
function packed(trace: Trace, packet: readonly Ref[]): Ref {
  const T = attr.type(outputOf(packet[0]!).dtype);
  const flat = packet.map((ref) => reshaped(trace, ref, [-1]));
  if (flat.length === 1) return flat[0]!;
  const attrs = { T, N: attr.int(flat.length), Tidx: attr.type(DT.int32) };
  return firstOutput(trace.add("ConcatV2", attrs, [...flat, trace.constant(DT.int32, [], Int32Array.of(0))]));
}

/** The parts of a vector in the shapes of a packet's tensors. */
function unpacked(trace: Trace, packet: readonly Ref[], vector: Ref, after: readonly GraphNode[]): Ref[] {
  const shapes = packet.map((ref) => outputOf(ref).shape);
  if (shapes.length === 1) return [reshaped(trace, vector, shapes[0]!, after)];
  const T = attr.type(outputOf(vector).dtype);
  const sizes = Int32Array.from(shapes, (shape) => sizeOf(shape));
  const attrs = { T, Tlen: attr.type(DT.int32), num_split: attr.int(sizes.length) };
  const lengths = trace.constant(DT.int32, [sizes.length], sizes);
  const node = trace.add("SplitV", attrs, [vector, lengths, trace.constant(DT.int32, [], Int32Array.of(0))]);
  return shapes.map((shape, index) => reshaped(trace, { node, index }, shape, after));
}

function reshaped(trace: Trace, ref: Ref, shape: readonly number[], after: readonly GraphNode[] = []): Ref {
  const attrs = { T: attr.type(outputOf(ref).dtype), Tshape: attr.type(DT.int32) };
  const sides = trace.constant(DT.int32, [shape.length], Int32Array.from(shape));
  return firstOutput(trace.add("Reshape", attrs, [ref, sides], after));
}

/** TensorFlow's collective sum of one vector. */
function reduceVector(trace: Trace, { members, timeout }: ActiveWorker, vector: Ref, isRounded: boolean): Ref {
  const { dtype, shape } = outputOf(vector);
  const type = isRounded ? DT.bfloat16 : dtype;
  const cast = (ref: Ref, from: number, to: number): Ref =>
    from === to ? ref : firstOutput(trace.add("Cast", { SrcT: attr.type(from), DstT: attr.type(to) }, [ref]));
  const int = (value: number) => trace.constant(DT.int32, [], Int32Array.of(value));
  const node = trace.add(
    "CollectiveReduceV2",
    {
      T: attr.type(type),
      merge_op: attr.string("Add"),
      final_op: attr.string("Id"),
      communication_hint: attr.string("auto"),
      timeout_seconds: attr.float(timeout + OP_GRACE_S),
      is_stateless: attr.bool(false),
      Nordering_token: attr.int(0),
      max_subdivs_per_device: attr.int(-1),
    },
    [cast(vector, dtype, type), int(members.length), int(GROUP), int(instanceKey(trace, shape[0]!, type))],
  );
  return cast(firstOutput(node), type, dtype);
}

const ordinals = new WeakMap<Trace, Map<string, number>>();

/**
 * The number by which TensorFlow matches a collective op with those of the other workers. One number stands for one size, and no two ops of a
 * graph have the same; the workers get the same numbers since they trace the same function.
 */
function instanceKey(trace: Trace, size: number, type: number): number {
  const known = ordinals.get(trace) ?? new Map<string, number>();
  ordinals.set(trace, known);
  const key = `${type}[${size}]`;
  const ordinal = known.get(key) ?? 0;
  known.set(key, ordinal + 1);
  // FNV-1a, without the sign.
  const hash = [...`${key}/${ordinal}`].reduce(
    (sum, char) => Math.imul(sum ^ char.charCodeAt(0), 16_777_619),
    2_166_136_261,
  );
  return hash & 0x7f_ff_ff_ff;
}
