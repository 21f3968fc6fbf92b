import * as tfl from "@tensorflow/tfjs-layers";
import type { ByteSource } from "../../../bytes/byte-source.ts";
import { Identity } from "../../../layers/base-layers.ts";
import { registerImportLayers } from "../../../layers/register.ts";
import { assign } from "../../../model/assign.ts";
import { metadataFromText, metadataKey, tellMetadata } from "../../../model/metadata-json.ts";
import { WeightsError } from "../../../weights-error.ts";
import { safeName } from "../../keras/layer-paths.ts";
import { castNote } from "../../keras/policy.ts";
import { arranged, channelsLast, orderOf, plain, range } from "./arrange.ts";
import { Builder } from "./builder.ts";
import { runSize } from "./value.ts";
import type { Value } from "./value.ts";
import { readOnnx } from "./file.ts";
import { Folds, UnreadError } from "./folds.ts";
import type { OnnxFile, OnnxValue } from "./file.ts";
import type { OnnxNode } from "./node.ts";
import { inputOrder, isTimeFirst } from "./input-order.ts";
import { ofSizes } from "./ops/sizes.ts";
import { newAxis, sameAxis } from "./signal.ts";
import type { Axis, Signal } from "./signal.ts";
import { userReads } from "./user-ops.ts";
import type { UserOps } from "./user-ops.ts";
import type { Read } from "./ops/read.ts";
import { isKnownSize, unknownSize } from "./sizes.ts";
import { knownDomains, onnxReads } from "./table.ts";
import { elementKind } from "./tensor-proto.ts";

/**
 * Makes a trainable model of an ONNX file. Images and maps have their channels last, at the inputs and outputs, too.
 * Operators that are not known may be the user's: `ops`. Throws `WeightsError` naming every operator that is neither, or
 * the node that cannot be read.
 */
export async function loadOnnx(
  source: ByteSource,
  ops: UserOps = {},
  onNote?: (note: string) => void,
): Promise<tfl.LayersModel> {
  registerImportLayers();
  const onnx = neededPart(readOnnx(source));
  const folds = new Folds();
  let builder = new Builder(onnx, folds);
  try {
    const users = userReads(ops);
    checkOperators(onnx, users);
    let inputs = readGraph(builder, onnx, users);
    while (inputs === undefined) {
      builder.dispose();
      await folds.read();
      folds.begin();
      builder = new Builder(onnx, folds);
      inputs = readGraph(builder, onnx, users);
    }
    const outputs = pickOutputs(builder, onnx, inputs);
    const model = tfl.model({
      inputs: inputs.length === 1 ? inputs[0]!.signal.tensor : inputs.map(({ signal }) => signal.tensor),
      outputs: outputs.length === 1 ? outputs[0]! : outputs,
      ...(onnx.name === "" ? {} : { name: safeName(onnx.name) }),
    });
    const own = new Set(model.weights);
    await assign(
      onnx.file,
      builder.assignments.filter(({ variable }) => own.has(variable)),
    );
    const casts = onnx.nodes.filter(({ op, attributes }) => op === "Cast" && narrowTypes.has(attributes["to"])).length;
    if (casts > 0) onNote?.(castNote(onnx.file, casts));
    tellMetadata(
      onnx.file,
      model,
      metadataFromText(onnx.file, `metadata_props ${metadataKey}`, onnx.metadata[metadataKey]),
    );
    return model;
  } catch (error) {
    builder.dispose();
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(onnx.file, "the graph", `cannot be made into a model: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    onnx.close();
  }
}

/** ONNX' numbers of float16 and bfloat16. */
const narrowTypes: ReadonlySet<unknown> = new Set([10, 16]);

/** The file without the nodes that no output needs, in an order in which each node follows its inputs. */
function neededPart(onnx: OnnxFile): OnnxFile {
  const makers = new Map<string, OnnxNode>();
  const fail = (place: string, problem: string): never => {
    onnx.close();
    throw new WeightsError(onnx.file, place, problem);
  };
  const given = new Set([...onnx.constants.keys(), ...onnx.inputs.map(({ name }) => name)]);
  if (onnx.outputs.length === 0) fail("the graph", "expected an output");
  for (const node of onnx.nodes)
    for (const name of node.outputs) {
      if (name === "") continue;
      if (makers.has(name) || given.has(name))
        fail(node.place, `makes "${name}", which another node or input makes, too`);
      makers.set(name, node);
    }
  const nodes: OnnxNode[] = [];
  const state = new Map<OnnxNode, "open" | "done">();
  for (const { name } of onnx.outputs) {
    const stack = makers.has(name) ? [makers.get(name)!] : [];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === "done") {
        stack.pop();
        continue;
      }
      const waits = node.inputs.flatMap((input) => {
        const maker = makers.get(input);
        return maker === undefined || state.get(maker) === "done" ? [] : [maker];
      });
      if (waits.length === 0) {
        state.set(node, "done");
        nodes.push(node);
        stack.pop();
        continue;
      }
      const circle = waits.find((maker) => state.get(maker) === "open");
      if (circle !== undefined) fail(node.place, `depends on itself, by way of ${circle.place}`);
      state.set(node, "open");
      stack.push(waits[0]!);
    }
  }
  return { ...onnx, nodes };
}

function isKnown({ op, domain }: OnnxNode): boolean {
  return knownDomains.has(domain) && onnxReads.has(op);
}

const loops: ReadonlySet<string> = new Set(["Loop", "Scan", "SequenceMap"]);

function checkOperators(onnx: OnnxFile, users: ReadonlyMap<string, Read>): void {
  const unknown = onnx.nodes.filter((node) => !isKnown(node) && !users.has(node.op));
  const [first] = unknown;
  if (first === undefined) return;
  const loop = unknown.find(({ op }) => loops.has(op));
  if (loop !== undefined)
    throw new WeightsError(
      onnx.file,
      loop.place,
      "runs a part of the graph as often as only the run knows, which is not known: export the model with its loops unrolled",
    );
  const title = ({ op, domain }: OnnxNode): string => (domain === "" ? op : `${domain}.${op}`);
  const others = new Set(unknown.map(title));
  others.delete(title(first));
  const rest = others.size === 0 ? "" : `, nor are these: ${[...others].slice(0, 20).join(", ")}`;
  throw new WeightsError(
    onnx.file,
    first.place,
    `the operator ${title(first)} is not known${rest}; give it as a layer class, loadModel(file, { layers: [${first.op}] })`,
  );
}

interface PlacedInput {
  readonly signal: Signal;
  readonly isTurned: boolean;
}

function placeInputs(builder: Builder, onnx: OnnxFile): PlacedInput[] {
  const batch: Axis = [{ size: unknownSize("batch") }];
  if (onnx.inputs.length === 0) throw new WeightsError(onnx.file, "the graph", "expected an input");
  const first = onnx.inputs[0]!;
  const stated = first.shape?.[first.shape.length === 0 ? 0 : inputOrder(onnx, first)[0]!];
  builder.statedBatch = typeof stated === "number" ? stated : undefined;
  return onnx.inputs.map((input) => {
    const { order, axes, type } = inputAxes(onnx, input, batch);
    const physical = order.map((axis) => axes[axis]!);
    const sizes = physical.map((axis) => (axis.length === 0 ? 1 : runSize(axis[0]!.size)));
    const name = builder.reserve(input.name);
    const tensor = tfl.input({ batchShape: sizes, name, dtype: type === "int" ? "int32" : "float32" });
    const signal: Signal = {
      kind: "signal",
      tensor,
      axes,
      physical,
      type: type === "int" ? "int" : "float",
      isRaw: true,
    };
    builder.batch ??= { axis: batch, signal };
    builder.values.set(input.name, signal);
    return { signal, isTurned: order.some((axis, place) => axis !== place) };
  });
}

function inputAxes(
  onnx: OnnxFile,
  input: OnnxValue,
  batch: Axis,
): { order: number[]; axes: Axis[]; type: "int" | "float" } {
  const { name, shape } = input;
  const place = `input "${name}"`;
  const kind = elementKind(input.type);
  if (kind === undefined)
    throw new WeightsError(onnx.file, place, `has elements of type ${input.type}, which is not known`);
  if (shape === undefined)
    throw new WeightsError(
      onnx.file,
      place,
      "states no shape, so its number of axes is unknown: export the file with the shape of its input, such as [N, 3, 224, 224]",
    );
  if (shape.length === 0 || shape.length > 6)
    throw new WeightsError(onnx.file, place, `expected a shape of 1 to 6 axes, got ${shape.length}`);
  const odd = shape.find((size) => typeof size === "number" && !(size >= 1 && size <= 2 ** 31 - 1));
  if (odd !== undefined) throw new WeightsError(onnx.file, place, `expected sizes above 0, got ${String(odd)}`);
  const order = inputOrder(onnx, input);
  const axes = shape.map((size, axis): Axis =>
    axis === order[0] ? batch : newAxis(typeof size === "number" ? size : unknownSize(size ?? `${name}.${axis}`)),
  );
  // Only 32 and 64 bits are indices; images of 8 bits are numbers like others.
  const isIndex = input.type === 6 || input.type === 7;
  return { order, axes, type: isIndex ? "int" : "float" };
}

/** Reads the whole graph and gives its inputs; undefined if results must be read from the GPU before. */
function readGraph(builder: Builder, onnx: OnnxFile, users: ReadonlyMap<string, Read>): PlacedInput[] | undefined {
  const inputs = placeInputs(builder, onnx);
  for (const [name, constant] of onnx.constants) builder.values.set(name, constant);
  builder.run = (nodes) => {
    run(builder, nodes, users);
    // The node that holds a branch waits for what the branch waits for.
    if (builder.unread.size > 0) throw new UnreadError("A branch has results that are not read yet");
  };
  run(builder, onnx.nodes, users);
  return builder.unread.size > 0 ? undefined : inputs;
}

function run(builder: Builder, nodes: readonly OnnxNode[], users: ReadonlyMap<string, Read>): void {
  for (const node of nodes) {
    const results = readResults(builder, node, users);
    if (results === undefined) {
      for (const name of node.outputs) builder.unread.add(name);
      continue;
    }
    for (const [index, name] of node.outputs.entries()) {
      const value = results[index];
      if (name === "") continue;
      if (value !== undefined) builder.values.set(name, value);
      else if (builder.users(name).length > 0) builder.refuse(node, `its output ${index}, "${name}", is not known`);
    }
  }
}

/** The results of a node; undefined if they, or what the node takes, must be read from the GPU before. */
function readResults(builder: Builder, node: OnnxNode, users: ReadonlyMap<string, Read>): readonly Value[] | undefined {
  if (node.inputs.some((name) => builder.unread.has(name))) return undefined;
  try {
    return [builder.skipped(node) ?? ofSizes(builder, node) ?? readNode(builder, node, users)].flat() as Value[];
  } catch (error) {
    // Once a value is missing, a node may be refused that is none the worse with it: the next reading tells.
    if (error instanceof UnreadError || builder.unread.size > 0) return undefined;
    throw error;
  }
}

function readNode(builder: Builder, node: OnnxNode, users: ReadonlyMap<string, Read>): Value | readonly Value[] {
  try {
    const read = isKnown(node) ? onnxReads.get(node.op) : users.get(node.op);
    return read === undefined ? builder.refuse(node, "is not known") : read(builder, node);
  } catch (error) {
    if (error instanceof WeightsError || error instanceof UnreadError) throw error;
    throw new WeightsError(builder.onnx.file, node.place, `cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function pickOutputs(builder: Builder, onnx: OnnxFile, inputs: readonly PlacedInput[]): tfl.SymbolicTensor[] {
  const isTurned = inputs.some((input) => input.isTurned);
  const hasSequences = onnx.nodes.some(isTimeFirst);
  const seen = new Set<string>(inputs.map(({ signal }) => signal.tensor.sourceLayer.name));
  return onnx.outputs.map(({ name }) => {
    const value = builder.values.get(name);
    const node: OnnxNode = {
      name: "",
      op: "output",
      domain: "",
      inputs: [],
      outputs: [name],
      attributes: {},
      place: `output "${name}"`,
    };
    if (value === undefined) return builder.refuse(node, "no node makes it");
    if (value.kind !== "signal") return builder.refuse(node, "does not depend on the model's input");
    const { tensor } = outputSignal(builder, node, hasSequences ? batchFirst(builder, value) : value, isTurned);
    const isNew = !seen.has(tensor.sourceLayer.name);
    seen.add(tensor.sourceLayer.name);
    return isNew ? tensor : (new Identity({ name: builder.layerName(node) }).apply(tensor) as tfl.SymbolicTensor);
  });
}

/** The value with the batch as its first axis, by which tfjs joins the results of several batches. */
function batchFirst(builder: Builder, value: Signal): Signal {
  const { batch } = builder;
  const at = batch === undefined ? -1 : value.axes.findIndex((axis) => sameAxis(axis, batch.axis));
  return at <= 0 ? value : { ...value, axes: [value.axes[at]!, ...value.axes.toSpliced(at, 1)] };
}

/** An output in ONNX' order; a map of a model whose images were turned has its channels last. */
function outputSignal(builder: Builder, node: OnnxNode, value: Signal, isTurned: boolean): Signal {
  const rank = value.axes.length;
  const isMap = isTurned && rank >= 3 && (String(orderOf(value)) === String(channelsLast(rank)) || rank >= 4);
  const ready = value.axes.every((axis) => axis.every(({ size }) => isKnownSize(size) || axis.length === 1))
    ? value
    : arranged(builder, node, value, value.physical);
  return plain(builder, node, ready, isMap ? channelsLast(rank) : range(0, rank));
}
