import type { Backend } from "./backend.ts";
import { openSession } from "./open-session.ts";
import type { Session } from "./session.ts";
import { configKey } from "./session-config.ts";
import type { SessionConfig } from "./session-config.ts";
import { SessionVariables } from "./session-variables.ts";

/** A session with its variables, and how many compiled functions use it. */
export interface Runtime {
  key: string;
  session: Session;
  variables: SessionVariables;
  users: number;
  traces: number;
}

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

/** A runtime of one's own, for a graph that shares no variables. */
export function privateRuntime(config: SessionConfig, backend: Backend): Runtime {
  return { ...openRuntime("", { ...config, isStatic: true }, backend), users: 1 };
}

function openRuntime(key: string, config: SessionConfig, backend: Backend): Runtime {
  const session = openSession({ ...config, isPlain: !backend.isUsingGpuDevice });
  return { key, session, variables: new SessionVariables(session, backend), users: 0, traces: 0 };
}

/** Gives it back; with the last user the session closes, and its variables' values return to tfjs. */
export function releaseRuntime(runtime: Runtime): void {
  if (--runtime.users > 0) return;
  if (runtimes.get(runtime.key) === runtime) runtimes.delete(runtime.key);
  runtime.variables.retrieve();
  runtime.session.close();
}
