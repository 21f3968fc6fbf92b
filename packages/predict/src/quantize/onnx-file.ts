import type { OnnxMessage } from "@convkit/weights/onnx";

import { PredictError } from "../predict-error.ts";

/** A node of an ONNX graph, as its message has it. */
export interface GraphNode {
  readonly op_type: string;
  readonly name?: string | undefined;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute?: readonly OnnxMessage[] | undefined;
  readonly domain?: string | undefined;
}

/** Numbers that the file holds: a weight. */
export interface Initializer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly raw_data: Uint8Array;
}

/** The nodes and weights of a graph. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly weights: ReadonlyMap<string, Initializer>;
}

/** An ONNX file in memory, to be written anew with other nodes and weights. */
export interface OnnxFile extends Graph {
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
  /** The bytes of the file with these nodes and weights. */
  write(nodes: readonly GraphNode[], weights: Iterable<Initializer>): Uint8Array;
}

/** ONNX's numbers of the types that are read and written here. */
const types = { float32: 1, uint8: 2, int8: 3, int32: 6 } as const;

/** Reads an ONNX file. Throws a PredictError for one that cannot be quantized as it is. */
export async function readOnnxFile(bytes: Uint8Array): Promise<OnnxFile> {
  const { decodeOnnx, encodeOnnx } = await import("@convkit/weights/onnx");
  const fail = (problem: string): never => {
    throw new PredictError(`quantize: the ONNX file ${problem}.`);
  };
  let model: OnnxMessage;
  try {
    model = decodeOnnx("ModelProto", bytes);
  } catch (error) {
    throw new PredictError(`quantize: expected an ONNX file (${(error as Error).message}).`, { cause: error });
  }
  const graph = (model["graph"] ?? fail("has no graph")) as OnnxMessage;
  const opsets = model["opset_import"] as readonly { domain?: string; version?: number }[];
  const version = opsets.find(({ domain = "" }) => domain === "" || domain === "ai.onnx")?.version ?? 0;
  // Scales of single channels came with operator set 13.
  if (version < 13) fail(`has the operator set ${version}, expected 13 or later: export it again`);
  const nodes = graph["node"] as readonly GraphNode[];
  if (nodes.some(({ op_type: op }) => op === "QuantizeLinear" || op === "DequantizeLinear"))
    fail("is quantized already");
  const weights = new Map(
    (graph["initializer"] as readonly OnnxMessage[]).map((message) => {
      if (message["data_location"] === 1) fail(`has the weight ${String(message["name"])} in another file`);
      return [String(message["name"]), withRawData(message)] as const;
    }),
  );
  return {
    nodes,
    weights,
    outputs: (graph["output"] as readonly OnnxMessage[]).map(({ name }) => String(name)),
    write: (changed, kept) =>
      encodeOnnx("ModelProto", {
        ...model,
        producer_name: "convkit",
        graph: { ...graph, node: changed, initializer: [...kept] },
      }),
  };
}

/** float32 values that are stored as numbers become bytes; other types stay as they are. */
function withRawData(message: OnnxMessage): Initializer {
  const numbers = message["float_data"] as readonly number[] | undefined;
  if (message["data_type"] !== types.float32 || numbers === undefined || numbers.length === 0)
    return message as unknown as Initializer;
  const { float_data: _numbers, ...rest } = message;
  return { ...(rest as unknown as Initializer), raw_data: bytesOf(Float32Array.from(numbers)) };
}

/** The float32 values of a weight; undefined for a weight of another type. */
export function floatsOf(weight: Initializer | undefined): Float32Array | undefined {
  if (weight === undefined || weight.data_type !== types.float32) return undefined;
  // A copy: the bytes of a file need not begin where a number may.
  return new Float32Array(new Uint8Array(weight.raw_data).buffer);
}

/** A weight of the file. */
export function initializer(
  name: string,
  dims: readonly number[],
  data: Float32Array | Int32Array | Int8Array | Uint8Array,
): Initializer {
  const type =
    data instanceof Float32Array
      ? types.float32
      : data instanceof Int32Array
        ? types.int32
        : data instanceof Int8Array
          ? types.int8
          : types.uint8;
  return { name, dims, data_type: type, raw_data: bytesOf(data) };
}

function bytesOf(data: Float32Array | Int32Array | Int8Array | Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** An attribute of whole numbers or of one number; undefined if the node has none of that name. */
export function attributeOf(node: GraphNode, name: string): number | undefined {
  const found = node.attribute?.find((each) => each["name"] === name);
  return found === undefined ? undefined : Number(found["type"] === 1 ? (found["f"] ?? 0) : (found["i"] ?? 0));
}

/** True for a product and a bias, without the factors that `Gemm` may have. */
export function isPlainGemm(node: GraphNode): boolean {
  const [alpha = 1, beta = 1, turned = 0] = ["alpha", "beta", "transA"].map((name) => attributeOf(node, name));
  return alpha === 1 && beta === 1 && turned === 0;
}
