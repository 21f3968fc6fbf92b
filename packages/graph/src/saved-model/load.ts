import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { DT } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import type { HostTensor } from "../values/host-tensor.ts";
import { variablesOf } from "./variables.ts";
import { checkSavedModel } from "./check.ts";
import type { LoadedVariable, NodeDef } from "./variables.ts";
import { makeNative, takeHost } from "../native/tensor.ts";
import { loadSession } from "../session/open.ts";
import { otherThreads, warnOnce } from "../session/threads.ts";
import { decode } from "../native/protos.ts";
import { arrayOf, byName, describeTensors, endpoint, namedTensors, quoted } from "./signature.ts";
import type { TensorDescription, TensorInfo } from "./signature.ts";
import type { Session } from "../session/session.ts";
import type { TensorLike } from "../values/nested.ts";
import { tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";

/** Options of `loadSavedModel`. */
export interface LoadSavedModelOptions {
  /** The name of the function to load; "serving_default" by default. */
  readonly signature?: string | undefined;
  /** The tags of the graph to load; `["serve"]` by default. */
  readonly tags?: readonly string[] | undefined;
  /** Threads that the model is to compute with; the engine's by default. Other ones cannot be had, which Node's warning says. */
  readonly threads?: number | undefined;
}

/** A SavedModel's function. */
export interface LoadedSavedModel {
  /** Runs the function and returns its outputs by name. Calls run one after the other. A single input may be given as a tensor. */
  (inputs: TensorLike | Record<string, TensorLike>): Promise<Record<string, HostTensor>>;
  /** The function that was loaded. */
  signature: {
    name: string;
    inputs: Record<string, TensorDescription>;
    outputs: Record<string, TensorDescription>;
  };
  /** The names of all functions that the model has. */
  signatures: string[];
  /** The variables that the function uses. */
  variables: LoadedVariable[];
  /** Waits for pending calls, then frees the model. */
  dispose(): Promise<void>;
}

const loadOptionNames: OptionNames<LoadSavedModelOptions> = { signature: true, tags: true, threads: true };

/**
 * Loads a SavedModel folder written by Keras' `model.export`, Python's `tf.saved_model.save` or `savedModel` of this
 * package. Throws GraphError if there is no model or no such signature, and for inputs and outputs of strings.
 */
export async function loadSavedModel(folder: string, options: LoadSavedModelOptions = {}): Promise<LoadedSavedModel> {
  checkOptions("loadSavedModel", options, loadOptionNames, (message) => new GraphError(message));
  const { signature: name = "serving_default", tags = ["serve"], threads } = options;
  await checkSavedModel(folder);
  const { session, metaGraph } = await loadSession({}, folder, tags);
  const told = otherThreads("loadSavedModel", threads);
  if (told !== undefined) warnOnce(told);
  try {
    const meta = decode("MetaGraphDef", metaGraph) as unknown as MetaGraph;
    // TensorFlow uses this internal signature to restore the variables; callers must not.
    const signatures = Object.keys(meta.signature_def).filter((key) => !key.startsWith("__saved_model"));
    const signature = meta.signature_def[name];
    if (signature === undefined || !signatures.includes(name))
      throw new GraphError(`The SavedModel ${folder} has no signature "${name}"; it has ${quoted(signatures)}.`);
    const roots = Object.values(signature.outputs).map((info) => info.name);
    const variables = variablesOf(session, meta.graph_def.node, roots).map((variable) => ({
      ...variable,
      read: () => named(folder, () => variable.read()),
    }));
    return loaded({ folder, session, name, signature }, { signatures, variables });
  } catch (error) {
    session.close();
    throw error;
  }
}

interface Signature {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
}

interface MetaGraph {
  graph_def: { node: NodeDef[] };
  signature_def: Record<string, Signature>;
}

/** Runs `work`; an error of TensorFlow names the model. */
function named<Result>(folder: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw ofModel(folder, error);
  }
}

function ofModel(folder: string, error: unknown): unknown {
  if (!(error instanceof GraphError) || error.message.includes(folder)) return error;
  return new GraphError(`The SavedModel ${folder} cannot run: ${error.message}`, { cause: error });
}

/** A session with a SavedModel, and the function that is wanted. */
interface Opened {
  readonly folder: string;
  readonly session: Session;
  readonly name: string;
  readonly signature: Signature;
}

function loaded(
  { folder, session, name, signature: { inputs, outputs } }: Opened,
  rest: Pick<LoadedSavedModel, "signatures" | "variables">,
): LoadedSavedModel {
  const given = namedTensors(inputs);
  const results = namedTensors(outputs);
  for (const { key, info, dtype } of [...given, ...results])
    if (info.name === "" || info.dtype === DT.string)
      throw new GraphError(
        `"${key}" of the signature "${name}" is ${info.name === "" ? "not one tensor" : `of the type ${dtype}`}, which cannot be taken or given here; load another signature.`,
      );
  const plan = named(folder, () =>
    session.plan(
      given.map(({ info }) => endpoint(info.name)),
      results.map(({ info }) => endpoint(info.name)),
      [],
    ),
  );
  const call = async (values: TensorLike | Record<string, TensorLike>): Promise<Record<string, HostTensor>> => {
    const byKey = byName(
      values,
      name,
      given.map(({ key }) => key),
    );
    const fed = given.map((input) => ({ input, ...arrayOf(byKey[input.key] as TensorLike, input) }));
    const feeds = fed.map(({ input, shape, values }) => makeNative(input.info.dtype, shape, values));
    try {
      const fetched = await session.queue.enqueue(() => session.run(plan, feeds));
      return Object.fromEntries(results.map(({ key }, index) => [key, takeHost(fetched[index] as Handle)]));
    } catch (error) {
      throw ofModel(folder, error);
    } finally {
      for (const tensor of feeds) tensorflow().TF_DeleteTensor(tensor);
    }
  };
  return Object.assign(call, {
    ...rest,
    signature: { name, inputs: describeTensors(given), outputs: describeTensors(results) },
    dispose: async () => {
      await session.queue.idle();
      session.close();
    },
  });
}
