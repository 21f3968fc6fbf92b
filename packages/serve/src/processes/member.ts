import cluster from "node:cluster";
import type { ServedModelInfo } from "../model-server.ts";
import type { ReloadReport } from "../models/registry.ts";
import { createCalls } from "./calls.ts";
import type { RelayOptions } from "./relay.ts";

/** Tells a process that `superviseServers` started it; other programs have clusters of their own. */
export const memberMark = "CONVKIT_SERVE_MEMBER";
/** What the mark says of a process whose requests come from the supervisor. */
export const relayedMark = "relayed";

/** What the supervisor asks of a server. */
export interface MemberHandlers {
  reload(): Promise<ReloadReport>;
  /** The metrics as plain values. */
  metrics(): Promise<unknown>;
  close(): Promise<void>;
}

/** What a server tells the supervisor once it is ready. */
export interface AboutMember {
  readonly url: string;
  readonly models: readonly ServedModelInfo[];
  /** Where a relayed process listens, and what its clients may do. */
  readonly relay?: { readonly port: number; readonly options: RelayOptions } | undefined;
}

/** A server's side of the processes that share its port. */
export interface Member {
  /** Whether the supervisor takes the requests of clients and keeps them until they are answered. */
  readonly isRelayed: boolean;
  ready(about: AboutMember): Promise<unknown>;
  /** Asks for no more requests, since this process closes without the supervisor's word. */
  leave(): Promise<void>;
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
  const isRelayed = process.env[memberMark] === relayedMark;
  // A signal to the whole group of processes: the supervisor first answers what it accepted, and needs this process for it.
  if (isRelayed) process.on("SIGTERM", leftToSupervisor).on("SIGINT", leftToSupervisor);
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
    isRelayed,
    ready: (about) => calls.call("ready", about),
    leave: async () => {
      if (process.connected) await calls.call("leave");
    },
    reloadAll: () => calls.call("reload") as Promise<ReloadReport>,
    metricsOfAll: () => calls.call("metrics") as Promise<string>,
  };
}

function leftToSupervisor(): void {}
