import { utf8Text } from "../../../bytes/encoding.ts";
import type { ByteSource } from "../../../bytes/byte-source.ts";
import { WeightsError } from "../../../weights-error.ts";
import { decodeOnnx, fieldNumber } from "../protos.ts";
import type { OnnxMessage } from "../protos.ts";
import { fieldsOf } from "./fields.ts";
import type { Field } from "./fields.ts";
import { nodeOf } from "./node.ts";
import type { OnnxNode } from "./node.ts";
import { sourceTensor } from "./tensor-proto.ts";
import type { Constant } from "./constant.ts";

/** An input or output of the graph. An axis of unknown size is its name, or null. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string | null)[] | undefined;
  /** The number of the element type in ONNX. */
  readonly type: number;
}

/** An ONNX file: its graph, without the values of large tensors, which stay in the file. */
export interface OnnxFile {
  readonly file: string;
  readonly size: number;
  /** The operator set of ONNX's own operators. */
  readonly opset: number;
  readonly producer: string;
  /** The graph's name. */
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Closes the files that hold the tensors. */
  close(): void;
}

const nodeLimit = 100_000;
const opsetRange = [7, 26] as const;

/**
 * Whether the bytes begin like an ONNX file: the version of the format, a number below 100 in field 1, followed by
 * another field of the model.
 */
export function looksLikeOnnx(start: Uint8Array): boolean {
  const next = start[2]! >> 3;
  return start[0] === 0x08 && start[1]! > 0 && start[1]! < 100 && next >= 2 && next <= 25;
}

/**
 * Reads the graph of an ONNX file. Throws `WeightsError` for a file that is cut off or lies about its content. Closes the
 * source if it throws.
 */
export function readOnnx(source: ByteSource): OnnxFile {
  const external = new Map<string, ByteSource>();
  const close = (): void => {
    source.close();
    for (const opened of external.values()) opened.close();
  };
  try {
    return { ...readModel(source, external), close };
  } catch (error) {
    close();
    throw error;
  }
}

function readModel(source: ByteSource, external: Map<string, ByteSource>): Omit<OnnxFile, "close"> {
  const { file, folder } = source;
  const parts = { nodes: [] as OnnxNode[], inputs: [] as OnnxValue[], outputs: [] as OnnxValue[] };
  const constants = new Map<string, Constant>();
  const metadata: Record<string, string> = {};
  const opsets = new Map<string, number>();
  let producer = "";
  let name = "";
  const model = numbersOf("ModelProto");
  const graph = numbersOf("GraphProto");
  const decode = (name: Parameters<typeof decodeOnnx>[0], { start, size }: Field): OnnxMessage => {
    try {
      return decodeOnnx(name, source.read(start, size));
    } catch (error) {
      if (error instanceof WeightsError) throw error;
      throw new WeightsError(file, `byte ${start}`, `expected ${name}: ${(error as Error).message}`, { cause: error });
    }
  };
  const readGraph = (whole: Field): void => {
    for (const field of fieldsOf(source, whole.start, whole.size)) {
      if (field.number === graph("node")) {
        if (parts.nodes.length >= nodeLimit) throw new WeightsError(file, "", `has more than ${nodeLimit} nodes`);
        parts.nodes.push(nodeOf(file, decode("NodeProto", field), parts.nodes.length));
      } else if (field.number === graph("initializer")) {
        const constant = sourceTensor(source, field, { folder, external });
        if (constants.has(constant.name))
          throw new WeightsError(file, `initializer "${constant.name}"`, "is there twice");
        constants.set(constant.name, constant);
      } else if (field.number === graph("input")) parts.inputs.push(valueOf(file, decode("ValueInfoProto", field)));
      else if (field.number === graph("output")) parts.outputs.push(valueOf(file, decode("ValueInfoProto", field)));
      else if (field.number === graph("name")) name = utf8Text(source.read(field.start, field.size));
      else if (field.number === sparseInitializer)
        throw new WeightsError(file, `byte ${field.start}`, "holds a sparse initializer, which is not known");
    }
  };
  let graphs = 0;
  for (const field of fieldsOf(source, 0, source.size)) {
    if (field.number === model("graph")) {
      graphs += 1;
      readGraph(field);
    } else if (field.number === model("producer_name")) producer = utf8Text(source.read(field.start, field.size));
    else if (field.number === model("opset_import")) {
      const { domain = "", version } = decode("OperatorSetIdProto", field);
      opsets.set(String(domain), Number(version));
    } else if (field.number === model("metadata_props")) {
      const { key, value } = decode("StringStringEntryProto", field);
      metadata[String(key)] = String(value ?? "");
    }
  }
  if (graphs !== 1) throw new WeightsError(file, "", `expected an ONNX model with one graph, got ${graphs} graphs`);
  const opset = opsets.get("") ?? opsets.get("ai.onnx") ?? 0;
  if (!(opset >= opsetRange[0] && opset <= opsetRange[1]))
    throw new WeightsError(
      file,
      "opset_import",
      `expected an operator set from ${opsetRange[0]} to ${opsetRange[1]}, got ${opset}: export it again with another opset_version`,
    );
  // Files before version 4 of the format list initializers among the inputs, too.
  const inputs = parts.inputs.filter((input) => !constants.has(input.name));
  return {
    file,
    size: source.size,
    opset,
    producer,
    name,
    nodes: parts.nodes,
    constants,
    inputs,
    outputs: parts.outputs,
    metadata,
  };
}

const sparseInitializer = 15;

function numbersOf(name: "GraphProto" | "ModelProto"): (field: string) => number {
  return (field) => fieldNumber(name, field);
}

interface TypeMessage {
  readonly tensor_type?: {
    readonly elem_type?: number;
    readonly shape?: { readonly dim?: readonly { readonly dim_value?: number; readonly dim_param?: string }[] };
  };
}

function valueOf(file: string, { name = "", type }: OnnxMessage & { name?: string; type?: TypeMessage }): OnnxValue {
  const dims = type?.tensor_type?.shape?.dim;
  const shape = dims?.map(({ dim_value: size, dim_param: named }) => {
    if (size === undefined || size === 0) return named === undefined || named === "" ? null : named;
    if (!Number.isSafeInteger(size)) throw new WeightsError(file, `value "${name}"`, `has a size of ${size}`);
    return size < 0 ? null : size;
  });
  return { name, shape, type: type?.tensor_type?.elem_type ?? 0 };
}
