import { bufferBytes, checked, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";
import { decode } from "../native/protos.ts";
import type { Attr } from "./attrs.ts";

/** An argument of an op: one tensor, `number_attr` tensors of one type, or a list of types. */
export interface ArgDef {
  name: string;
  type: number;
  type_attr: string;
  number_attr: string;
  type_list_attr: string;
}

/** TensorFlow's definition of an op: arguments, attributes, and whether it has state. */
export interface OpDef {
  name: string;
  input_arg: ArgDef[];
  output_arg: ArgDef[];
  attr: { name: string; type: string; default_value: Attr | null }[];
  is_stateful: boolean;
  kinds: Map<string, string>;
}

const known = new Map<string, OpDef | null>();

/** The definition of an op in the loaded TensorFlow; undefined if there is no op of that name. */
export function opDef(name: string): OpDef | undefined {
  let found = known.get(name);
  if (found === undefined) {
    found = read(name);
    known.set(name, found);
  }
  return found ?? undefined;
}

let scratch: Handle | undefined;

function read(name: string): OpDef | null {
  const tf = tensorflow();
  scratch ??= tf.TF_NewGraph() as Handle;
  const graph = scratch;
  const buffer = tf.TF_NewBuffer() as Handle;
  try {
    checked((status) => tf.TF_GraphGetOpDef(graph, name, buffer, status), `the op ${name}`);
    const def = decode("OpDef", bufferBytes(buffer)) as unknown as Omit<OpDef, "kinds">;
    return { ...def, kinds: new Map(def.attr.map((a) => [a.name, a.type])) };
  } catch {
    return null;
  } finally {
    tf.TF_DeleteBuffer(buffer);
  }
}
