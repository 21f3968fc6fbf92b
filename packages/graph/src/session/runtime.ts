import type { Backend } from "../tfjs/backend.ts";
import { openSession } from "./open.ts";
import type { Session } from "./session.ts";
import { configKey } from "./config.ts";
import type { SessionConfig } from "./config.ts";
import { SessionVariables } from "./variables.ts";
import { releaseFreed } from "../native/c-api.ts";

/** A session with its variables, and how many compiled functions use it. */
export interface Runtime {
  key: string;
  session: Session;
  variables: SessionVariables;
  users: number;
  traces: number;
  /** Disposed traces whose nodes are still in the session; a megabyte of constants counts as one trace. */
  garbage: number;
  open(): Session;
}

/** A session with this much garbage is replaced. TensorFlow then optimizes the remaining functions again at their next run. */
const MUCH_GARBAGE = 16;

const runtimes = new Map<string, Runtime>();

/** The runtime for a configuration; it lasts until its last user releases it. */
export function acquireRuntime(config: SessionConfig, backend: Backend): Runtime {
  const key = configKey(config);
  let runtime = runtimes.get(key);
  if (runtime === undefined) {
    runtime = openRuntime(key, config, backend);
    runtimes.set(key, runtime);
  }
  runtime.users++;
  return runtime;
}

/** A runtime for a single graph without shared variables. */
export function privateRuntime(config: SessionConfig, backend: Backend): Runtime {
  return { ...openRuntime("", { ...config, isStatic: true }, backend), users: 1 };
}

function openRuntime(key: string, config: SessionConfig, backend: Backend): Runtime {
  const open = () => openSession({ ...config, isPlain: !backend.isUsingGpuDevice });
  const session = open();
  return { key, session, variables: new SessionVariables(session, backend), users: 0, traces: 0, garbage: 0, open };
}

/** TensorFlow frees nothing of a session's graph until the session closes. With much garbage, the remaining functions move to a new session. */
export async function sweep(runtime: Runtime): Promise<void> {
  const { session, variables } = runtime;
  if (runtime.garbage < MUCH_GARBAGE) return;
  await session.enqueue(async () => {
    if (session.closed || runtime.garbage < MUCH_GARBAGE) return;
    variables.suspend();
    session.renew(runtime.open(), (node) => variables.owns(node));
    variables.resume();
    runtime.garbage = 0;
    releaseFreed();
  });
}

/** Releases a runtime. With the last user the session closes, and its variables' values return to tfjs. */
export function releaseRuntime(runtime: Runtime): void {
  if (--runtime.users > 0) return;
  if (runtimes.get(runtime.key) === runtime) runtimes.delete(runtime.key);
  runtime.variables.retrieve();
  runtime.session.close();
}
