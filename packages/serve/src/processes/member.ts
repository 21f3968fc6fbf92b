import cluster from "node:cluster";
import type { ServedModelInfo } from "../model-server.ts";
import type { ReloadReport } from "../models/registry.ts";
import { createCalls } from "./calls.ts";

/** Tells a process that `superviseServers` started it; other programs have clusters of their own. */
export const memberMark = "CONVKIT_SERVE_MEMBER";

/** What the supervisor asks of a server. */
export interface MemberHandlers {
  reload(): Promise<ReloadReport>;
  /** The metrics as plain values. */
  metrics(): Promise<unknown>;
  close(): Promise<void>;
}

/** A server's side of the processes that share its port. */
export interface Member {
  ready(about: { readonly url: string; readonly models: readonly ServedModelInfo[] }): Promise<unknown>;
  /** Reloads every process, one after the other. */
  reloadAll(): Promise<ReloadReport>;
  /** The metrics of all processes together. */
  metricsOfAll(): Promise<string>;
}

/** Whether this process is one of `superviseServers`. */
function isMember(): boolean {
  return cluster.isWorker && process.env[memberMark] !== undefined;
}

/** Answers the supervisor; undefined in a process that has none. */
export function joinSupervisor({ reload, metrics, close }: MemberHandlers): Member | undefined {
  if (!isMember()) return undefined;
  const calls = createCalls(
    {
      send: (message) => void (process.connected && process.send!(message)),
      onMessage: (listener) => void process.on("message", listener),
    },
    {
      reload,
      metrics,
      async close() {
        await close();
        // After the reply.
        setImmediate(() => cluster.worker?.disconnect());
      },
    },
  );
  return {
    ready: (about) => calls.call("ready", about),
    reloadAll: () => calls.call("reload") as Promise<ReloadReport>,
    metricsOfAll: () => calls.call("metrics") as Promise<string>,
  };
}
