import { checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { GraphError } from "../graph-error.ts";

/** The addresses of all workers, as Keras and TensorFlow have them in `TF_CONFIG`. */
export interface Cluster {
  /** The address of the chief, `["host:port"]`; by default the first worker is the chief. */
  readonly chief?: readonly string[] | undefined;
  /** The addresses of the workers, `["host:port", …]`; none by default, where there is a chief. */
  readonly worker?: readonly string[] | undefined;
}

/** The place of this process in a cluster. */
export interface Task {
  readonly type: "chief" | "worker";
  /** The index of its address in the list of its type, from 0. */
  readonly index: number;
}

/** One process of a cluster. */
export interface Member {
  /** Its name in messages: `chief`, `worker 1`. */
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  readonly task: Task;
}

const clusterNames: OptionNames<Cluster> = { chief: true, worker: true };
const taskNames: OptionNames<Task> = { type: true, index: true };
const jobs = ["chief", "worker"] as const;

/**
 * The processes of a cluster, the chief first, and the rank of `task` among them, without TensorFlow. Throws `GraphError` for what cannot be
 * one: no address or two equal ones, an address other than `host:port`, two chiefs, a task that is none of them. The message begins with
 * `where`, by default `distribute`.
 */
export function membersOf(
  cluster: Cluster,
  task: Task,
  where = "distribute",
): { readonly members: readonly Member[]; readonly rank: number } {
  const failure = (message: string) => new GraphError(message);
  for (const [name, part] of Object.entries({ cluster, task }))
    if (part === undefined)
      throw failure(`${where}: expected cluster and task, the two parts of TF_CONFIG, got no ${name}.`);
  checkOptions(`${where}: cluster`, cluster, clusterNames, failure);
  checkOptions(`${where}: task`, task, taskNames, failure);
  const members = jobs.flatMap((type) =>
    addressesOf(type, cluster[type], where).map((address, index): Member => {
      const name = type === "chief" ? "chief" : `worker ${index}`;
      return { name, address, task: { type, index } };
    }),
  );
  if (members.length === 0)
    throw new GraphError(`${where}: expected a chief or a worker in cluster, got none: give worker: [host:port, …].`);
  if ((cluster.chief?.length ?? 0) > 1)
    throw new GraphError(`${where}: expected one chief in cluster, got ${cluster.chief!.length}.`);
  const addresses = members.map(({ address }) => address);
  const double = addresses.find((address, place) => addresses.indexOf(address) !== place);
  if (double !== undefined)
    throw new GraphError(`${where}: expected each address once in cluster, got ${double} twice.`);
  const rank = members.findIndex(({ task: { type, index } }) => type === task.type && index === task.index);
  if (rank === -1)
    throw new GraphError(
      `${where}: expected the task to be one of ${members.map(({ name }) => name).join(", ")}, got ${shown(task.type)} ${shown(task.index)}.`,
    );
  return { members, rank };
}

function addressesOf(type: Task["type"], addresses: readonly string[] | undefined, where: string): readonly string[] {
  if (addresses === undefined) return [];
  if (!Array.isArray(addresses))
    throw new GraphError(`${where}: expected cluster.${type} to be a list of addresses, got ${shown(addresses)}.`);
  const odd: unknown = addresses.find((address) => typeof address !== "string" || portOf(address) === undefined);
  if (odd !== undefined) throw new GraphError(`${where}: expected host:port in cluster.${type}, got ${shown(odd)}.`);
  return addresses;
}

/** The port of `host:port`; undefined if there is none. */
function portOf(address: string): number | undefined {
  const port = /^(?:\[[^\]\s]+\]|[^:\s[\]/]+):(\d{1,5})$/.exec(address)?.[1];
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536 ? Number(port) : undefined;
}

/** A member's device, without the kind, which TensorFlow chooses. */
export function deviceOf({ task: { type, index } }: Member): string {
  return `/job:${type}/replica:0/task:${index}`;
}
