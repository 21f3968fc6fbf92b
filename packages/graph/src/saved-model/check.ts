import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GraphError } from "../graph-error.ts";
import { opDef } from "../ir/op-defs.ts";
import { decode } from "../native/protos.ts";
import { widthOf } from "../values/dtypes.ts";
import type { Shape } from "./signature.ts";

interface StoredTensor {
  readonly dtype: number;
  readonly tensor_shape: Shape | null;
  readonly tensor_content: Uint8Array;
}

interface StoredAttr {
  readonly type?: number;
  readonly shape?: Shape;
  readonly tensor?: StoredTensor;
  readonly func?: { readonly name: string };
  readonly list?: {
    readonly type: readonly number[];
    readonly shape: readonly Shape[];
    readonly tensor: readonly StoredTensor[];
    readonly func: readonly { readonly name: string }[];
  };
}

interface StoredNode {
  readonly name: string;
  readonly op: string;
  readonly attr: Readonly<Record<string, StoredAttr>>;
}

interface StoredFunction {
  readonly signature: { readonly name: string } | null;
  readonly node_def: readonly StoredNode[];
}

interface StoredModel {
  readonly meta_graphs: readonly {
    readonly graph_def: {
      readonly node: readonly StoredNode[];
      readonly library: { readonly function: readonly StoredFunction[] } | null;
    } | null;
  }[];
}

/** TensorFlow's limit on the axes of a tensor, and ours on the bytes of a constant that the file does not hold itself. */
const [axisLimit, constantLimit] = [254, 2 ** 28];

/**
 * Checks what TensorFlow's C API takes on trust, and where a damaged file would end the process: the message itself, the types, shapes
 * and constants of every node, and functions that call themselves. Throws a GraphError that names the file and the node.
 */
export async function checkSavedModel(folder: string): Promise<void> {
  const file = join(folder, "saved_model.pb");
  const bytes = await readFile(file).catch((error: unknown) => {
    // TensorFlow also reads a model as text, and says what is missing.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GraphError(`${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  });
  if (bytes === undefined) return;
  let model: StoredModel;
  try {
    model = decode("StoredModel", bytes) as unknown as StoredModel;
  } catch (error) {
    throw new GraphError(`${file} is no SavedModel: ${(error as Error).message}.`, { cause: error });
  }
  for (const { graph_def: graph } of model.meta_graphs) {
    if (graph === null) continue;
    const functions = new Map((graph.library?.function ?? []).map((each) => [each.signature?.name ?? "", each]));
    const nodes = [...graph.node, ...[...functions.values()].flatMap((each) => each.node_def)];
    for (const node of nodes) {
      const problem = nodeProblem(node, functions);
      if (problem !== undefined) throw new GraphError(`${file} is damaged: the node "${node.name}" ${problem}.`);
    }
    const circle = circleOf(functions);
    if (circle !== undefined) throw new GraphError(`${file} is damaged: the function "${circle}" calls itself.`);
  }
}

function nodeProblem({ op, attr }: StoredNode, functions: ReadonlyMap<string, StoredFunction>): string | undefined {
  if (!functions.has(op) && opDef(op) === undefined) return `is of the op "${op}", which this TensorFlow does not have`;
  for (const [name, value] of Object.entries(attr)) {
    const { type = [], shape = [], tensor = [] } = value.list ?? {};
    const types = value.type === undefined ? type : [...type, value.type];
    if (types.some((each) => !isType(each))) return `has "${name}" of the type ${types.join(", ")}`;
    for (const each of value.shape === undefined ? shape : [...shape, value.shape]) {
      const problem = shapeProblem(each, -1);
      if (problem !== undefined) return `has "${name}" of ${problem}`;
    }
    for (const each of value.tensor === undefined ? tensor : [...tensor, value.tensor]) {
      const problem = tensorProblem(each);
      if (problem !== undefined) return `has "${name}" of ${problem}`;
    }
  }
  return undefined;
}

function tensorProblem({ dtype, tensor_shape: shape, tensor_content: content }: StoredTensor): string | undefined {
  if (!isType(dtype)) return `the type ${dtype}`;
  const problem = shape === null ? undefined : shapeProblem(shape, 0);
  if (problem !== undefined) return problem;
  if (shape?.unknown_rank === true) return "no shape";
  const size = (shape?.dim ?? []).reduce((count, each) => count * each.size, 1);
  const bytes = size * Math.max(1, widthOf(dtype));
  // A constant whose elements are equal is stored as one of them.
  if (content.length === 0 ? bytes > constantLimit : widthOf(dtype) > 0 && bytes !== content.length)
    return `${bytes} bytes, of which the file has ${content.length}`;
  return undefined;
}

function shapeProblem({ dim, unknown_rank: isAny }: Shape, least: number): string | undefined {
  if (isAny) return undefined;
  const sizes = dim.map(({ size }) => size);
  const text = `the shape [${sizes.slice(0, 12).join(", ")}${sizes.length > 12 ? ", …" : ""}]`;
  if (sizes.length > axisLimit) return `${text}, which has ${sizes.length} axes`;
  const count = sizes.reduce((product, size) => product * Math.max(1, size), 1);
  return sizes.some((size) => size < least) || !Number.isSafeInteger(count) ? text : undefined;
}

/** DataType's numbers: 0 is none, 101 on are references. */
function isType(type: number): boolean {
  return Number.isInteger(type) && type >= 0 && type % 100 <= 40 && type < 141;
}

/** The name of a function that calls itself, maybe by way of others. */
function circleOf(functions: ReadonlyMap<string, StoredFunction>): string | undefined {
  const done = new Set<string>();
  for (const start of functions.keys()) {
    // A stack of our own: a chain of calls may be as long as the file has functions.
    const path = new Set<string>();
    const stack: { readonly name: string; readonly isEnd: boolean }[] = [{ name: start, isEnd: false }];
    while (stack.length > 0) {
      const { name, isEnd } = stack.pop()!;
      if (isEnd) {
        path.delete(name);
        done.add(name);
        continue;
      }
      if (path.has(name)) return name;
      if (done.has(name)) continue;
      path.add(name);
      stack.push({ name, isEnd: true });
      for (const next of callsOf(functions.get(name)!))
        if (functions.has(next)) stack.push({ name: next, isEnd: false });
    }
  }
  return undefined;
}

function callsOf({ node_def: nodes }: StoredFunction): string[] {
  return nodes.flatMap(({ op, attr }) => [
    op,
    ...Object.values(attr).flatMap(({ func, list }) => [
      ...(func === undefined ? [] : [func.name]),
      ...(list?.func ?? []).map(({ name }) => name),
    ]),
  ]);
}
