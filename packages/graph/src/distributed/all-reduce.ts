import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import { attr } from "../ir/attrs.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { Ref } from "../ir/graph-node.ts";
import { activeTrace } from "../trace/active-trace.ts";
import type { Trace } from "../trace/trace.ts";
import { DT, sizeOf, widthOf } from "../values/dtypes.ts";
import { activeWorker } from "./active-worker.ts";
import type { ActiveWorker } from "./active-worker.ts";

/** Bytes in one packet: few collective ops, of which the first start while later gradients are being computed. */
const PACKET_BYTES = 4 << 20;

/** The group of all workers, which TensorFlow knows by a number. */
const GROUP = 1;

/**
 * The sums of tensors over all workers of the cluster, inside a compiled function; the tensors themselves in a process that works alone.
 * All workers must call it with the same shapes, in functions that they run in the same order. The tensors are packed in their order
 * and sent as `distribute`'s `wire` says. Throws GraphError outside of a compiled function.
 */
export function allReduce<T extends tf.Tensor>(tensors: readonly T[]): T[] {
  const worker = activeWorker();
  if (worker === undefined || worker.members.length === 1) return tensors.map((tensor) => tf.clone(tensor));
  const trace = activeTrace();
  if (trace === undefined)
    throw new GraphError("allReduce: expected to be called inside a compiled function, got a call outside of any.");
  const wrong = tensors.find(({ dtype }) => dtype !== "float32");
  if (wrong !== undefined) throw new GraphError(`allReduce: expected float32 tensors, got ${wrong.dtype}.`);
  return packets(tensors.map((tensor) => trace.ref(tensor)))
    .flatMap((packet) => reducePacket(trace, worker, packet))
    .map((ref) => trace.tensor(ref) as T);
}

/** Cuts a list into packets of about `PACKET_BYTES`. */
function packets(refs: readonly Ref[]): Ref[][] {
  const made: Ref[][] = [];
  let bytes = Infinity;
  for (const ref of refs) {
    const { dtype, shape } = outputOf(ref);
    const own = sizeOf(shape) * widthOf(dtype);
    if (bytes + own > PACKET_BYTES) {
      made.push([]);
      bytes = 0;
    }
    made.at(-1)!.push(ref);
    bytes += own;
  }
  return made;
}

/** Sums the tensors of one packet as one vector. */
function reducePacket(trace: Trace, worker: ActiveWorker, packet: readonly Ref[]): Ref[] {
  const T = attr.type(DT.float32);
  const add = (op: string, attrs: Parameters<Trace["add"]>[1], inputs: readonly Ref[], index = 0): Ref => ({
    node: trace.add(op, attrs, inputs),
    index,
  });
  const ints = (values: readonly number[]) => trace.constant(DT.int32, [values.length], Int32Array.from(values));
  const int = (value: number) => trace.constant(DT.int32, [], Int32Array.of(value));
  const shapes = packet.map((ref) => outputOf(ref).shape);
  const sizes = shapes.map((shape) => sizeOf(shape));
  const flat = packet.map((ref) => add("Reshape", { T, Tshape: attr.type(DT.int32) }, [ref, ints([-1])]));
  const vector =
    flat.length === 1
      ? flat[0]!
      : add("ConcatV2", { T, N: attr.int(flat.length), Tidx: attr.type(DT.int32) }, [...flat, int(0)]);
  const sum = reduceVector(trace, worker, vector);
  const parts = flat.length === 1 ? [sum] : splitVector(trace, sum, sizes);
  return parts.map((part, place) => add("Reshape", { T, Tshape: attr.type(DT.int32) }, [part, ints(shapes[place]!)]));
}

function splitVector(trace: Trace, vector: Ref, sizes: readonly number[]): Ref[] {
  const attrs = { T: attr.type(DT.float32), Tlen: attr.type(DT.int32), num_split: attr.int(sizes.length) };
  const lengths = trace.constant(DT.int32, [sizes.length], Int32Array.from(sizes));
  const axis = trace.constant(DT.int32, [], Int32Array.of(0));
  const node = trace.add("SplitV", attrs, [vector, lengths, axis]);
  return sizes.map((_, index) => ({ node, index }));
}

/** TensorFlow's collective sum of one vector. */
function reduceVector(trace: Trace, { members, timeout, wire }: ActiveWorker, vector: Ref): Ref {
  const [size] = outputOf(vector).shape;
  const type = wire === "bfloat16" ? DT.bfloat16 : DT.float32;
  const cast = (ref: Ref, from: number, to: number): Ref =>
    from === to ? ref : { node: trace.add("Cast", { SrcT: attr.type(from), DstT: attr.type(to) }, [ref]), index: 0 };
  const int = (value: number) => trace.constant(DT.int32, [], Int32Array.of(value));
  const node = trace.add(
    "CollectiveReduceV2",
    {
      T: attr.type(type),
      merge_op: attr.string("Add"),
      final_op: attr.string("Id"),
      communication_hint: attr.string("auto"),
      timeout_seconds: attr.float(timeout),
      is_stateless: attr.bool(false),
      Nordering_token: attr.int(0),
      max_subdivs_per_device: attr.int(-1),
    },
    [cast(vector, DT.float32, type), int(members.length), int(GROUP), int(instanceKey(trace, size!, type))],
  );
  return cast({ node, index: 0 }, type, DT.float32);
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
