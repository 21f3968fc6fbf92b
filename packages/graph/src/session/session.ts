import { DT } from "../values/dtypes.ts";
import { constNode } from "../ir/builder.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { GraphError } from "../graph-error.ts";
import { encode } from "../native/protos.ts";
import { SessionGraph } from "./imported-graph.ts";
import type { ActiveWorker } from "../distributed/active-worker.ts";
import { deviceOf } from "../distributed/cluster.ts";
import { guarded, RunError } from "../distributed/guard.ts";
import { RunQueue } from "./run-queue.ts";
import type { StartedRun } from "./run-queue.ts";
import { bufferBytes, bytesAt, checked, OUTPUT_BYTES, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";

/** One output of an imported node. */
export interface Endpoint {
  name: string;
  index: number;
}

/** The feeds, fetches and targets of one kind of run, in TensorFlow's memory layout. */
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
  names: { inputs: readonly Endpoint[]; outputs: readonly Endpoint[]; targets: readonly string[] };
}

/** Where a session runs. */
interface SessionPlace {
  /** The queue whose runs it waits for; one of its own by default. */
  readonly queue?: RunQueue | undefined;
  /** The worker of a cluster that it belongs to; none by default. */
  readonly worker?: ActiveWorker | undefined;
}

const DONE: Endpoint = { name: "convkit_done", index: 0 };

/** A TensorFlow session with a graph that holds the nodes of several compiled functions. */
export class Session {
  /** Runs of this session, and of the other sessions of the queue, happen one after the other. */
  readonly queue: RunQueue;
  readonly #graph: SessionGraph;
  readonly #session: Handle;
  readonly #worker: ActiveWorker | undefined;
  #closed = false;
  #hasDone = false;
  readonly #plans = new Set<Plan>();

  /** Takes over a TF_Graph and a TF_Session on it, which `close` frees. */
  constructor(graph: Handle, session: Handle, { queue = new RunQueue(), worker }: SessionPlace = {}) {
    this.#graph = new SessionGraph(graph, worker && deviceOf(worker.self));
    this.#session = session;
    this.#worker = worker;
    this.queue = queue;
  }

  /** The number of nodes in the graph. */
  get size(): number {
    return this.#graph.size;
  }

  /** Adds nodes, which are ordered: inputs come first. */
  import(nodes: readonly GraphNode[]): void {
    this.#graph.import(nodes);
  }

  /**
   * Prepares a kind of run. A run that fetches nothing fetches `DONE`, since `settle` watches the last output for the
   * end of a run.
   */
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
    const [atInputs, atInputValues, atOutputs, atOutputValues] = offsets as [number, number, number, number];
    const plan = {
      inputs: memory + atInputs,
      inputValues: memory + atInputValues,
      inputCount: inputs.length,
      outputs: memory + atOutputs,
      outputValues: memory + atOutputValues,
      outputCount: outputs.length,
      targets: memory + total - targets.length * 8,
      targetCount: targets.length,
      memory,
      names: { inputs, outputs, targets },
    };
    this.#point(plan);
    this.#plans.add(plan);
    return plan;
  }

  /** Frees a plan's memory. */
  forget(plan: Plan): void {
    if (this.#plans.delete(plan)) tensorflow().free(plan.memory);
  }

  /**
   * Moves the plans to another session, with the nodes that they need and the wanted ones, and closes this session.
   * Variables lose their values. Must not be called during a run.
   */
  moveTo(other: Session, isWanted: (name: string) => boolean): void {
    const roots = [...this.#plans].flatMap(({ names: { inputs, outputs, targets } }) => [
      ...[...inputs, ...outputs].map(({ name }) => name),
      ...targets,
    ]);
    const nodes = this.#graph.needed(roots, isWanted);
    this.#closed = true;
    this.#free();
    other.import(nodes.filter(({ name }) => name !== DONE.name || !other.#hasDone));
    other.#hasDone ||= nodes.some(({ name }) => name === DONE.name);
    for (const plan of this.#plans) {
      other.#point(plan);
      other.#plans.add(plan);
    }
    this.#plans.clear();
  }

  /** Runs without blocking JavaScript, in a turn of the queue. The caller deletes the returned tensors. */
  run(plan: Plan, feeds: readonly Handle[], trace?: TraceSink): Promise<Handle[]> {
    if (this.#closed) throw new GraphError("The session of this compiled function is closed; it was disposed.");
    const tf = tensorflow();
    const values = this.#fill(plan, feeds);
    const status = tf.TF_NewStatus() as Handle;
    const fullTrace = encode("RunOptions", { trace_level: 3 });
    const options = trace === undefined ? 0 : (tf.TF_NewBufferFromString(fullTrace, fullTrace.length) as Handle);
    const metadata = trace === undefined ? 0 : (tf.TF_NewBuffer() as Handle);
    const started: StartedRun = { status, outputValues: plan.outputValues, outputCount: plan.outputCount };
    this.queue.begin(started);
    const running = new Promise<Handle[]>((resolve, reject) => {
      tf.TF_SessionRun.async(...this.#args(plan, options, metadata, status), (error: unknown) => {
        this.queue.end();
        try {
          if (error) throw error;
          const outputs = this.#finish(status, started.fetched ?? values);
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
    return this.#worker === undefined ? running : guarded(this.#worker, running);
  }

  /** Runs right after the run in progress, and blocks JavaScript until it has ended. */
  runSync(plan: Plan, feeds: readonly Handle[]): Handle[] {
    this.queue.settle();
    const tf = tensorflow();
    const values = this.#fill(plan, feeds);
    const status = tf.TF_NewStatus() as Handle;
    try {
      tf.TF_SessionRun(...this.#args(plan, 0, 0, status));
      return this.#finish(status, values);
    } finally {
      tf.TF_DeleteStatus(status);
    }
  }

  /** Closes the session and frees its memory. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.queue.settle();
    this.#free();
    for (const plan of this.#plans) this.forget(plan);
  }

  #free(): void {
    const tf = tensorflow();
    checked((status) => tf.TF_CloseSession(this.#session, status), "to close the session");
    checked((status) => tf.TF_DeleteSession(this.#session, status), "to delete the session");
    this.#graph.dispose();
  }

  /** Writes the operations of a plan's names to its memory. */
  #point({ inputs, outputs, targets, names }: Plan): void {
    const put = (at: Handle, endpoints: readonly Endpoint[]) => {
      const view = new DataView(bytesAt(at, Math.max(endpoints.length * OUTPUT_BYTES, 8)).buffer);
      endpoints.forEach(({ name, index }, n) => {
        view.setBigUint64(n * OUTPUT_BYTES, BigInt(this.#graph.operation(name)), true);
        view.setInt32(n * OUTPUT_BYTES + 8, index, true);
      });
    };
    put(inputs, names.inputs);
    put(outputs, names.outputs);
    if (names.targets.length === 0) return;
    const view = new BigUint64Array(bytesAt(targets, names.targets.length * 8).buffer);
    names.targets.forEach((name, n) => (view[n] = BigInt(this.#graph.operation(name))));
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

  #finish(status: Handle, fetched: Iterable<bigint>): Handle[] {
    const tf = tensorflow();
    const code = tf.TF_GetCode(status) as number;
    if (code !== 0) throw new RunError(tf.TF_Message(status) as string, code);
    return Array.from(fetched, Number);
  }
}

/** Takes the RunMetadata message of a traced run. */
export type TraceSink = (metadata: Uint8Array) => void;
