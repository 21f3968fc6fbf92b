import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { OptionNames } from "@convkit/errors";
import { batchOf, recordAnyBatch } from "../compiled/any-batch.ts";
import { attr, shapeProto } from "../ir/attrs.ts";
import type { Backend } from "../tfjs/backend.ts";
import { DT } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { assignNode, constNode, firstOutput, makeNode, placeholderNode, readNode } from "../ir/builder.ts";
import { graphDef, outputOf } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { makeNative } from "../native/tensor.ts";
import { openSession } from "../session/open.ts";
import { encode } from "../native/protos.ts";
import type { Message } from "../native/protos.ts";
import { recordCalls } from "../compiled/build-graph.ts";
import type { RecordAll } from "../compiled/build-graph.ts";
import { signatureOf } from "../values/signature.ts";
import type { Leaf } from "../values/signature.ts";
import { tensorflow } from "../native/c-api.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";

/** Options of `savedModel`. */
export interface SavedModelOptions {
  /**
   * Stores the weights as constants in the graph instead of as variables in a checkpoint; by default as the function
   * was compiled (`freeze`).
   */
  readonly frozen?: boolean | undefined;
  /** The names of the inputs, in order; "input" or "input_0", "input_1" … by default. */
  readonly inputs?: readonly string[] | undefined;
  /** The names of the outputs, in order; "output" or "output_0" … by default. */
  readonly outputs?: readonly string[] | undefined;
  /** The name of the signature; "serving_default" by default. */
  readonly signature?: string | undefined;
  /** Throws if the graph cannot take any batch size, instead of keeping the size of the arguments; false by default. */
  readonly anyBatch?: boolean | undefined;
}

export const savedModelOptionNames: OptionNames<SavedModelOptions> = {
  anyBatch: true,
  frozen: true,
  inputs: true,
  outputs: true,
  signature: true,
};

/** Writes `folder/saved_model.pb`, and the variables' values in `folder/variables` unless they are frozen. */
export async function writeSavedModel(
  folder: string,
  backend: Backend,
  fn: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  { inputs, outputs, signature = "serving_default", anyBatch = false, ...options }: RecordAll & SavedModelOptions,
): Promise<void> {
  const given = signatureOf([args]);
  const freed = recordAnyBatch(backend, fn, given, options);
  const isFree = freed !== undefined;
  if (anyBatch && !isFree)
    throw new GraphError(
      "The function cannot be written for any batch size: a number in it depends on the batch size in a way that is not a multiple.",
    );
  const recorded = freed?.recorded ?? recordCalls(backend, fn, given, options);
  const { trace, variables, leaves } = recorded;
  // Numbers that are fed besides the arguments (a learning rate, the number of the run) become constants.
  for (const { node, read } of trace.numbers.all) fixed(node, read());
  const nodes = [...(freed?.nodes ?? recorded.nodes)];
  const names = uniqueNames(variables);
  variables.forEach(({ handle }, index) => {
    handle.name = names[index] as string;
    handle.attrs["shared_name"] = attr.string(handle.name);
  });
  const results = recorded.outputs.map(({ ref }, index) => resultNode(ref, trace.writes, index));
  nodes.push(...results);
  const saver = variables.length === 0 ? undefined : saverNodes(variables);
  nodes.push(...(saver ?? []));
  const meta: Message = {
    meta_info_def: { meta_graph_version: "1", tags: ["serve"], tensorflow_version: String(tensorflow().TF_Version()) },
    graph_def: graphDef(nodes),
    signature_def: {
      [signature]: {
        method_name: "tensorflow/serving/predict",
        inputs: tensorInfos(recorded.placeholders, inputs, "input", isFree ? leaves : undefined),
        outputs: tensorInfos(results, outputs, "output", undefined, isFree ? batchOf(leaves) : undefined),
      },
    },
    ...(saver !== undefined && {
      saver_def: {
        filename_tensor_name: "save/filename:0",
        save_tensor_name: "save/control_dependency:0",
        restore_op_name: "save/restore_all",
        max_to_keep: 1,
        version: 2,
      },
    }),
  };
  const bytes = encode("SavedModel", { saved_model_schema_version: 1, meta_graphs: [meta] });
  if (bytes.length >= 2 ** 31)
    throw new GraphError("The graph is over protobuf's 2 GiB; write it without frozen weights.");
  await mkdir(join(folder, "variables"), { recursive: true });
  await writeFile(join(folder, "saved_model.pb"), bytes);
  if (variables.length > 0) writeVariables(resolve(folder, "variables", "variables"), variables, names);
}

function fixed(node: GraphNode, value: number): void {
  const { dtype } = outputOf({ node, index: 0 });
  const values = dtype === DT.int32 ? Int32Array.of(value) : Float32Array.of(value);
  const { op, attrs } = constNode(node.name, dtype, [], values);
  Object.assign(node, { op, attrs });
}

/** An output that waits for all writes, so that fetching it runs them. */
function resultNode(ref: Ref, writes: readonly GraphNode[], index: number): GraphNode {
  const { dtype, shape } = outputOf(ref);
  return makeNode(`result_${index}`, "Identity", {
    inputs: [ref],
    control: writes,
    attrs: { T: attr.type(dtype) },
    outputs: [{ dtype, shape }],
  });
}

function tensorInfos(
  nodes: readonly GraphNode[],
  names: readonly string[] | undefined,
  kind: string,
  free: readonly Leaf[] | undefined,
  batch?: number,
): Message {
  if (names !== undefined && names.length !== nodes.length)
    throw new GraphError(`The function has ${nodes.length} ${kind}s, and ${names.length} names were given.`);
  return Object.fromEntries(
    nodes.map((node, index) => {
      const { dtype, shape } = outputOf({ node, index: 0 });
      const isFree = free !== undefined || (batch !== undefined && shape[0] === batch);
      const dims = isFree ? [-1, ...shape.slice(1)] : shape;
      const name = names?.[index] ?? (nodes.length === 1 ? kind : `${kind}_${index}`);
      return [name, { name: `${node.name}:0`, dtype, tensor_shape: shapeProto(dims) }];
    }),
  );
}

/** Makes the variables' names valid and unique as node names. */
function uniqueNames(variables: readonly TracedVariable[]): string[] {
  const taken = new Set<string>();
  return variables.map(({ variable }) => {
    const base = `variables/${variable.name.replaceAll(/[^\w.\-/]/g, "_")}`;
    let name = base;
    for (let n = 1; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    return name;
  });
}

/** The nodes with which TensorFlow restores variables from a checkpoint and saves them. */
function saverNodes(variables: readonly TracedVariable[]): GraphNode[] {
  const names = variables.map(({ handle }) => handle.name);
  const filename = stringsNode("save/filename", ["model"], []);
  const keys = stringsNode("save/keys", names);
  const slices = stringsNode(
    "save/slices",
    names.map(() => ""),
  );
  const dtypes = attr.types(variables.map(({ dtype }) => dtype));
  const inputs = [filename, keys, slices].map(firstOutput);
  const outputs = variables.map(({ dtype, variable }) => ({ dtype, shape: variable.shape }));
  const restore = makeNode("save/RestoreV2", "RestoreV2", { inputs, attrs: { dtypes }, outputs });
  const assigns = variables.map(({ handle, dtype }, index) =>
    assignNode(`save/Assign_${index}`, handle, { node: restore, index }, dtype),
  );
  const reads = variables.map(({ handle }, index) => readNode(`save/Read_${index}`, handle, outputs[index]!));
  const save = makeNode("save/SaveV2", "SaveV2", { inputs: [...inputs, ...reads.map(firstOutput)], attrs: { dtypes } });
  const saved = makeNode("save/control_dependency", "Identity", {
    inputs: [firstOutput(filename)],
    control: [save],
    attrs: { T: attr.type(DT.string) },
  });
  const all = makeNode("save/restore_all", "NoOp", { control: assigns });
  return [filename, keys, slices, restore, ...assigns, ...reads, save, saved, all];
}

/** Writes a checkpoint of the variables' values with TensorFlow's own op. */
function writeVariables(path: string, variables: readonly TracedVariable[], names: readonly string[]): void {
  const session = openSession({});
  try {
    const values = variables.map(({ dtype, variable }, index) =>
      placeholderNode(`value_${index}`, dtype, variable.shape),
    );
    const strings = [
      stringsNode("path", [path], []),
      stringsNode("names", names),
      stringsNode(
        "slices",
        names.map(() => ""),
      ),
    ];
    const inputs = [...strings, ...values].map(firstOutput);
    const attrs = { dtypes: attr.types(variables.map(({ dtype }) => dtype)) };
    const save = makeNode("save", "SaveV2", { inputs, attrs });
    session.import([...strings, ...values, save]);
    const plan = session.plan(
      values.map(({ name }) => ({ name, index: 0 })),
      [],
      ["save"],
    );
    const feeds = variables.map(({ dtype, variable }) =>
      makeNative(dtype, variable.shape, variable.dataSync() as TypedArray),
    );
    for (const tensor of [...session.runSync(plan, feeds), ...feeds]) tensorflow().TF_DeleteTensor(tensor);
  } finally {
    session.close();
  }
}

function stringsNode(name: string, strings: readonly string[], shape: readonly number[] = [strings.length]): GraphNode {
  const content = new TextEncoder();
  const value = {
    dtype: DT.string,
    tensor_shape: shapeProto(shape),
    string_val: strings.map((s) => content.encode(s)),
  };
  const attrs = { dtype: attr.type(DT.string), value: attr.tensor(value) };
  return makeNode(name, "Const", { attrs, outputs: [{ dtype: DT.string, shape }] });
}
