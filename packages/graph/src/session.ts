import { DT } from "./dtypes.ts";
import { constBytes, constNode, graphDef, outputOf } from "./graph-node.ts";
import type { GraphNode } from "./graph-node.ts";
import { GraphError } from "./graph-error.ts";
import { makeNative } from "./native-tensor.ts";
import { encode } from "./protos.ts";
import { bufferBytes, bytesAt, checked, output, OUTPUT_BYTES, tensorflow } from "./tensorflow.ts";
import type { Handle } from "./tensorflow.ts";

/** One output of an imported node. */
export interface Endpoint {
  name: string;
  index: number;
}

/** What one kind of run feeds, fetches and triggers, as TensorFlow wants it. */
export interface Plan {
  inputs: Handle;
  inputValues: Handle;
  inputCount: number;
  outputs: Handle;
  outputValues: Handle;
  outputCount: number;
  targets: Handle;
  targetCount: number;
  memory: Handle;
}

const DONE: Endpoint = { name: "convkit_done", index: 0 };

const pause = new Int32Array(new SharedArrayBuffer(4));

/** A TensorFlow session with its graph, to which compiled functions add theirs. Runs happen one after the other. */
export class Session {
  readonly #graph: Handle;
  readonly #session: Handle;
  #queue: Promise<unknown> = Promise.resolve();
  #running: { plan: Plan; status: Handle } | undefined;
  #closed = false;
  #hasDone = false;
  readonly #plans = new Set<Plan>();
  /** The names in the graph of big constants, by their nodes' names. */
  readonly #constants = new Map<string, string>();

  /** Takes over a TF_Graph and a TF_Session on it, which `close` frees. */
  constructor(graph: Handle, session: Handle) {
    this.#graph = graph;
    this.#session = session;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Adds nodes, in an order where inputs come first. */
  import(nodes: readonly GraphNode[]): void {
    const tf = tensorflow();
    const big = nodes.filter(isBigConstant);
    for (const node of big) this.#addConstant(node);
    const bytes = encode("GraphDef", graphDef(big.length === 0 ? nodes : nodes.filter((node) => !isBigConstant(node))));
    if (bytes.length >= 2 ** 31)
      throw new GraphError(`A graph of ${bytes.length} bytes is over protobuf's 2 GiB; make big constants variables.`);
    const buffer = tf.TF_NewBufferFromString(bytes, bytes.length) as Handle;
    const options = tf.TF_NewImportGraphDefOptions() as Handle;
    for (const { name } of big)
      tf.TF_ImportGraphDefOptionsAddInputMapping(options, name, 0, output(this.#operation(name), 0));
    try {
      checked((status) => tf.TF_GraphImportGraphDef(this.#graph, buffer, options, status), "the compiled graph");
    } finally {
      tf.TF_DeleteImportGraphDefOptions(options);
      tf.TF_DeleteBuffer(buffer);
    }
  }

  /** Adds a constant without a protobuf of it, which would end at 2 GiB and cost two more copies. */
  #addConstant(node: GraphNode): void {
    const tf = tensorflow();
    const { dtype, shape } = outputOf({ node, index: 0 });
    // A name with slashes would forbid the import of nodes that are called as its scopes are.
    const name = `constant${this.#constants.size}`;
    this.#constants.set(node.name, name);
    const tensor = makeNative(dtype, shape, constBytes(node)!);
    const description = tf.TF_NewOperation(this.#graph, "Const", name) as Handle;
    tf.TF_SetAttrType(description, "dtype", dtype);
    try {
      checked((status) => tf.TF_SetAttrTensor(description, "value", tensor, status), `the constant ${node.name}`);
      checked((status) => tf.TF_FinishOperation(description, status), `the constant ${node.name}`);
    } finally {
      tf.TF_DeleteTensor(tensor);
    }
  }

  /** Prepares a kind of run. What fetches nothing fetches `DONE`: by the last output a run's end is seen. */
  plan(inputs: readonly Endpoint[], wanted: readonly Endpoint[], targets: readonly string[]): Plan {
    const tf = tensorflow();
    if (wanted.length === 0 && !this.#hasDone) {
      this.import([constNode(DONE.name, DT.bool, [], Uint8Array.of(1))]);
      this.#hasDone = true;
    }
    const outputs = wanted.length > 0 ? wanted : [DONE];
    const sizes = [inputs.length * OUTPUT_BYTES, inputs.length * 8, outputs.length * OUTPUT_BYTES, outputs.length * 8];
    const offsets = sizes.map((_, index) => sizes.slice(0, index).reduce((a, b) => a + b, 0));
    const total = sizes.reduce((a, b) => a + b, 0) + targets.length * 8;
    const memory = tf.calloc(Math.max(total, 8), 1) as Handle;
    const view = new DataView(bytesAt(memory, Math.max(total, 8)).buffer);
    const [atInputs, atInputValues, atOutputs, atOutputValues] = offsets as [number, number, number, number];
    const atTargets = total - targets.length * 8;
    const put = (at: number, { name, index }: Endpoint, n: number) => {
      view.setBigUint64(at + n * OUTPUT_BYTES, BigInt(this.#operation(name)), true);
      view.setInt32(at + n * OUTPUT_BYTES + 8, index, true);
    };
    inputs.forEach((endpoint, n) => put(atInputs, endpoint, n));
    outputs.forEach((endpoint, n) => put(atOutputs, endpoint, n));
    targets.forEach((name, n) => view.setBigUint64(atTargets + n * 8, BigInt(this.#operation(name)), true));
    const plan = {
      inputs: memory + atInputs,
      inputValues: memory + atInputValues,
      inputCount: inputs.length,
      outputs: memory + atOutputs,
      outputValues: memory + atOutputValues,
      outputCount: outputs.length,
      targets: memory + atTargets,
      targetCount: targets.length,
      memory,
    };
    this.#plans.add(plan);
    return plan;
  }

  /** Frees a plan's memory. */
  forget(plan: Plan): void {
    if (this.#plans.delete(plan)) tensorflow().free(plan.memory);
  }

  /** Waits for its turn, runs without blocking JavaScript, and gives the fetched tensors, which the caller deletes. */
  enqueue<T>(
    turn: (run: (plan: Plan, feeds: readonly Handle[], trace?: TraceSink) => Promise<Handle[]>) => Promise<T>,
  ): Promise<T> {
    const result = this.#queue.then(() => turn((plan, feeds, trace) => this.#run(plan, feeds, trace)));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** When all that was enqueued has run. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /** Runs at once, after the run in progress; JavaScript waits. */
  runSync(plan: Plan, feeds: readonly Handle[]): Handle[] {
    this.settle();
    const tf = tensorflow();
    const values = this.#fill(plan, feeds);
    const status = tf.TF_NewStatus() as Handle;
    try {
      tf.TF_SessionRun(...this.#args(plan, 0, 0, status));
      return this.#finish(plan, status, values);
    } finally {
      tf.TF_DeleteStatus(status);
    }
  }

  /** Blocks until the run in progress has ended. */
  settle(): void {
    if (this.#running === undefined) return;
    const { plan, status } = this.#running;
    const last = new BigUint64Array(bytesAt(plan.outputValues, plan.outputCount * 8).buffer);
    while (last[plan.outputCount - 1] === 0n && tensorflow().TF_GetCode(status) === 0) Atomics.wait(pause, 0, 0, 0.1);
  }

  /** Closes the session and frees all that it holds. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.settle();
    const tf = tensorflow();
    checked((status) => tf.TF_CloseSession(this.#session, status), "to close the session");
    checked((status) => tf.TF_DeleteSession(this.#session, status), "to delete the session");
    tf.TF_DeleteGraph(this.#graph);
    for (const plan of this.#plans) this.forget(plan);
  }

  #operation(name: string): Handle {
    const operation = tensorflow().TF_GraphOperationByName(this.#graph, this.#constants.get(name) ?? name) as Handle;
    if (operation === 0) throw new GraphError(`The graph has no operation "${name}".`);
    return operation;
  }

  #fill(plan: Plan, feeds: readonly Handle[]): BigUint64Array {
    const inputs = new BigUint64Array(bytesAt(plan.inputValues, Math.max(feeds.length, 1) * 8).buffer);
    feeds.forEach((tensor, index) => (inputs[index] = BigInt(tensor)));
    return new BigUint64Array(bytesAt(plan.outputValues, plan.outputCount * 8).buffer).fill(0n);
  }

  #args(plan: Plan, options: Handle, metadata: Handle, status: Handle): Handle[] {
    const { inputs, inputValues, inputCount, outputs, outputValues, outputCount, targets, targetCount } = plan;
    const run = [inputs, inputValues, inputCount, outputs, outputValues, outputCount, targets, targetCount];
    return [this.#session, options, ...run, metadata, status];
  }

  #finish(plan: Plan, status: Handle, values: BigUint64Array): Handle[] {
    const tf = tensorflow();
    if (tf.TF_GetCode(status) !== 0) throw new GraphError(tf.TF_Message(status) as string);
    return Array.from(values, Number);
  }

  #run(plan: Plan, feeds: readonly Handle[], trace?: TraceSink): Promise<Handle[]> {
    if (this.#closed) throw new GraphError("The session of this compiled function is closed; it was disposed.");
    const tf = tensorflow();
    const values = this.#fill(plan, feeds);
    const status = tf.TF_NewStatus() as Handle;
    const fullTrace = encode("RunOptions", { trace_level: 3 });
    const options = trace === undefined ? 0 : (tf.TF_NewBufferFromString(fullTrace, fullTrace.length) as Handle);
    const metadata = trace === undefined ? 0 : (tf.TF_NewBuffer() as Handle);
    this.#running = { plan, status };
    return new Promise((resolve, reject) => {
      tf.TF_SessionRun.async(...this.#args(plan, options, metadata, status), (error: unknown) => {
        this.#running = undefined;
        try {
          if (error) throw error;
          const outputs = this.#finish(plan, status, values);
          if (trace !== undefined) trace(bufferBytes(metadata));
          resolve(outputs);
        } catch (failure) {
          reject(failure);
        } finally {
          tf.TF_DeleteStatus(status);
          if (options !== 0) tf.TF_DeleteBuffer(options);
          if (metadata !== 0) tf.TF_DeleteBuffer(metadata);
        }
      });
    });
  }
}

/** Bytes from which a constant is not sent as a protobuf. */
const BIG_CONSTANT = 1 << 16;

function isBigConstant(node: GraphNode): boolean {
  return (constBytes(node)?.length ?? 0) >= BIG_CONSTANT;
}

/** Takes the RunMetadata message of a traced run. */
export type TraceSink = (metadata: Uint8Array) => void;
