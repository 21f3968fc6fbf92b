import type * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../tfjs/backend.ts";
import { openSession } from "./open.ts";
import { RunQueue } from "./run-queue.ts";
import type { Session } from "./session.ts";
import { configKey } from "./config.ts";
import type { SessionConfig } from "./config.ts";
import { SessionVariables } from "./variables.ts";
import { releaseFreedMemory } from "@convkit/engine/internal";

/** A trace, which uses the runtime until it is released. The runtime changes if its nodes move to another session. */
export interface RuntimeUser {
  runtime: Runtime;
}

/**
 * A session with its variables, and the traces that use it. TensorFlow copies a session's whole graph whenever the
 * session runs something new, so traces share a session only if they share variables.
 */
export interface Runtime {
  readonly key: string;
  readonly config: SessionConfig;
  readonly session: Session;
  readonly variables: SessionVariables;
  readonly users: Set<RuntimeUser>;
  /** Released traces whose nodes are still in the session; a megabyte of constants counts as one trace. */
  garbage: number;
}

/** A session with this much garbage is replaced. TensorFlow then optimizes the remaining functions again at their next run. */
const MUCH_GARBAGE = 16;

const runtimes = new Set<Runtime>();

/** One queue per configuration, so that calls run in order whatever variables they use. */
const queues = new Map<string, RunQueue>();

/**
 * The runtime for a function that uses the given variables; it lasts until its last user is released. If the variables
 * are in several runtimes, these become one. `home` is the runtime of a function without variables.
 */
export function runtimeFor(
  config: SessionConfig,
  backend: Backend,
  variables: readonly tf.Variable[],
  home?: Runtime,
): Runtime {
  const key = configKey(config);
  const [largest, ...others] = [...runtimes]
    .filter((runtime) => runtime.key === key && variables.some((variable) => runtime.variables.has(variable)))
    .toSorted((a, b) => b.session.size - a.session.size);
  if (largest !== undefined) {
    for (const other of others) move(other, largest);
    return largest;
  }
  if (variables.length === 0 && home !== undefined && runtimes.has(home)) return home;
  let queue = queues.get(key);
  if (queue === undefined) queues.set(key, (queue = new RunQueue()));
  const runtime = openRuntime(key, config, backend, queue);
  runtimes.add(runtime);
  return runtime;
}

/** A runtime for a single graph without variables. */
export function privateRuntime(config: SessionConfig, backend: Backend): Runtime {
  return openRuntime("", { ...config, isStatic: true, isLocal: true }, backend, new RunQueue());
}

function openRuntime(key: string, config: SessionConfig, backend: Backend, queue: RunQueue): Runtime {
  const session = openSession({ ...config, isPlain: !backend.isUsingGpuDevice }, queue);
  return { key, config, session, variables: new SessionVariables(session, backend), users: new Set(), garbage: 0 };
}

/** Moves what the users of a runtime need to another runtime, and closes the first. */
function move(from: Runtime, to: Runtime): void {
  from.session.queue.settle();
  from.variables.suspend();
  from.session.moveTo(to.session, (node) => from.variables.owns(node));
  to.variables.adopt(from.variables);
  for (const user of from.users) {
    user.runtime = to;
    to.users.add(user);
  }
  from.users.clear();
  runtimes.delete(from);
}

/** TensorFlow frees nothing of a session's graph until the session closes. With much garbage, the remaining functions move to a new session. */
async function sweep(runtime: Runtime): Promise<void> {
  const isDue = () => runtimes.has(runtime) && runtime.garbage >= MUCH_GARBAGE;
  if (!isDue()) return;
  await runtime.session.queue.enqueue(async () => {
    if (!isDue()) return;
    const { key, config, session, variables } = runtime;
    const fresh = openRuntime(key, config, variables.backend, session.queue);
    runtimes.add(fresh);
    move(runtime, fresh);
    releaseFreedMemory();
  });
}

/**
 * Releases a runtime. Without users the session closes, and its variables' values return to tfjs. `garbage` is what the
 * user leaves in the session.
 */
export async function release(user: RuntimeUser, garbage: number): Promise<void> {
  const { runtime } = user;
  runtime.users.delete(user);
  runtime.garbage += garbage;
  if (runtime.users.size > 0) return sweep(runtime);
  runtimes.delete(runtime);
  runtime.variables.retrieve();
  runtime.session.close();
}
